"""The oracle itself is checked: against the printed vectors, cases worked out by hand, and its own books."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import grid_oracle as oracle
from tests.oracle.grid_oracle import Candle, GridJob, run

SHARED = Path(__file__).resolve().parents[3] / "shared"
VECTOR_FILE = SHARED / "vectors" / "grid.json"
DATA = SHARED / "data" / "candles"
ANSWERED = (
    "lines",
    "start",
    "quantity",
    "least_investment",
    "profit_per_grid",
    "break_even",
    "cycle",
    "sell_size",
    "refused",
)
D = Decimal


def load_vectors() -> list[dict[str, Any]]:
    if not VECTOR_FILE.exists():
        return []
    vectors: list[dict[str, Any]] = json.loads(VECTOR_FILE.read_text(encoding="utf-8"))
    return [vector for vector in vectors if vector["kind"] in ANSWERED]


VECTORS = load_vectors()


def lines_of(given: dict[str, Any]) -> list[Decimal]:
    return oracle.make_lines(
        D(given["lower"]), D(given["upper"]), int(given["grids"]), given["spacing"], D(given["tick"])
    )


def job_of(given: dict[str, Any], investment: str = "1") -> GridJob:
    fee = D(given["fee"])
    return GridJob(
        D(given["lower"]),
        D(given["upper"]),
        int(given["grids"]),
        D(given.get("investment", investment)),
        spacing=given["spacing"],
        reserve=D(given.get("reserve", "0")),
        maker_fee=fee,
        taker_fee=fee,
        fee_in=given.get("fee_in", "received"),
        tick=D(given["tick"]),
        lot=D(given.get("lot", "0.00000001")),
        min_notional=D(given.get("min_notional", "0")),
    )


@pytest.mark.skipif(not VECTORS, reason=f"the printed vectors are not at {VECTOR_FILE}")
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    given, expect, kind = vector["input"], vector["expect"], vector["kind"]
    if kind == "lines":
        assert lines_of(given) == [D(line) for line in expect["lines"]]
    elif kind == "start":
        buys, sells, empty = oracle.start_orders(lines_of(given), D(given["price"]))
        assert buys == [D(price) for price in expect["buys"]]
        assert sells == [D(price) for price in expect["sells"]]
        assert empty == D(expect["empty"])
    elif kind == "quantity":
        job = job_of(given)
        quantity = oracle.equal_base_quantity(job, lines_of(given), D(given["price"]))
        assert quantity == D(expect["quantity"])
        fee, asset = oracle.fee_of("buy", D(given["price"]), quantity, job.maker_fee, job.fee_in)
        assert asset == "base"
        assert oracle.down(Fraction(quantity - fee), job.lot) == D(expect["sell_quantity"])
    elif kind == "least_investment":
        quantity, investment = oracle.least_investment(job_of(given), D(given["price"]))
        assert (quantity, investment) == (D(expect["quantity"]), D(expect["investment"]))
    elif kind == "profit_per_grid":
        lowest, highest = oracle.profit_per_grid(lines_of(given), D(given["fee"]))
        assert abs(lowest - Fraction(expect["lowest"])) <= Fraction(expect["tolerance"])
        assert abs(highest - Fraction(expect["highest"])) <= Fraction(expect["tolerance"])
    elif kind == "break_even":
        step = oracle.break_even_step(D(given["fee"]))
        assert abs(step - Fraction(expect["step"])) <= Fraction(expect["tolerance"])
    elif kind == "cycle":
        check_cycle(given, expect)
    elif kind == "sell_size":
        bought, lot = D(given["bought"]), D(given["lot"])
        fee, _ = oracle.fee_of("buy", D(1), bought, D(given["fee"]), "received")
        assert oracle.down(Fraction(bought - fee), lot) == D(expect["sell"])
    else:
        with pytest.raises(ValueError, match=expect["rule"]):
            oracle.check_profit(lines_of(given), D(given["fee"]))


def check_cycle(given: dict[str, Any], expect: dict[str, Any]) -> None:
    bought, sold = D(given["buy_quantity"]), D(given["sell_quantity"])
    buy_price, sell_price = D(given["buy_price"]), D(given["sell_price"])
    if "fee" in given:
        buy_fee, _ = oracle.fee_of("buy", buy_price, bought, D(given["fee"]), given["fee_in"])
        sell_fee, _ = oracle.fee_of("sell", sell_price, sold, D(given["fee"]), given["fee_in"])
    else:
        buy_fee, sell_fee = D(given["buy_fee_base"]), D(given["sell_fee_quote"])
    pool, paid = bought - buy_fee, bought * buy_price
    cost = oracle.share_of_cost(paid, sold, pool)
    profit = sold * sell_price - sell_fee - cost
    places = D(1).scaleb(-int(expect["places"]))
    assert oracle.half_even(Fraction(profit), places) == D(expect["profit"])
    if "dust" in expect:
        assert pool - sold == D(expect["dust"])
        assert paid - cost == D(expect["dust_cost"])


# ---------------------------------------------------------------- rounding of lines


def test_a_tie_goes_to_the_even_tick() -> None:
    """102.5 -> 102, 103.5 -> 104; geometric: sqrt(1*6.25) = 2.5 -> 2, sqrt(1*12.25) = 3.5 -> 4."""
    assert oracle.make_lines(D(100), D(105), 2, "arithmetic", D(1))[1] == 102
    assert oracle.make_lines(D(101), D(106), 2, "arithmetic", D(1))[1] == 104
    assert oracle.make_lines(D(1), D("6.25"), 2, "geometric", D(1))[1] == 2
    assert oracle.make_lines(D(1), D("12.25"), 2, "geometric", D(1))[1] == 4


def test_lines_that_are_not_distinct_name_the_largest_number() -> None:
    """100 to 105 on a tick of 1: with 5 grids 100..105 are distinct, with 6 two lines fall together."""
    with pytest.raises(ValueError, match="largest number of grids is 5"):
        oracle.make_lines(D(100), D(105), 6, "arithmetic", D(1))


# ---------------------------------------------------------------- worked out by hand


def small(**change: Any) -> GridJob:
    """Lines 100, 110, 120; tick 1, lot 0.1, fee 0.1 %, no reserve; at P0 = 110 q = 2100/(100 + 110) = 10."""
    values: dict[str, Any] = {
        "lower": D(100),
        "upper": D(120),
        "grids": 2,
        "investment": D(2100),
        "spacing": "arithmetic",
        "reserve": D(0),
        "maker_fee": D("0.001"),
        "taker_fee": D("0.001"),
        "tick": D(1),
        "lot": D("0.1"),
        "min_notional": D(5),
    }
    values.update(change)
    return GridJob(**values)


def tape(*rows: tuple[str, str, str, str]) -> list[Candle]:
    return [(60_000 * number, D(row[0]), D(row[1]), D(row[2]), D(row[3])) for number, row in enumerate(rows)]


def short(result: dict[str, Any]) -> list[tuple[str, Decimal, Decimal, str]]:
    return [(side, price, quantity, kind) for _, side, price, quantity, _, _, kind in result["fill_list"]]


def test_a_candle_and_a_jump_by_hand() -> None:
    """O110 L99 H121 C115, then a jump to 109.

    Opening 10 @ 110 = 1100, fee 0.01 base, received 9.99: the cell 110-120 sells 9.9, cost 1100*9.9/9.99
    = 1090.09009009; dust 0.09 cost 9.90990991. Quote 1000.
    Down: buy 10 @ 100, quote 0; pool 9.99 + 0.09 = 10.08, cost 1009.90990991; sells 10, cost /1.008 =
    1001.89475189; dust 0.08 cost 8.01515802.
    Up: sell 10 @ 110 = 1100 - 1.1 -> quote 1098.9, profit 97.00524811; sell 9.9 @ 120 = 1188 - 1.188 -> quote
    2285.712, profit 96.72190991. Jump from 115 to 109: buy 10 @ 110 at its own price -> quote 1185.712.
    Base 10.07, last price 108: equity 1185.712 + 1087.56 = 2273.272. Deepest: 19.98 * 100 = 1998 of 2100.
    """
    result = run(small(), tape(("110", "121", "99", "115"), ("109", "112", "108", "108")))
    assert short(result) == [
        ("buy", D(110), D(10), "opening"),
        ("buy", D(100), D(10), "cell"),
        ("sell", D(110), D(10), "cell"),
        ("sell", D(120), D("9.9"), "cell"),
        ("buy", D(110), D(10), "cell"),
    ]
    assert [fill[0] for fill in result["fill_list"]] == [0, 0, 0, 0, 60_000]
    assert result["fees"] == {"base": D("0.03"), "quote": D("2.288")}
    assert (result["quote"], result["base"]) == (D("1185.712"), D("10.07"))
    assert (result["round_trips"], result["orders_placed"], result["orders_cancelled"]) == (2, 7, 0)
    assert result["grid_profit"] == D("193.72715802")
    assert (result["equity_start"], result["equity_end"]) == (D(2100), D("2273.272"))
    assert result["trend_profit"] == D("173.272") - D("193.72715802")
    assert result["hold_profit"] == D("19.0") * 108 - 2100
    assert Fraction(result["max_drawdown"]).limit_denominator(10**6) == Fraction(102, 2100)
    assert result["resting"] == [("buy", D(100), D(10)), ("sell", D(120), D("10.0"))]
    assert result["dust"] == D("0.07")


def test_reversed_path_by_hand() -> None:
    """O110 H121 L99 C115: sell 9.9 @ 120 first, then buys @ 110 and 100 going down, then the sell @ 110."""
    result = run(small(path="reversed"), tape(("110", "121", "99", "115")))
    assert short(result) == [
        ("buy", D(110), D(10), "opening"),
        ("sell", D(120), D("9.9"), "cell"),
        ("buy", D(110), D(10), "cell"),
        ("buy", D(100), D(10), "cell"),
        ("sell", D(110), D("10.0"), "cell"),
    ]
    assert (result["quote"], result["base"]) == (D("1185.712"), D("10.07"))


def test_a_candle_that_falls_goes_up_first() -> None:
    """O110 H121 L99 C100 (C < O): the sell at 120 comes before the buys."""
    result = run(small(), tape(("110", "121", "99", "100")))
    assert [row[:2] for row in short(result)] == [
        ("buy", D(110)),
        ("sell", D(120)),
        ("buy", D(110)),
        ("buy", D(100)),
    ]


def test_stop_loss_inside_a_jump_sells_at_its_end() -> None:
    """106 -> 90 past the buy at 100 (own price) and the stop at 95: 19.9 of 19.98 sold at 90, less 1.791."""
    candles = tape(("110", "111", "105", "106"), ("90", "92", "89", "91"))
    result = run(small(stop_loss=D(95)), candles)
    assert short(result)[1:] == [("buy", D(100), D(10), "cell"), ("sell", D(90), D("19.9"), "stop_loss")]
    assert (result["quote"], result["base"]) == (D("1789.209"), D("0.08"))
    assert (result["orders_placed"], result["orders_cancelled"], result["round_trips"]) == (5, 2, 0)
    assert result["equity_end"] == D("1796.489")
    assert result["grid_profit"] == 0


def test_stop_loss_inside_a_candle_sells_at_the_stop() -> None:
    """O106 H106 L90 C91: sold at 95, 19.9*95 = 1890.5 - 1.8905; with on_exit = hold nothing is sold."""
    candles = tape(("110", "111", "105", "106"), ("106", "106", "90", "91"))
    result = run(small(stop_loss=D(95)), candles)
    assert short(result)[-1] == ("sell", D(95), D("19.9"), "stop_loss")
    assert result["quote"] == D("1888.6095")
    held = run(small(stop_loss=D(95), on_exit="hold"), candles)
    assert held["fills"] == 2
    assert (held["base"], held["orders_cancelled"], held["resting"]) == (D("19.98"), 2, [])


def test_take_profit_after_the_last_sell() -> None:
    """110 up to 130: the sell at 120 fills, at 125 two buys are cancelled; 0.09 of dust is under a lot."""
    result = run(small(take_profit=D(125)), tape(("110", "130", "110", "130"), ("90", "91", "80", "85")))
    assert [row[:2] for row in short(result)] == [("buy", D(110)), ("sell", D(120))]
    assert (result["orders_cancelled"], result["base"]) == (2, D("0.09"))


def test_through_needs_one_tick_more() -> None:
    """A low of 100 touches the buy, but only 99 passes it by a tick; the fill is at 100 all the same."""
    touched = tape(("110", "110", "100", "109"))
    passed = tape(("110", "110", "99", "109"))
    assert run(small(), touched)["fills"] == 2
    assert run(small(fill="through"), touched)["fills"] == 1
    assert short(run(small(fill="through"), passed))[1] == ("buy", D(100), D(10), "cell")


def test_wait_places_a_buy_only_above_its_floor() -> None:
    """P0 = 105, q = 2100/(100 + 110): a high of 110 places nothing, 111 does; back at 110 it fills."""
    result = run(small(start="wait"), tape(("105", "110", "104", "104")))
    assert (result["fills"], result["orders_placed"]) == (0, 1)
    result = run(small(start="wait"), tape(("105", "110", "104", "104"), ("104", "111", "104", "109.5")))
    assert short(result) == [("buy", D(110), D(10), "cell")]
    assert result["orders_placed"] == 3


def test_own_base_fills_the_cells_without_a_purchase() -> None:
    """P0 = 110: q = 2100/100 = 21 in each cell; the cell above takes 21 of the 25 owned, at 110 each.

    At 120: 21*120 = 2520 - 2.52 - cost 2310 = 207.48. Start 2100 + 25*110 = 4850; end 4617.48 + 4*120.
    """
    result = run(small(start="own", own_base=D(25)), tape(("110", "120", "110", "120")))
    assert short(result) == [("sell", D(120), D(21), "cell")]
    assert result["grid_profit"] == D("207.48")
    assert (result["equity_start"], result["equity_end"]) == (D(4850), D("5097.48"))
    with pytest.raises(ValueError, match="own_base"):
        run(small(start="own", own_base=D(20)), tape(("110", "120", "110", "120")))


def test_trigger_inside_a_candle_and_inside_a_jump() -> None:
    """Reached at 110 within a candle: P0 = 110. Jumped over (113 -> 108): P0 = 108, q = 2100/208 = 10."""
    first = ("115", "116", "112", "113")
    result = run(small(trigger_price=D(110)), tape(first, ("113", "114", "105", "106")))
    assert short(result) == [("buy", D(110), D(10), "opening")]
    result = run(small(trigger_price=D(110)), tape(first, ("108", "109", "105", "106")))
    assert short(result) == [("buy", D(108), D("10.0"), "opening")]
    assert run(small(trigger_price=D(110)), tape(first))["fills"] == 0


def test_fees_in_quote() -> None:
    """q = 2100/1.001/210 = 9.9; cost 1089 + 1.089; sold at 120: 1188 - 1.188; profit 96.723."""
    result = run(small(fee_in="quote"), tape(("110", "120", "110", "119")))
    assert short(result) == [("buy", D(110), D("9.9"), "opening"), ("sell", D(120), D("9.9"), "cell")]
    assert result["fees"] == {"quote": D("2.277")}
    assert result["grid_profit"] == D("96.723")


def test_fees_in_a_third_asset() -> None:
    """10 @ 110: 1.1/600 = 0.001833... -> 0.00183334; 10 @ 120: 1.2/600 = 0.002."""
    result = run(small(fee_in="BNB:600"), tape(("110", "120", "110", "119")))
    assert result["fees"] == {"BNB": D("0.00383334")}
    assert (result["quote"], result["base"]) == (D(2200), D(0))
    assert result["grid_profit"] == D(1200) - D(1100) - D("0.00383334") * 600
    assert result["total_profit"] == result["grid_profit"]


def test_equal_quote() -> None:
    """v = 1050: opening 1050/110 = 9.5 (received 9.4905, sells 9.4), buy at 100: 10.5, again at 110: 9.5."""
    result = run(small(sizing="equal_quote"), tape(("110", "121", "99", "100")))
    assert [row[:3] for row in short(result)] == [
        ("buy", D(110), D("9.5")),
        ("sell", D(120), D("9.4")),
        ("buy", D(110), D("9.5")),
        ("buy", D(100), D("10.5")),
    ]


def test_slippage_is_worse_and_on_the_tick() -> None:
    """110*1.01 = 111.1 -> 112 on a tick of 1; the stop at 95: 94.05 -> 94."""
    job = small(slippage=D("0.01"), stop_loss=D(95), reserve=D("0.1"))
    result = run(job, tape(("110", "110", "90", "91")))
    assert [row[1] for row in short(result)] == [D(112), D(100), D(94)]


def test_spare_lots_go_from_the_lowest_roof_up() -> None:
    """P0 = 100, three full cells: received 29.97 = 3*9.9 + 0.27: two get 10.0, the third 9.9, dust 0.07."""
    job = small(upper=D(130), grids=3, investment=D(3000))
    result = run(job, tape(("100", "100", "100", "100")))
    assert result["resting"] == [("sell", D(110), D(10)), ("sell", D(120), D(10)), ("sell", D(130), D("9.9"))]
    assert (result["dust"], result["dust_cost"]) == (D("0.07"), D("7.00700701"))


def test_refusals() -> None:
    still = tape(("110", "110", "110", "110"))
    bad: list[dict[str, Any]] = [
        {"investment": D(20)},
        {"grids": 1},
        {"grids": 1001},
        {"reserve": D("0.51")},
        {"maker_fee": D("0.1")},
        {"lower": D(0)},
        {"stop_loss": D(100)},
        {"take_profit": D(120)},
        {"maker_fee": D("0.05")},
    ]
    for change in bad:
        with pytest.raises(ValueError):
            run(small(**change), still)
    for row in (("110", "109", "100", "105"), ("110", "111", "109", "108"), ("110", "111", "0", "110")):
        with pytest.raises(ValueError, match="row 0"):
            run(small(), tape(row))


# ---------------------------------------------------------------- the books


def check_books(job: GridJob, result: dict[str, Any]) -> None:
    """The list of fills alone explains both balances, the fees and the counts, exactly."""
    base, quote = job.own_base, job.investment
    fees: dict[str, Decimal] = {}
    for _, side, price, quantity, fee, asset, _ in result["fill_list"]:
        sign = 1 if side == "buy" else -1
        base += sign * quantity
        quote -= sign * price * quantity
        base -= fee if asset == "base" else 0
        quote -= fee if asset == "quote" else 0
        fees[asset] = fees.get(asset, D(0)) + fee
        assert base >= 0
        assert quote >= 0
        assert quantity % job.lot == 0
    assert (base, quote, fees) == (result["base"], result["quote"], result["fees"])
    assert result["fills"] == len(result["fill_list"])
    cell_sells = [fill for fill in result["fill_list"] if fill[1] == "sell" and fill[6] == "cell"]
    assert result["round_trips"] == len(cell_sells)
    assert result["total_profit"] == result["grid_profit"] + result["trend_profit"]
    third = oracle.third_asset(job.fee_in)
    worth = fees.get(third[0], D(0)) * third[1] if third else D(0)
    assert result["total_profit"] == result["equity_end"] - result["equity_start"]
    last = result["equity_end"] - result["quote"] + worth
    assert last >= 0 or not result["base"]
    if result["resting"] and result["orders_refused"] == 0:
        in_cells = sum((quantity for side, _, quantity in result["resting"] if side == "sell"), D(0))
        left_over = base - in_cells - result["dust"]
        assert left_over >= 0
        if job.start != "own":
            assert left_over == 0
        assert 0 <= result["dust"] < job.lot


def random_tape(seed: int, rows: int) -> list[Candle]:
    chance = random.Random(seed)
    price = 10_000 + chance.randint(-1500, 1500)
    candles: list[Candle] = []
    for number in range(rows):
        opened = max(1, price + (chance.randint(-300, 300) if chance.random() < 0.3 else 0))
        close = max(1, opened + chance.randint(-250, 250))
        high = max(opened, close) + chance.randint(0, 150)
        low = max(1, min(opened, close) - chance.randint(0, 150))
        cents = D("0.01")
        candles.append((number, opened * cents, high * cents, low * cents, close * cents))
        price = close
    return candles


@pytest.mark.parametrize("seed", range(60))
def test_books_on_random_tapes(seed: int) -> None:
    chance = random.Random(1000 + seed)
    job = GridJob(
        D(90),
        D(112),
        chance.choice([4, 9, 20]),
        D(chance.choice([1000, 5000])),
        spacing=chance.choice(["geometric", "arithmetic"]),
        sizing=chance.choice(["equal_base", "equal_quote"]),
        start=chance.choice(["market", "wait"]),
        maker_fee=D(chance.choice(["0", "0.00075", "0.001"])),
        taker_fee=D(chance.choice(["0", "0.001"])),
        fee_in=chance.choice(["received", "quote", "BNB:600"]),
        tick=D("0.01"),
        lot=D(chance.choice(["0.001", "0.00001"])),
        min_notional=D(5),
        stop_loss=chance.choice([None, D(80)]),
        take_profit=chance.choice([None, D(125)]),
        path=chance.choice(["normal", "reversed"]),
        fill=chance.choice(["touch", "through"]),
    )
    result = run(job, random_tape(seed, 250))
    check_books(job, result)


@pytest.mark.parametrize("spacing", ["geometric", "arithmetic"])
def test_books_on_real_candles(spacing: str) -> None:
    path = DATA / "binance_spot_BTCUSDT_1h_20240421-20250630.parquet"
    if not path.exists():
        pytest.skip(f"no candles at {path}")
    candles = oracle.read_candles(path)
    assert len(candles) == 10464
    job = GridJob(
        D(50000),
        D(110000),
        60,
        D(10000),
        spacing=spacing,
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        tick=D("0.01"),
        lot=D("0.00001"),
        min_notional=D(5),
    )
    result = run(job, candles)
    assert result["fills"] > 100
    check_books(job, result)

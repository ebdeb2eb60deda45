"""The DCA oracle itself is checked: against the printed vectors, tapes worked out by hand, and its own books."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import dca_rules as rules
from tests.oracle.dca_books import Books
from tests.oracle.dca_oracle import Market, Result, run
from tests.oracle.grid_oracle import Candle, down, half_even

VECTOR_FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "dca.json"
D = Decimal
FREE = Market(D("0.01"), D("0.0001"), D(0), D(0), D(0))
PAID = Market(D("0.01"), D("0.0001"), D(5), D("0.001"), D("0.002"))
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
MONDAY = 4 * DAY  # 1970-01-05


def load_vectors() -> list[dict[str, Any]]:
    if not VECTOR_FILE.exists():
        return []
    vectors: list[dict[str, Any]] = json.loads(VECTOR_FILE.read_text(encoding="utf-8"))
    return vectors


VECTORS = load_vectors()
CHECKED: dict[str, Any] = {}  # kind: the function that checks it


def candle(time: int, text: str) -> Candle:
    """A candle from "open high low close", or from one price."""
    prices = [D(word) for word in text.split()]
    opened, high, low, close = prices if len(prices) == 4 else prices * 4
    return time, opened, high, low, close


def tape(*texts: str, every: int = MINUTE, start: int = 0) -> list[Candle]:
    return [candle(start + index * every, text) for index, text in enumerate(texts)]


def seen(result: Result) -> list[tuple[int, str, str, str, str]]:
    """The fills in short: candle, kind, price, quantity, role."""
    return [(one.index, one.kind, str(one.price), str(one.quantity), one.role) for one in result.fills]


def plan_for(given: dict[str, Any], market: Market = FREE) -> rules.Plan:
    """A vector's input as a plan; shares and counts it does not name do not matter."""
    config = {"step_scale": "1"} | {key: str(value) for key, value in given.items() if key not in ("price", "fee")}
    return rules.plan_of(config, D(1000), market)


# ---------------------------------------------------------------- vectors


def check_ladder(given: dict[str, Any], expect: dict[str, Any]) -> None:
    rows = rules.ladder_rows(plan_for(given), D(given["price"]), FREE, exact=True)
    if "rows" in expect:
        assert [[row.k, *row.printed()] for row in rows] == expect["rows"]
    if "deviations" in expect:
        assert [row.deviation for row in rows[1:]] == [Fraction(text) for text in expect["deviations"]]
    if "sizes" in expect:
        assert [row.size for row in rows[1:]] == [Fraction(text) for text in expect["sizes"]]
    if "total" in expect:
        assert rows[-1].total == Fraction(expect["total"])


def check_refused(given: dict[str, Any], expect: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=expect["rule"]):
        plan_for(given)


def check_prices(given: dict[str, Any], expect: dict[str, Any]) -> None:
    rungs = rules.ladder(plan_for(given), D(given["price"]), FREE)
    assert [price for price, _ in rungs] == [D(text) for text in expect["prices"]]


def check_take_profit(given: dict[str, Any], expect: dict[str, Any]) -> None:
    plan = rules.plan_of({"take_profit": given["take_profit"]}, D(1000), FREE)
    cost = sum((Fraction(quote) for _, quote in given["fills"]), Fraction(0))
    bought = sum((Fraction(quote) / Fraction(price) for price, quote in given["fills"]), Fraction(0))
    gross = rules.exit_value(cost, plan) / bought
    net = rules.exit_value(cost, plan) / (bought * (1 - Fraction(given["fee"])) ** 2)
    assert rules.half_up(gross, expect["places"]) == expect["gross"]
    assert rules.half_up(net, expect["places"]) == expect["net"]


def check_trailing(given: dict[str, Any], expect: dict[str, Any]) -> None:
    tick = D("0.00000001")
    assert Fraction(given["average"]) * (1 + Fraction(given["take_profit"])) == Fraction(expect["target"])
    assert rules.below(Fraction(given["peak"]), D(given["trail"]), tick) == D(expect["line"])


def check_average(given: dict[str, Any], expect: dict[str, Any]) -> None:
    books = Books(FREE, D(100_000), D(0))
    realised: list[Decimal] = []
    averages: list[Fraction] = []
    for side, quantity, price in given["trades"]:
        if side == "buy":
            books.bought(D(price), D(quantity), "taker", "test")
        else:
            books.sold(D(price), D(quantity), "taker", "test")
        realised.append(sum((deal.profit for deal in books.deals), D(0)))
        if books.pool > 0:
            averages.append(Fraction(books.pool_cost) / Fraction(books.pool))
    assert averages == [Fraction(text) for text in expect["averages"]]
    assert realised == [D(text) for text in expect["realised"]]


def check_schedule(given: dict[str, Any], expect: dict[str, Any]) -> None:
    lot = D(given["lot"])
    market = Market(D(1), lot, D(0), D(0), D(0))
    config = {"mode": "accumulate", "every": "daily", "amount": given["amount"]}
    result = run(config, tape(*given["prices"], every=DAY), market, D(3000))
    printed = [D(text) for text in expect["quantities"]]
    exact = [Fraction(given["amount"]) / Fraction(price) for price in given["prices"]]
    assert [half_even(value, lot) for value in exact] == printed
    assert [fill.quantity for fill in result.fills] == [down(value, lot) for value in exact]
    assert rules.half_up(3000 / sum((Fraction(value) for value in printed), Fraction(0))) == expect["average"]


def check_budget(given: dict[str, Any], expect: dict[str, Any]) -> None:
    config = {"mode": "accumulate", "every": "weekly", "amount": given["amount"], "budget": given["budget"]}
    result = run(config, tape(*["100"] * 70, every=DAY), FREE, D(100_000))
    assert len(result.fills) == expect["buys"]


def check_drop(given: dict[str, Any], expect: dict[str, Any]) -> None:
    config = {"mode": "accumulate", "drop": given["drop"], "reference": given["reference"]}
    assert len(run(config, tape(*given["prices"]), FREE, D(1000)).fills) == expect["buys"]


def check_cover(given: dict[str, Any], expect: dict[str, Any]) -> None:
    factors = rules.rung_factors(D(given["deviation"]), D(given["step_scale"]), given["safety_orders"])
    multiple = rules.multiple_of(D(given["volume_scale"]), given["safety_orders"])
    assert rules.half_up(1 - factors[-1], expect["places_cover"]) == expect["cover"]
    assert rules.half_up(multiple, expect["places_multiple"]) == expect["multiple"]


CHECKED |= {
    "ladder": check_ladder,
    "refused": check_refused,
    "prices": check_prices,
    "take_profit": check_take_profit,
    "trailing": check_trailing,
    "average": check_average,
    "schedule": check_schedule,
    "budget": check_budget,
    "drop": check_drop,
    "cover": check_cover,
}


@pytest.mark.skipif(not VECTORS, reason=f"the printed vectors are not at {VECTOR_FILE}")
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    CHECKED[vector["kind"]](vector["input"], vector["expect"])


# ---------------------------------------------------------------- deals by hand

DEAL = {
    "base_order": "100",
    "safety_order": "100",
    "deviation": "0.02",
    "step_scale": "1",
    "volume_scale": "1",
    "safety_orders": "3",
    "take_profit": "0.01",
}


def test_a_deal_with_one_safety_order() -> None:
    """1 @ 100 and 1.0204 @ 98: average 199.9992/2.0204, TP 99.9798 up to 99.98; the ladder's rest is cancelled."""
    result = run(DEAL, tape("100 100 98 99", "99 105 99 105", "105"), FREE, D(1000))
    assert seen(result)[:3] == [
        (0, "base_order", "100", "1.0000", "taker"),
        (0, "safety", "98.00", "1.0204", "maker"),
        (1, "take_profit", "99.98", "2.0204", "maker"),
    ]
    assert result.deals[0].profit == D("99.98") * D("2.0204") - D("199.9992")
    assert seen(result)[3] == (2, "base_order", "105", "0.9523", "taker")  # 60 s later


def test_fees_make_the_target_dearer_and_dust_joins_the_next_deal() -> None:
    """1 coin less 0.002 fee = 0.998; TP = 100*1.01/(0.998*0.999) = 101.3036 up to 101.31; no dust at this lot."""
    market = Market(D("0.01"), D("0.01"), D(5), D("0.001"), D("0.002"))
    config = DEAL | {"safety_orders": "0"}
    result = run(config, tape("100 102 100 102", "102"), market, D(1000))
    assert seen(result)[1] == (0, "take_profit", "101.31", "0.99", "maker")
    proceeds = D("101.31") * D("0.99") - D("0.1002969")
    assert result.fills[1].fee == D("0.1002969")
    assert result.deals[0].profit == proceeds - D("99.19839679")  # 100 * 0.99/0.998
    # 0.98 coins at 102 (99.96), less 0.00196, with dust 0.008 that cost 0.80160321
    assert result.base == D("0.008") + D("0.98") - D("0.00196")
    assert result.pool_cost == D("0.80160321") + D("99.96")


def test_the_stop_wins_at_an_equal_price_and_orders_above_it_fill_first() -> None:
    """Stop 4 % below the base order = 96 = the second rung: the first fills, the second is cancelled."""
    config = DEAL | {"stop_loss": "0.04", "stop_loss_from": "base_order"}
    result = run(config, tape("100 100 90 91"), FREE, D(1000))
    assert [fill[1:] for fill in seen(result)] == [
        ("base_order", "100", "1.0000", "taker"),
        ("safety", "98.00", "1.0204", "maker"),
        ("stop_loss", "96.00", "2.0204", "taker"),
    ]
    assert result.resting == []


def test_a_stop_in_a_jump_fills_at_its_end() -> None:
    config = DEAL | {"stop_loss": "0.03", "stop_loss_from": "base_order"}
    result = run(config, tape("100", "90"), FREE, D(1000), slippage="0.01")
    assert seen(result)[1] == (1, "safety", "98.98", "1.0103", "maker")  # P0 101 with slippage
    assert seen(result)[2] == (1, "stop_loss", "89.10", "2.0103", "taker")


def test_a_trailing_take_profit() -> None:
    """Armed at 101, peak 110, line 108.90; market sale there as taker."""
    config = DEAL | {"trailing": "0.01"}
    result = run(config, tape("100 110 100 110", "110 110 108 108"), FREE, D(1000))
    assert seen(result)[1] == (1, "trailing", "108.90", "1.0000", "taker")
    jumped = run(config, tape("100 110 100 110", "105"), FREE, D(1000))
    assert seen(jumped)[1] == (1, "trailing", "105", "1.0000", "taker")


def test_through_needs_a_tick_more() -> None:
    assert len(run(DEAL, tape("100 100 98 99"), FREE, D(1000), fill="through").fills) == 1
    result = run(DEAL, tape("100 100 97.99 99"), FREE, D(1000), fill="through")
    assert seen(result)[1] == (0, "safety", "98.00", "1.0204", "maker")


def test_only_max_active_rest_and_the_next_follows() -> None:
    config = DEAL | {"max_active": "1", "take_profit_from": "base_order"}
    result = run(config, tape("100 100 95 95"), FREE, D(1000))
    assert [fill[1] for fill in seen(result)] == ["base_order", "safety", "safety"]
    # 299.9988 spent + 1 wanted, over 1 + 1.0204 + 1.0416 coins
    assert result.resting == [
        ("buy", D("94.00"), D("1.0638")),
        ("sell", D("98.30"), D("3.0620")),
    ]


def test_funds_end_the_ladder_or_pause_the_bot() -> None:
    short = run(DEAL, tape("100 100 90 90"), FREE, D(250))
    assert [fill[1] for fill in seen(short)] == ["base_order", "safety"]
    assert short.notes == [(0, "safety: refused, the ladder ends")]
    assert run(DEAL, tape("100", "100"), FREE, D(99)).notes[-1] == (0, "the bot is paused")


def test_a_resting_buy_holds_its_fee_by_the_dearer_rate() -> None:
    """Of 200.3 the base order takes 100.2; 100.10 would pay the safety order as maker (100.0942), not as taker."""
    quote = Market(D("0.01"), D("0.0001"), D(5), D("0.001"), D("0.002"), "quote")
    one = DEAL | {"safety_orders": "1"}
    short = run(one, tape("100 100 90 90"), quote, D("200.3"))
    assert [fill[1] for fill in seen(short)] == ["base_order"]
    assert short.notes == [(0, "safety: refused, the ladder ends")]
    assert len(run(one, tape("100 100 90 90"), quote, D("200.4")).fills) == 2


def test_a_later_deal_that_the_markets_rules_forbid_waits_for_an_hour() -> None:
    """3 % of 100 are three ticks, of 99 they are not; after an hour (candle 3) the price is back at 100."""
    coarse = Market(D(1), D("0.0001"), D(5), D(0), D(0))
    config = DEAL | {"deviation": "0.03", "stop_loss": "0.01", "safety_orders": "1"}
    for orders, starts in (("1", [0, 3]), ("0", [0, 1])):
        result = run(
            config | {"safety_orders": orders},
            tape("100 100 99 99", "99", "100", "100", every=HOUR // 2),
            coarse,
            D(1000),
        )
        assert [fill[0] for fill in seen(result) if fill[1] == "base_order"][:2] == starts
    small = run(
        config | {"base_order": "5", "safety_order": "100"},
        tape("100 100 100 100"),
        Market(D(1), D(1), D(5), D(0), D(0)),
        D(1000),
    )
    assert small.fills == []
    assert small.notes == [(0, "base_order: under the minimum")]


def test_cooldown_and_max_deals() -> None:
    up_and_back = ["100 102 100 100"] * 6
    starts = [fill[0] for fill in seen(run(DEAL, tape(*up_and_back), FREE, D(1000))) if fill[1] == "base_order"]
    assert starts == [0, 1, 2, 3, 4, 5]
    config = DEAL | {"cooldown": "61", "max_deals": "2"}
    starts = [fill[0] for fill in seen(run(config, tape(*up_and_back), FREE, D(1000))) if fill[1] == "base_order"]
    assert starts == [0, 2]


def test_the_defaults_of_a_deal() -> None:
    """1000 / 13.756... = 72.69; with quote fees of 0.2 % it is 72.55."""
    assert rules.plan_of({}, D(1000), FREE).base_order == D("72.69")
    quote = Market(D("0.01"), D("0.0001"), D(5), D("0.001"), D("0.002"), "quote")
    assert rules.plan_of({}, D(1000), quote).base_order == D("72.55")
    with pytest.raises(ValueError, match="three ticks"):
        run({}, tape("1"), FREE, D(1000))


# ---------------------------------------------------------------- accumulate by hand

SAVE = {"mode": "accumulate", "amount": "10"}


def test_drops_within_a_candle_and_in_a_jump() -> None:
    """95, 90.25, 85.73 on the way down; the jump to 70 passes 81.44 and buys once, at 70."""
    result = run(SAVE | {"drop": "0.05"}, tape("100 100 85 85", "70"), FREE, D(1000))
    assert [(fill[0], fill[2]) for fill in seen(result)] == [(0, "95.00"), (0, "90.25"), (0, "85.73"), (1, "70")]


def test_the_high_goes_up_and_a_buy_brings_it_down() -> None:
    config = SAVE | {"drop": "0.1", "reference": "high"}
    result = run(config, tape("100 120 100 120", "120 120 107 108", "108 110 99 99"), FREE, D(1000))
    assert [(fill[0], fill[2]) for fill in seen(result)] == [(1, "108.00"), (2, "99.00")]  # second: 10 % below 110


def test_anchors_catch_up_and_skip() -> None:
    """Weekly on Wednesday 12:30 with candles of an hour; a gap swallows two Wednesdays."""
    times = [*range(80), *range(24 * 18, 24 * 18 + 80)]
    candles = [candle(MONDAY + hour * HOUR, "100") for hour in times]
    config = SAVE | {"every": "weekly", "weekday": "wednesday", "hour": "12", "minute": "30"}
    bought = [fill[0] for fill in seen(run(config | {"first": "anchor"}, candles, FREE, D(1000)))]
    assert bought == [61, 80]  # Wednesday 13:00, then one for both that were missed
    bought = [fill[0] for fill in seen(run(config | {"catch_up": "skip"}, candles, FREE, D(1000)))]
    assert bought == [0, 61]
    with pytest.raises(ValueError, match="finer"):
        run(SAVE | {"every": "hourly"}, tape("100", "100", every=DAY), FREE, D(1000))


def test_the_calendar() -> None:
    monthly = rules.plan_of(SAVE | {"every": "monthly", "day": "31"}, D(1000), FREE)
    moments = [0]
    for _ in range(4):
        moments.append(rules.next_anchor(monthly, moments[-1]))
    assert [moment // DAY for moment in moments] == [0, 30, 58, 89, 119]  # 31 Jan, 28 Feb, 31 Mar, 30 Apr
    hourly = rules.plan_of(SAVE | {"every": "hourly", "minute": "15"}, D(1000), FREE)
    assert rules.next_anchor(hourly, 15 * MINUTE) == HOUR + 15 * MINUTE


# ---------------------------------------------------------------- the books close


def random_tape(seed: int, length: int) -> list[Candle]:
    dice = random.Random(seed)
    cents = 10_000
    candles: list[Candle] = []
    for index in range(length):
        points = [cents]
        for _ in range(3):
            points.append(max(500, points[-1] + dice.randint(-150, 150)))
        prices = (points[0], max(points), min(points), points[-1])
        opened, high, low, close = (D(price) / 100 for price in prices)
        candles.append((index * MINUTE, opened, high, low, close))
        cents = max(500, points[-1] + (dice.randint(-400, 400) if dice.random() < 0.1 else 0))
    return candles


MIXES: list[dict[str, str]] = [
    {},
    {"preset": "bold", "stop_loss": "0.05", "cooldown": "0"},
    {"trailing": "0.005", "deviation_from": "previous", "max_active": "3"},
    {"mode": "accumulate", "every": "hourly", "drop": "0.02", "reference": "average", "take_profit": "0.03"},
]


@pytest.mark.parametrize("fee_in", ["received", "quote", "BNB:300"])
@pytest.mark.parametrize("config", MIXES, ids=str)
def test_the_ledger_closes(config: dict[str, str], fee_in: str) -> None:
    market = Market(D("0.01"), D("0.0001"), D(5), D("0.001"), D("0.002"), fee_in)
    for seed, (fill, backwards) in enumerate([("touch", False), ("through", True)]):
        candles = random_tape(seed, 1500)
        result = run(config, candles, market, D(1000), fill=fill, backwards=backwards, slippage="0.0005")
        quote, base, third = D(1000), D(0), D(0)
        for one in result.fills:
            sign = 1 if one.side == "buy" else -1
            quote -= sign * one.price * one.quantity + (one.fee if one.fee_asset == "quote" else 0)
            base += sign * one.quantity - (one.fee if one.fee_asset == "base" else 0)
            third += one.fee * 300 if one.fee_asset == "BNB" else 0
        assert (quote, base) == (result.quote, result.base)
        assert result.total_profit == quote + base * candles[-1][4] - third - 1000
        open_result = base * candles[-1][4] - result.pool_cost
        assert result.total_profit == result.realised_profit + open_result
        assert len(result.fills) > 10
        assert all(earlier.index <= later.index for earlier, later in pairwise(result.fills))

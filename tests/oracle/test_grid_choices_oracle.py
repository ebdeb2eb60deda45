"""The oracle of the grid's extra choices itself is checked: the documents' examples, tapes worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from tests.oracle.dca_rules import Market
from tests.oracle.grid_choices_oracle import Result, run
from tests.oracle.grid_choices_rules import Lines, choices_of
from tests.oracle.grid_oracle import Candle, plain

D = Decimal
PAID = Market(D("0.01"), D("0.00001"), D(5), D("0.001"), D("0.001"))
FREE = Market(D("0.01"), D("0.00001"), D(5), D(0), D(0))
MINUTE = 60_000

FOUR = {"lower": "8000", "upper": "12000", "grids": "4", "spacing": "arithmetic"}
BYBIT = {"lower": "25000", "upper": "30000", "grids": "5", "spacing": "arithmetic"}
GEOMETRIC = {"lower": "20000", "upper": "30000", "grids": "5"}
ENDLESS = {"lower": "80", "upper": "none", "step": "0.05", "reserve": "0"}


def through(*prices: str) -> list[Candle]:
    """Candles that open where the one before closed, straight to each price in turn."""
    points = [D(price) for price in prices]
    return [(i * MINUTE, a, max(a, b), min(a, b), b) for i, (a, b) in enumerate(pairwise(points))]


def jumping(*prices: str) -> list[Candle]:
    """Candles that stand still: all movement is jumps between them."""
    return [(i * MINUTE, D(price), D(price), D(price), D(price)) for i, price in enumerate(prices)]


def play(config: dict[str, str], candles: list[Candle], market: Market = PAID, investment: str = "10000") -> Result:
    return run(config, candles, market, D(investment))


def resting(result: Result, side: str) -> list[Decimal]:
    return [price for kind, price, _ in result.resting if kind == side]


def trades(result: Result) -> list[tuple[str, str, str]]:
    return [(fill.side, plain(fill.price), plain(fill.quantity)) for fill in result.fills]


# ---------------------------------------------------------------- a range that follows the price


@pytest.mark.parametrize(
    ("price", "waits_at"),
    [
        ("30999.99", [25000, 26000, 27000, 28000, 29000]),
        ("31000", [26000, 27000, 28000, 29000, 30000]),
        ("33500", [28000, 29000, 30000, 31000, 32000]),
    ],
)
def test_trailing_up_as_bybit_prints_it(price: str, waits_at: list[int]) -> None:
    for candles in (through("30500", price), jumping("26500", price), jumping(price)):
        result = play(BYBIT | {"trailing_up": "yes"}, candles)
        assert resting(result, "buy") == waits_at
        assert resting(result, "sell") == []


def test_trailing_up_as_binance_prints_it() -> None:
    config = {"lower": "25000", "upper": "45000", "grids": "5", "spacing": "arithmetic", "trailing_up": "yes"}
    assert resting(play(config, through("44000", "49000")), "buy") == [29000, 33000, 37000, 41000, 45000]


def test_geometric_lines_come_from_the_unrounded_step_and_the_stop_follows() -> None:
    config = GEOMETRIC | {"trailing_up": "yes", "stop_loss": "19000"}
    result = play(config, through("29000", "38500"))
    wanted = ["25508.49", "27663.24", "30000", "32534.15", "35282.37"]
    assert resting(result, "buy") == [D(text) for text in wanted]
    assert play(config, through("29000", "33000")).stop_loss == D("20604.96")
    arithmetic = BYBIT | {"trailing_up": "yes", "stop_loss": "24500"}
    assert play(arithmetic, through("29000", "32000")).stop_loss == 26500


def test_trailing_up_ends_at_its_limit_and_where_a_cell_would_not_earn() -> None:
    config = BYBIT | {"trailing_up": "yes", "trailing_up_limit": "32500"}
    assert resting(play(config, through("29000", "40000")), "buy") == [27000, 28000, 29000, 30000, 31000]
    small = {"lower": "119", "upper": "120", "grids": "4", "spacing": "arithmetic", "trailing_up": "yes"}
    top = resting(play(small, through("119.5", "130")), "buy")[-1] + D("0.25")
    assert D("124.5") <= top <= 125


def test_trailing_down_as_the_document_prints_it() -> None:
    config = BYBIT | {"trailing_down": "yes", "reserve": "0.5"}
    result = play(config, through("26500", "22500"))
    assert trades(result)[-2:] == [("buy", "24000", "0.04166"), ("buy", "23000", "0.04347")]
    assert resting(result, "sell") == [24000, 25000, 26000, 27000, 28000, 29000, 30000]
    poor = play(BYBIT | {"trailing_down": "yes"}, through("26500", "22500"))
    assert resting(poor, "sell") == [26000, 27000, 28000, 29000, 30000]


def test_trailing_down_in_a_jump_buys_where_the_jump_ends() -> None:
    config = BYBIT | {"trailing_down": "yes", "reserve": "0.5"}
    result = play(config, jumping("26500", "22900"))
    assert trades(result)[-2:] == [("buy", "22900", "0.04166"), ("buy", "22900", "0.04347")]
    assert [fill.role for fill in result.fills[-2:]] == ["taker", "taker"]
    within = run(config, jumping("26500", "22900"), PAID, D(10000), moves_in_jumps=True)
    assert trades(within)[-2:] == [("buy", "24000", "0.04166"), ("buy", "23000", "0.04347")]


def test_trailing_down_stays_above_its_limit_and_the_stop() -> None:
    config = BYBIT | {"trailing_down": "yes", "reserve": "0.5"}
    limited = play(config | {"trailing_down_limit": "23500"}, through("26500", "22500"))
    stopped = play(config | {"stop_loss": "23000"}, through("26500", "23000.01"))
    assert resting(limited, "sell")[0] == resting(stopped, "sell")[0] == 25000


def test_trailing_down_waits_for_its_line_if_crossed_orders_wait() -> None:
    config = BYBIT | {"trailing_down": "yes", "reserve": "0.5", "crossed": "wait"}
    low = play(config, through("26500", "23500"))
    assert low.fills[-1].price == 25000
    back = play(config, through("26500", "23500", "24500", "23800"))
    assert (plain(back.fills[-1].price), back.fills[-1].role) == ("24000", "maker")


# ---------------------------------------------------------------- infinity


def test_infinity_as_the_document_prints_it() -> None:
    up = play(ENDLESS, through("100", "113"), FREE, "1000")
    assert trades(up) == [("buy", "100", "8"), ("sell", "107.21", "0.538"), ("sell", "112.57", "0.35531")]
    down = play(ENDLESS, through("100", "80"), FREE, "1000")
    assert [str(fill.price) for fill in down.fills[1:]] == ["97.24", "92.61", "88.20", "84.00", "80.00"]
    assert str(down.fills[1].quantity) == "0.22706"
    assert down.quote.quantize(D("0.01")) == D("25.55")
    assert abs(down.base * 80 - 800) < D("0.01")
    lines = Lines(choices_of(ENDLESS), D("0.01"))
    assert [str(lines.at(i)) for i in range(3, 7)] == ["92.61", "97.24", "102.10", "107.21"]


def test_infinity_has_five_cells_open_and_opens_one_as_one_sells() -> None:
    start = play(ENDLESS, through("100", "101"), FREE, "1000")
    assert len(resting(start, "sell")) == 5
    far = play(ENDLESS, through("100", "300"), FREE, "1000")
    assert len(resting(far, "sell")) == 5
    for fill in far.fills[1:]:
        sold = sum(one.quantity for one in far.fills if one.side == "sell" and one.price <= fill.price)
        assert 0 <= (8 - sold) * fill.price - 800 < D("0.01") * 800


def test_infinity_keeps_the_same_worth_at_every_line_but_the_first_free_one() -> None:
    result = play(ENDLESS, through("100", "108", "97"), FREE, "1000")
    assert abs(result.base * D("97.24") - 800) < D("0.01")
    with pytest.raises(ValueError, match="above lower"):
        play(ENDLESS, through("80", "81"), FREE, "1000")


def test_infinity_buys_a_whole_number_of_lots_where_its_sum_is_one() -> None:
    config = {"lower": "91", "upper": "none", "step": "0.1", "reserve": "0.5"}
    result = play(config, through("100", "90"), FREE, "25000")  # V is 11,375: 113.75 at 100, 125 at 91
    assert trades(result) == [("buy", "100", "113.75"), ("buy", "91", "11.25")]


# ---------------------------------------------------------------- reverse


def test_reverse_as_the_document_prints_it() -> None:
    once = play(FOUR | {"reverse": "yes"}, through("10500", "12000", "10900"))
    assert trades(once)[1:] == [("sell", "12000", "0.26106"), ("buy", "11000", "0.2845")]
    assert once.grid_profit == D("254.79778")
    assert (once.gain, once.round_trips) == (D("0.0231555"), 1)
    ten = play(FOUR | {"reverse": "yes"}, through("10500", *["12000", "10900"] * 10))
    assert (ten.gain, ten.round_trips) == (D("0.231555"), 10)
    assert play(FOUR | {"reverse": "yes"}, through("10500", "12000")).round_trips == 0


def test_a_reverse_cell_below_the_price_buys_first() -> None:
    result = play(FOUR | {"reverse": "yes"}, through("10500", "10000", "11000", "10000"))
    wanted = [("buy", "10000", "0.26133"), ("sell", "11000", "0.26106"), ("buy", "10000", "0.28687")]
    assert trades(result)[1:] == wanted


# ---------------------------------------------------------------- reinvest


def test_profit_put_back_as_the_document_prints_it() -> None:
    result = play(FOUR | {"reinvest": "yes"}, through("10500", "12000", "10900"))
    assert trades(result)[1:] == [("sell", "12000", "0.26106"), ("buy", "11000", "0.29639")]
    assert result.grid_profit == D("385.71340613")


def test_profit_that_is_not_free_is_not_put_back() -> None:
    config = FOUR | {"reinvest": "yes", "start": "own", "own_base": "1", "reserve": "0"}
    result = play(config, through("10500", "12000", "10900"))
    assert result.fills[-1].quantity > D("0.37")
    assert result.quote >= 0


def test_a_trailed_cell_takes_over_what_was_put_in() -> None:
    config = BYBIT | {"reinvest": "yes", "trailing_up": "yes"}
    result = play(config, through("25500", "25000", "26500", "31500"))
    sizes = {price: size for _, price, size in result.resting}
    assert sizes[D(30000)] > D("0.0675")  # 0.06533 without


# ---------------------------------------------------------------- stops


def test_totals_as_the_document_prints_them() -> None:
    profit = play(FOUR | {"total_profit_stop": "0.02"}, through("10500", "11500"))
    assert (profit.fills[-1].price, profit.fills[-1].kind) == (D("11276.60"), "total_profit")
    loss = play(FOUR | {"total_loss_stop": "0.05"}, through("10500", "9100"))
    assert trades(loss)[-1] == ("sell", "9302.65", "0.52213")
    assert loss.fills[-1].kind == "total_loss"
    jumped = play(FOUR | {"total_loss_stop": "0.05"}, jumping("10500", "9100"))
    assert jumped.fills[-1].price == 9100
    kept = play(FOUR | {"total_loss_stop": "0.05", "on_exit": "hold"}, through("10500", "9100"))
    assert kept.finished
    assert kept.fills[-1].side == "buy"


def test_a_stop_with_a_delay_waits_for_the_candle_that_opens_then() -> None:
    config = FOUR | {"stop_loss": "7500", "stop_for": "120"}
    result = play(config, through("10500", "7400", "7300", "7350", "7450", "7200"))
    assert (result.fills[-1].index, plain(result.fills[-1].price), result.fills[-1].kind) == (2, "7300", "stop_loss")
    wick = play(config, through("10500", "7400", "7600", "7400", "7300"))
    assert not wick.finished
    assert play(config | {"stop_for": "0"}, through("10500", "7400")).fills[-1].price == 7500


def test_the_books_close_whatever_the_choices() -> None:
    candles = through("26500", "22500", "31000", "24000", "33500", "27500", "29400")
    for extra in ({"trailing_up": "yes", "trailing_down": "yes", "reserve": "0.4"}, {"reverse": "yes"}):
        for reinvest in ({}, {"reinvest": "yes"}) if "reverse" not in extra else ({},):
            result = play(BYBIT | extra | reinvest, candles)
            bought = sum(f.quantity - f.fee for f in result.fills if f.side == "buy")
            sold = sum(f.quantity for f in result.fills if f.side == "sell")
            assert result.base == bought - sold
            assert result.grid_profit == sum(trip.profit for trip in result.trips)
            assert result.round_trips == len(result.trips) > 3


@pytest.mark.parametrize(
    "config",
    [
        FOUR | {"trailing_up": "yes", "sizing": "equal_base"},
        FOUR | {"reverse": "yes", "reinvest": "yes"},
        FOUR | {"reverse": "yes", "trailing_up": "yes"},
        ENDLESS | {"reinvest": "yes"},
        ENDLESS | {"start": "wait"},
        FOUR | {"upper": "none"},
        FOUR | {"stop_for": "60"},
        FOUR | {"trailing_up_limit": "13000"},
        FOUR | {"trailing_down": "yes", "trailing_down_limit": "9000"},
        FOUR | {"total_loss_stop": "1"},
        FOUR | {"trailling_up": "yes"},
    ],
)
def test_what_does_not_go_together_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        play(config, through("10500", "11000"))

"""Every limit of the grid is refused with a sentence that says what would work; and what it says works."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.event import Rejected
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.money import text
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.sizing import least_investment
from tests.builders import FOUR_CELLS, D, market, play, tape_through

PLAIN = market()


def refusal(changes: Mapping[str, str], on: Market = PLAIN) -> UnableToConfigure:
    with pytest.raises(UnableToConfigure) as caught:
        build("grid", {**FOUR_CELLS, **changes}, on, D(10_000))
    assert caught.value.key
    assert str(caught.value)[-1] not in ".!"
    return caught.value


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"lower": "12000", "upper": "8000"}, "lower", "lower must be below upper: swap them?"),
    ({"lower": "8000", "upper": "8000"}, "upper", "upper must be above lower"),
    ({"lower": "0"}, "lower", "must be above 0"),
    ({"lower": "-8000"}, "lower", "must be above 0"),
    ({"lower": "1", "upper": "1000001"}, "upper", "at most a million times lower"),
    ({"lower": "abc"}, "lower", "'abc' is not a number; write it like 0.001 or 98000"),
    ({"lower": ""}, "lower", "not a number"),
    ({"lower": "NaN"}, "lower", "not a finite number"),
    ({"upper": "Infinity"}, "upper", "not a finite number"),
    ({"upper": "1e30"}, "upper", "the largest figure is below 10^18"),
    ({"upper": "1" + "0" * 30}, "upper", "the largest figure is below 10^18"),
    ({"grids": "1"}, "grids", "grids is 1; the least is 2"),
    ({"grids": "0"}, "grids", "the least is 2"),
    ({"grids": "-4"}, "grids", "the least is 2"),
    ({"grids": "1001"}, "grids", "grids is 1001; the most is 1000"),
    ({"grids": "4.5"}, "grids", "must be a whole number"),
    ({"grids": "many"}, "grids", "not a number"),
    ({"spacing": "geometrc"}, "spacing", "did you mean geometric?"),
    ({"spacing": "log"}, "spacing", "one of geometric, arithmetic"),
    ({"sizing": "equal"}, "sizing", "one of equal_base, equal_quote"),
    ({"start": "markt"}, "start", "did you mean market?"),
    ({"on_exit": "keep"}, "on_exit", "one of sell, hold"),
    ({"crossed": "never"}, "crossed", "one of send, wait"),
    ({"reserve": "-0.01"}, "reserve", "the least is 0"),
    ({"reserve": "0.51"}, "reserve", "the most is 0.5"),
    ({"reserve": "nan"}, "reserve", "not a finite number"),
    ({"stop_loss": "8000"}, "stop_loss", "must be below lower, 8000"),
    ({"stop_loss": "9000"}, "stop_loss", "must be below lower, 8000"),
    ({"stop_loss": "-1"}, "stop_loss", "must be above 0"),
    ({"take_profit": "12000"}, "take_profit", "must be above upper, 12000"),
    ({"take_profit": "9000"}, "take_profit", "must be above upper, 12000"),
    ({"trigger_price": "0"}, "trigger_price", "must be above 0"),
    ({"trigger_price": "7000", "stop_loss": "7500"}, "stop_loss", "must be below trigger_price, 7000"),
    ({"trigger_price": "7000", "stop_loss": "7000"}, "stop_loss", "must be below trigger_price, 7000"),
    ({"trigger_price": "13000", "take_profit": "12500"}, "take_profit", "must be above trigger_price, 13000"),
    ({"start": "own"}, "own_base", "needs own_base"),
    ({"start": "own", "own_base": "0"}, "own_base", "must be above 0"),
    ({"own_base": "1"}, "own_base", "goes with start=own; start is market"),
    ({"lowwer": "1"}, "lowwer", "unknown key 'lowwer'; did you mean lower?"),
    ({"stoploss": "1"}, "stoploss", "did you mean stop_loss?"),
    ({"zzz": "1"}, "zzz", "known are lower, upper"),
]


@pytest.mark.parametrize(("changes", "key", "says"), REFUSED, ids=[f"{c}"[1:-1] for c, _, _ in REFUSED])
def test_a_limit_is_refused_with_what_would_work(changes: dict[str, str], key: str, says: str) -> None:
    found = refusal(changes)
    assert found.key == key
    assert says in str(found)


@pytest.mark.parametrize("key", ["lower", "upper", "grids"])
def test_a_key_that_must_be_given_is_asked_for(key: str) -> None:
    config = {name: value for name, value in FOUR_CELLS.items() if name != key}
    with pytest.raises(UnableToConfigure, match=f"{key} is missing; give it with --set {key}="):
        build("grid", config, PLAIN, D(10_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"grids": "2"},
        {"grids": "1000", "lower": "100", "upper": "90000", "spacing": "geometric"},
        {"lower": "1", "upper": "1000000", "grids": "20", "spacing": "geometric"},
        {"reserve": "0"},
        {"reserve": "0.5"},
        {"stop_loss": "7999.99"},
        {"take_profit": "12000.01"},
        {"stop_loss": "none", "take_profit": ""},
        {"start": "own", "own_base": "0.5"},
        {"trigger_price": "7000", "stop_loss": "6999.99"},
    ],
)
def test_the_limits_themselves_are_allowed(changes: dict[str, str]) -> None:
    assert build("grid", {**FOUR_CELLS, **changes}, PLAIN, D(10_000)).name == "grid"


def test_an_unknown_strategy_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnableToConfigure, match="unknown strategy 'gird'; did you mean grid"):
        build("gird", FOUR_CELLS, PLAIN, D(10_000))


@pytest.mark.parametrize("spacing", ["arithmetic", "geometric"])
@pytest.mark.parametrize(("lower", "upper", "tick"), [("100", "110", "1"), ("8000", "8100", "5"), ("1", "2", "0.01")])
def test_lines_that_fall_together_are_refused_with_the_largest_number_that_works(
    spacing: str, lower: str, upper: str, tick: str
) -> None:
    on = market(tick=D(tick), maker_fee=D(0), taker_fee=D(0))
    config = {"lower": lower, "upper": upper, "grids": "900", "spacing": spacing}
    found = refusal(config, on)
    assert found.rule == "lines fall together"
    most = int(str(found).split("at most ")[1].split(" ")[0])
    assert Grid({**config, "grids": str(most)}, on, D(10_000)).lines
    with pytest.raises(UnableToConfigure, match=f"at most {most} fit"):
        Grid({**config, "grids": str(most + 1)}, on, D(10_000))


def test_a_range_of_less_than_three_ticks_is_refused_with_the_advice_to_widen_it() -> None:
    assert "widen the range" in str(refusal({"lower": "100", "upper": "101"}, market(tick=D(1))))


def test_steps_below_the_fees_are_refused_with_the_step_that_breaks_even() -> None:
    found = refusal({"lower": "50000", "upper": "50100", "grids": "20"})
    assert found.rule == "net profit per grid is not above zero"
    assert "steps must be above 0.2004 %" in str(found)
    assert "take fewer grids or a wider range" in str(found)


def test_a_step_at_the_break_even_is_refused_and_a_little_more_is_not() -> None:
    tenth = market(maker_fee=D("0.01"), taker_fee=D("0.01"), tick=D("0.0001"))
    refusal({"lower": "9801", "upper": "9999", "grids": "2"}, tenth)
    assert build("grid", {"lower": "9801", "upper": "10400", "grids": "2"}, tenth, D(10_000)).name == "grid"


SIZED = st.fixed_dictionaries(
    {
        "grids": st.integers(2, 50).map(str),
        "spacing": st.sampled_from(["arithmetic", "geometric"]),
        "sizing": st.sampled_from(["equal_base", "equal_quote"]),
        "start": st.sampled_from(["market", "wait"]),
        "reserve": st.sampled_from(["0", "0.02", "0.5"]),
    }
)
MARKETS = st.builds(
    market,
    lot=st.sampled_from([D("0.00000001"), D("0.00001"), D("0.003")]),
    min_notional=st.sampled_from([D(1), D(5), D(10)]),
    maker_fee=st.sampled_from([D(0), D("0.001"), D("0.004")]),
    taker_fee=st.sampled_from([D(0), D("0.001"), D("0.01")]),
    fee_in=st.sampled_from(["received", "quote", ThirdAsset("BNB", D(600))]),
)
CENT = D("0.01")


def start_at(config: Mapping[str, str], on: Market, investment: Decimal, price: str) -> str:
    """Why the grid did not start at `price`; empty where it did, and then no order was refused."""
    played = play(config, tape_through(price, price), on, investment=investment)
    if played.memory.why:
        return played.memory.why
    assert not [row for row in played.rows if isinstance(row.event, Rejected) or row.refused]
    standing = sum(cell.phase in ("empty", "full") for cell in played.memory.cells.values())
    assert len(played.last.standing) == standing
    return ""


@given(SIZED, MARKETS, st.sampled_from(["7000", "8000", "9500", "10000.01", "16000", "17000"]))
def test_the_least_investment_that_is_named_works_and_one_cent_less_does_not(
    changes: dict[str, str], on: Market, price: str
) -> None:
    config = {"lower": "8000", "upper": "16000", **changes}
    grid = Grid(config, on, D(10_000))
    _, least = least_investment(grid.settings, grid.lines, on, D(price))
    assert start_at(config, on, least, price) == ""
    if least > CENT:
        why = start_at(config, on, least - CENT, price)
        assert f"at least {text(least)} USDT are needed" in why
        assert f"an investment of {text(least - CENT)} USDT" in why


def test_too_few_coins_of_ones_own_are_refused_with_what_is_needed() -> None:
    config = {**FOUR_CELLS, "start": "own", "own_base": "0.001", "reserve": "0"}
    why = play(config, tape_through("10500", "10500")).memory.why
    assert "own_base is 0.001; 1 cells above the price need at least" in why
    needed = why.rsplit("at least ", 1)[1].split(" ")[0]
    enough = play({**config, "own_base": needed}, tape_through("10500", "10500"))
    assert enough.memory.why == ""
    assert [o.side for o in enough.last.standing.values()].count("sell") == 1
    less = text(D(needed) - D("0.00001"))
    assert "need at least" in play({**config, "own_base": less}, tape_through("10500", "10500")).memory.why


def test_coins_of_ones_own_above_the_range_wait_beside_the_grid() -> None:
    config = {**FOUR_CELLS, "start": "own", "own_base": "0.5"}
    played = play(config, tape_through("13000", "13000"))
    assert {order.side for order in played.last.standing.values()} == {"buy"}
    assert played.ledger.base == D("0.5")


@pytest.mark.parametrize(("key", "value"), [("stop_loss", "7900"), ("take_profit", "12100")])
def test_a_stop_on_the_wrong_side_of_the_price_at_start_is_refused(key: str, value: str) -> None:
    price = "7800" if key == "stop_loss" else "12200"
    why = play({**FOUR_CELLS, key: value}, tape_through(price, price)).memory.why
    assert why.startswith(f"not started: {key} is {value}")
    assert f"the price at start, {price}" in why


@pytest.mark.parametrize("sizing", ["equal_base", "equal_quote"])
def test_coins_below_the_range_must_also_pay_for_buys_that_can_be_sold_again(sizing: str) -> None:
    on = market(lot=D("0.1"), maker_fee=D(0), taker_fee=D("0.002"))
    config = {"lower": "115", "upper": "210", "grids": "25", "sizing": sizing, "start": "own", "own_base": "2.6"}
    why = play(config, tape_through("111", "111"), on).memory.why
    needed = why.rsplit("at least ", 1)[1].split(" ")[0]
    enough = play({**config, "own_base": needed}, tape_through("111", "230", "100", "230"), on)
    assert enough.memory.round_trips == 50
    assert not [row for row in enough.rows if row.refused or isinstance(row.event, Rejected)]

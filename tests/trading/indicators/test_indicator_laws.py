"""What holds for every indicator on any candles: no value before its time, never NaN, states that JSON can keep."""

import json
import math
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.trading.candle import Candle
from tests.trading.indicators.cases import CASES, Case, Periods, named, said, states
from tests.trading.indicators.made_candles import candles, frozen, periods

WAITING = frozenset({"adx", "vwap"})
"""Where nothing moves, or nothing is traded, these have no value yet."""

every_indicator = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def leaves(state: object) -> list[object]:
    return [leaf for part in state for leaf in leaves(part)] if isinstance(state, tuple) else [state]


def rebuilt(kind: Any, kept: Any) -> Any:
    """A value of `kind` from what JSON made of it; the types must be the declared ones."""
    if hasattr(kind, "_fields"):
        hints = get_type_hints(kind).values()
        return kind(*(rebuilt(hint, part) for hint, part in zip(hints, kept, strict=True)))
    if get_args(kind):
        return tuple(rebuilt(get_args(kind)[0], part) for part in kept)
    assert type(kept) is kind
    return kept


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in WAITING], ids=lambda case: case.name)
@given(st.one_of(candles(), frozen), periods)
def test_an_indicator_is_ready_with_its_first_full_window_and_not_before(
    case: Case, made: list[Candle], given: Periods
) -> None:
    ready = [case.ready(state) for state in states(case, made, given)]
    first = case.first(given)
    assert not any(ready[: first - 1])
    assert all(ready[first - 1 :])


@every_indicator
@given(st.one_of(candles(), frozen), periods)
def test_values_are_finite_and_none_until_the_indicator_is_ready(
    case: Case, made: list[Candle], given: Periods
) -> None:
    for state in states(case, made, given):
        values = case.say(state)
        assert all(value is None or math.isfinite(value) for value in values)
        main = values[0] if case.name in {"ut_bot", "ut_bot_of_heikin_ashi", "supertrend"} else values[-1]
        assert (main is not None) == case.ready(state)


@every_indicator
@given(st.one_of(candles(), frozen), periods)
def test_a_state_holds_only_what_json_keeps_and_comes_back_equal(
    case: Case, made: list[Candle], given: Periods
) -> None:
    for state in states(case, made, given):
        assert all(type(leaf) in {int, bool, float} for leaf in leaves(state))
        text = json.dumps(state, allow_nan=False)
        assert rebuilt(type(state), json.loads(text)) == state
        assert json.dumps(rebuilt(type(state), json.loads(text))) == text


@every_indicator
@given(candles(most=60), periods, st.data())
def test_a_run_that_was_kept_and_taken_up_again_says_the_same(
    case: Case, made: list[Candle], given: Periods, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(made)))
    state = states(case, made[:cut], given)[-1]
    state = rebuilt(type(state), json.loads(json.dumps(state)))
    resumed = [case.say(state := case.update(state, candle)) for candle in made[cut:]]
    assert resumed == said(case, made, given)[cut:]


@every_indicator
def test_a_state_does_not_grow_with_the_candles(case: Case) -> None:
    walk = [Candle(at * 60_000, 10.0, 11.0, 9.0, 10.0 + at % 2, 1.0) for at in range(400)]
    sizes = [len(leaves(state)) for state in states(case, walk, (5, 7, 3))]
    assert sizes[-1] == sizes[40] <= 30


@pytest.mark.parametrize("name", ["rsi", "stochastic_rsi", "adx"])
@given(candles(), periods)
def test_percentages_stay_between_0_and_100(name: str, made: list[Candle], given: Periods) -> None:
    for values in said(named(name), made, given):
        assert all(value is None or -1e-9 <= value <= 100.0 + 1e-9 for value in values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rsi", (50.0,)),
        ("stochastic_rsi", (50.0, 50.0)),
        ("atr", (0.0,)),
        ("ewo", (0.0,)),
        ("ema_ewo", (0.0,)),
        ("adx", (None, None, None)),
        ("ut_bot", (212.61, 0, False, False)),
        ("vwap", (None,)),
    ],
)
def test_a_market_that_stands_still_gives_none_or_the_middle(name: str, values: tuple[float | None, ...]) -> None:
    still = [Candle(at * 60_000, 212.61, 212.61, 212.61, 212.61, 0.0) for at in range(60)]
    assert said(named(name), still, (5, 7, 3))[-1] == values

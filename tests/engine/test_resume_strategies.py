"""As `test_resume`, for the other strategies and the newer choices of a grid: killed at every point, each goes on as if
it had never been.

Candles, schedules, cooldowns, alerts, deposits and actions lie in the middle of each tape. Fills come whole: what had
filled within a candle under `participation` is not known after a kill.
"""

import random
from dataclasses import replace

import pytest

from autogrid.trading.event import (
    ActionAsked,
    EditAsked,
    FundsAsked,
    PauseAsked,
    ResumeAsked,
    SignalCame,
    StopAsked,
    UserEvent,
)
from autogrid.trading.market import ThirdAsset
from autogrid.trading.matching import MatchingRules
from tests.builders import D, market
from tests.engine.frail import Disk, Fate, Recorder, Setting, first_disk, live, minute
from tests.engine.test_resume import must_survive, must_survive_every_kill

CALM = 30_000
DEAL = {
    "base_order": "500",
    "safety_order": "400",
    "deviation": "0.01",
    "safety_orders": "3",
    "take_profit": "0.012",
    "cooldown": "20",
}
GATHER = {"mode": "accumulate", "amount": "300", "every": "hourly"}
CROSS = {"timeframe": "1m", "fast": "2", "slow": "4", "stop": "0.02", "target": "0.02", "max_position": "0.8"}
RSI = {"timeframe": "1m", "period": "3", "oversold": "45", "overbought": "55", "stop": "0.02", "target": "0.03"}
PPP = {
    "timeframe": "1m",
    "ema": "3",
    "ut_atr": "2",
    "ewo_fast": "2",
    "ewo_slow": "4",
    "oversold": "50",
    "signal_window": "10",
    "stoch_lookback": "30",
    "confirm_timeframes": "none",
    "stop_atr": "0.5",
    "reward_risk": "1",
    "max_entries": "3",
}
TRAILS = {"sizing": "equal_quote", "trailing_up": "yes", "trailing_down": "yes", "reserve": "0.3"}


def signals(*told: tuple[float, str, str, str | None]) -> tuple[SignalCame, ...]:
    """When (in minutes), which, what and how much."""
    return tuple(
        SignalCame(
            minute(0) + int(at * 60_000), name, "enter" if action == "enter" else "leave", D(size) if size else None
        )
        for at, name, action, size in told
    )


SETTINGS = {
    "deal": Setting(DEAL, strategy="dca", span=CALM, seed=100),
    "deal, as a backtest": Setting(DEAL, strategy="dca", span=CALM, paper=False, length=6),
    "deal, trailing": Setting({**DEAL, "trailing": "0.004"}, strategy="dca", span=CALM, length=5, seed=50),
    "deal, trailing, as a backtest": Setting(
        {**DEAL, "trailing": "0.004"}, strategy="dca", span=CALM, paper=False, length=8, seed=34
    ),
    "deal, stop-loss": Setting({**DEAL, "stop_loss": "0.015", "cooldown": "0"}, strategy="dca", span=CALM),
    "deal, several targets": Setting(
        {**DEAL, "take_profit": "left out", "targets": "0.005:0.4,0.01:0.3,0.02:0.3", "break_even": "yes"},
        strategy="dca",
        span=CALM,
        length=5,
        seed=29,
    ),
    "deal, timeout, reinvest": Setting(
        {**DEAL, "deal_timeout": "70", "reinvest": "yes", "take_profit_from": "base_order"}, strategy="dca", span=CALM
    ),
    "deal at a price": Setting(
        {**DEAL, "start_when": "price", "start_price": "9950"}, strategy="dca", span=CALM, length=6, seed=34
    ),
    "deal on an RSI": Setting(
        {**DEAL, "start_when": "rsi", "timeframe": "1m", "rsi_period": "2", "rsi_below": "55"},
        strategy="dca",
        span=CALM,
        length=8,
        seed=80,
    ),
    "deal on signals": Setting(
        {**DEAL, "start_when": "signal"},
        strategy="dca",
        span=CALM,
        asks=signals((0.2, "a", "enter", None), (0.2, "a", "enter", None), (1.5, "b", "leave", None))
        + signals((2.4, "c", "enter", None)),
    ),
    "deal, slippage, fee in a third asset": Setting(
        DEAL,
        strategy="dca",
        span=CALM,
        rules=MatchingRules(fill="through", slippage=D("0.002")),
        on=market(fee_in=ThirdAsset("BNB", D(600))),
    ),
    "deal, funds and actions": Setting(
        DEAL,
        strategy="dca",
        span=CALM,
        length=5,
        asks=(
            ActionAsked(minute(0) + 30_000, "add", D(200)),
            FundsAsked(minute(1), D(500)),
            EditAsked(minute(1) + 15_000, {"take_profit": "0.03", "safety_orders": "4"}),
            ActionAsked(minute(2), "close", None),
            PauseAsked(minute(2) + 10_000, cancel=False),
            ResumeAsked(minute(3) + 10_000),
            FundsAsked(minute(3) + 30_000, D(-700)),
            ActionAsked(minute(4), "finish", None),
        ),
    ),
    "gathers": Setting(
        {**GATHER, "minute": "2"}, strategy="dca", span=CALM, length=12, interval_ms=20 * 60_000, pull=20
    ),
    "gathers on drops": Setting(
        {"mode": "accumulate", "drop": "0.01", "drop_amount": "250", "reference": "high", "take_profit": "0.02"},
        strategy="dca",
        span=CALM,
        length=6,
    ),
    "gathers, trailing, both": Setting(
        {**GATHER, "minute": "10", "drop": "0.01", "take_profit": "0.01", "trailing": "0.004", "catch_up": "skip"},
        strategy="dca",
        span=CALM,
        length=10,
        interval_ms=20 * 60_000,
    ),
    "gathers, funds and actions": Setting(
        {**GATHER, "minute": "30", "first": "anchor", "budget": "900"},
        strategy="dca",
        span=CALM,
        length=9,
        interval_ms=30 * 60_000,
        asks=(
            FundsAsked(minute(40), D(500)),
            ActionAsked(minute(70), "add", D(111)),
            EditAsked(minute(100), {"budget": "2000", "minute": "45"}),
            StopAsked(minute(200), sell=True),
        ),
    ),
    "ppp": Setting(PPP, strategy="ppp_vishva", span=20_000, history=45, length=20, seed=107),
    "ppp, as a backtest": Setting(PPP, strategy="ppp_vishva", span=20_000, history=45, length=20, paper=False, seed=28),
    "sma cross": Setting(CROSS, strategy="sma_cross", span=CALM, history=5, length=12, seed=113),
    "sma cross, as a backtest": Setting(
        CROSS, strategy="sma_cross", span=CALM, history=5, length=14, paper=False, seed=107
    ),
    "sma cross, coarser candles": Setting(
        {**CROSS, "timeframe": "3m"}, strategy="sma_cross", span=CALM, length=24, seed=88
    ),
    "rsi": Setting(RSI, strategy="rsi", span=CALM, history=6, length=12, seed=92),
    "rsi, edited and stopped": Setting(
        RSI,
        strategy="rsi",
        span=CALM,
        history=6,
        length=12,
        asks=(
            FundsAsked(minute(4), D(-2_000)),
            EditAsked(minute(5) + 30_000, {"target": "0.01"}),
            StopAsked(minute(11), sell=True),
        ),
    ),
    "signal": Setting(
        {"size": "0.3", "max_entries": "2", "stop_loss": "0.02", "take_profit": "0.03"},
        strategy="signal",
        span=CALM,
        asks=signals((0.1, "1", "enter", None), (0.5, "2", "enter", "0.5"), (0.5, "2", "enter", "0.5"))
        + signals((1.2, "3", "leave", None), (1.9, "4", "enter", "1"), (2.9, "5", "leave", None)),
    ),
    "trails": Setting(TRAILS, span=140_000, pull=20),
    "trails up, put back": Setting(
        {**TRAILS, "trailing_down": "no", "reinvest": "yes", "stop_loss": "8500"}, span=140_000, pull=20
    ),
    "trails, crossed lines wait": Setting({**TRAILS, "crossed": "wait"}, span=140_000, pull=20),
    "infinity": Setting(
        {"upper": "none", "step": "0.02", "grids": "left out", "spacing": "left out"}, length=5, span=60_000
    ),
    "reverse": Setting({"reverse": "yes"}),
    "reinvest": Setting({"reinvest": "yes"}),
    "stops on totals": Setting({"total_loss_stop": "0.01", "stop_loss": "8800", "stop_for": "40"}, seed=8),
    "funds put in and taken out": Setting(
        {"reinvest": "yes"},
        asks=(
            FundsAsked(minute(0) + 30_000, D(3_000)),
            FundsAsked(minute(1) + 30_000, D(-900)),
            FundsAsked(minute(2) + 30_000, D(-90_000)),
            FundsAsked(minute(3), D(250)),
        ),
    ),
    "trails with funds": Setting(
        TRAILS,
        span=140_000,
        pull=20,
        asks=(
            FundsAsked(minute(1), D(3_000)),
            EditAsked(minute(2), {"trailing_up": "no"}),
            FundsAsked(minute(3), D(-500)),
        ),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_strategy_that_is_killed_anywhere_goes_on_as_if_it_had_never_been(name: str) -> None:
    setting = SETTINGS[name]
    whole = must_survive_every_kill(setting, setting.tape(setting.length), name)
    assert whole.fills > 3, "the tape is too tame to show anything"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_strategy_that_is_killed_again_and_again_goes_on_as_if_it_had_never_been(name: str) -> None:
    setting = SETTINGS[name]
    chance = random.Random(setting.seed)
    lives = must_survive(setting, setting.tape(2 * setting.length), lambda: chance.randint(2, 9), name)
    assert lives > 4


NOT_YET = {"deal, funds and actions": "a cancel and a trade on their way at once may be told the other way round"}


@pytest.mark.reliability
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason=NOT_YET[name], strict=False) if name in NOT_YET else ())
        for name in SETTINGS
    ],
)
def test_a_strategy_that_is_killed_at_random_goes_on_as_if_it_had_never_been(name: str, seed: int) -> None:
    chance, setting = random.Random(seed), replace(SETTINGS[name], seed=seed)
    must_survive(setting, setting.tape(10 * setting.length), lambda: chance.randint(2, 60), f"{name}, seed {seed}")


@pytest.mark.xfail(
    strict=True,
    reason="what was on its way is ordered by order numbers, which do not tell whether a cancel was asked before or "
    "after an order with a higher number came: after 4 of 82 kills the story goes on in another order, to the same end",
)
def test_a_cancel_and_a_trade_on_their_way_at_once_are_told_in_the_order_they_had() -> None:
    setting = replace(SETTINGS["deal, funds and actions"], seed=22)
    must_survive_every_kill(setting, setting.tape(setting.length), "a cancel and a trade")


@pytest.mark.parametrize("name", ["signal", "deal on signals", "deal, funds and actions"])
def test_what_is_asked_through_the_inbox_is_carried_out_once_and_in_order_whatever_is_killed(name: str) -> None:
    """When it is carried out may differ: after a start it waits for the first price."""
    setting = replace(SETTINGS[name], inbox=True)
    tape, whole = setting.tape(setting.length), first_disk(setting)
    recorder = Recorder(whole)
    live(setting, tape, whole, recorder, 0)
    assert asked(whole) == [ask._replace(at_ms=0) for ask in setting.asks]
    for disk in recorder.left:
        live(setting, tape, disk, Fate(), 1)
        assert asked(disk) == asked(whole)


def asked(disk: Disk) -> list[UserEvent]:
    """What users asked in the story, without the time."""
    return [step.event._replace(at_ms=0) for step in disk.steps if isinstance(step.event, UserEvent)]

"""Bots with stops at the exchange, killed at every point: each goes on as if it had never been."""

import random
from dataclasses import replace

import pytest

from autogrid.trading.matching import MatchingRules
from tests.builders import D, market
from tests.engine.frail import Setting
from tests.engine.test_resume import must_survive, must_survive_every_kill
from tests.engine.test_resume_strategies import CALM, CROSS, DEAL, PPP, SETTINGS

OCO, STOP = market(stops="oco"), market(stops="stop")
STOPPED = {**DEAL, "stop_loss": "0.015", "cooldown": "0"}

GUARDED = {
    "deal, oco": Setting(STOPPED, strategy="dca", span=CALM, on=OCO),
    "deal, stop": Setting(STOPPED, strategy="dca", span=CALM, on=STOP, length=5),
    "deal, oco, as a backtest": Setting(STOPPED, strategy="dca", span=CALM, on=OCO, paper=False, length=6),
    "deal, tight limit, slippage": Setting(
        {**STOPPED, "max_slippage": "0"},
        strategy="dca",
        span=CALM,
        on=OCO,
        length=6,
        rules=MatchingRules(fill="through", slippage=D("0.002")),
    ),
    "deal, trailing": Setting({**DEAL, "trailing": "0.004"}, strategy="dca", span=CALM, length=5, seed=50, on=OCO),
    "deal, several targets": replace(SETTINGS["deal, several targets"], on=STOP),
    "signal, oco": replace(SETTINGS["signal"], on=OCO),
    "signal, stop": replace(SETTINGS["signal"], on=STOP),
    "sma cross": Setting(CROSS, strategy="sma_cross", span=CALM, history=5, length=12, seed=113, on=OCO),
    "ppp": Setting(PPP, strategy="ppp_vishva", span=20_000, history=45, length=20, seed=107, on=OCO),
}


@pytest.mark.parametrize("name", GUARDED)
def test_a_bot_that_is_killed_anywhere_goes_on_as_if_it_had_never_been(name: str) -> None:
    setting = GUARDED[name]
    whole = must_survive_every_kill(setting, setting.tape(setting.length), name)
    assert whole.fills > 3, "the tape is too tame to show anything"


@pytest.mark.reliability
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", GUARDED)
def test_a_bot_that_is_killed_at_random_goes_on_as_if_it_had_never_been(name: str, seed: int) -> None:
    chance, setting = random.Random(seed), replace(GUARDED[name], seed=seed)
    must_survive(setting, setting.tape(10 * setting.length), lambda: chance.randint(2, 60), f"{name}, seed {seed}")

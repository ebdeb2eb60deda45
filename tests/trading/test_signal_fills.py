"""Where on the path signals fill: entries at the next open, stops at their line or where a jump ends."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from autogrid.trading.candle import Candle
from autogrid.trading.event import Filled
from autogrid.trading.indicators import rsi
from autogrid.trading.ledger import opened
from autogrid.trading.matching import MatchingRules
from autogrid.trading.order import Order
from autogrid.trading.plan import Place
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.signals.rsi_reversal import RsiMemory, RsiReversal
from autogrid.trading.strategies.signals.sma_cross import CrossMemory, SmaCross
from autogrid.trading.strategies.strategy import View
from tests.builders import MINUTE_MS, PLAIN_MARKET, START_MS
from tests.trading.made_up_signals import MadeUp, made_up, watch

D = Decimal


def fills_of(made: MadeUp) -> list[tuple[Order, str, Filled]]:
    """Each fill with its order and why that was placed."""
    _, kept = watch(made)
    placed = {c.order.id: c for _, step in kept for c in step.commands if isinstance(c, Place)}
    events = [step.event for _, step in kept]
    found = [event for event in events if isinstance(event, Filled)]
    return [(placed[fill.order_id].order, placed[fill.order_id].why, fill) for fill in found]


def plainly(seed: int) -> MadeUp:
    made = made_up(seed)
    return made._replace(walk=made.walk.__class__(MatchingRules()))


def test_entries_fill_at_the_open_after_their_candle_and_stops_where_the_price_was() -> None:
    ins = stops = jumped = 0
    for seed in range(60):
        made = plainly(seed)
        opens = dict(zip(made.tape.times.tolist(), (made.tape.prices[:, 0] * 1).tolist(), strict=True))
        for order, why, fill in fills_of(made):
            at_open = D(opens[fill.at_ms]) * made.tape.unit
            if order.slot.endswith("-in"):
                ins += 1
                assert fill.price == at_open
            elif why.startswith("stop"):
                stops += 1
                assert fill.price <= D(why.rpartition(" ")[2])
                if fill.price < D(why.rpartition(" ")[2]):
                    jumped += 1
                    assert fill.price == at_open
            elif order.slot.endswith("-target"):
                assert fill.price == order.price
                assert fill.maker
    assert ins > 100
    assert stops > 30
    assert jumped > 3


def test_an_open_entry_always_has_its_target_in_the_book() -> None:
    for seed in range(20):
        made = plainly(seed)
        _, kept = watch(made)
        for _, step in kept:
            for entry in step.state.memory.positions.entries:
                if entry.phase == "open":
                    assert f"{entry.number}-target" in step.state.standing


# ---------------------------------------------------------------- SMA cross and RSI, against a plain reckoning


def heard(strategy: SmaCross | RsiReversal, closes: list[float]) -> list[tuple[int, str]]:
    """At which candle it entered or left, where every purchase is filled at once in thought."""
    memory, found = strategy.start(), []
    for number, close in enumerate(closes):
        view = View(START_MS + (number + 1) * MINUTE_MS, D(repr(close)), PLAIN_MARKET, opened(D(10_000)))
        candle = Candle(START_MS + number * MINUTE_MS, close, close + 1, close - 1, close, 5.0)
        held = memory.positions.entries
        if held and held[0].phase == "buying":
            opened_one = held[0]._replace(phase="open", bought=D(1), value=view.price, stock=D(1))
            memory = memory._replace(positions=memory.positions._replace(entries=(opened_one,)))
        if isinstance(strategy, SmaCross):
            assert isinstance(memory, CrossMemory)
            memory = strategy.hear(memory, candle, view)
        else:
            assert isinstance(memory, RsiMemory)
            memory = strategy.hear(memory, candle, view)
        entries = memory.positions.entries
        if entries and entries[0].phase == "buying":
            found.append((number, "enter"))
        if entries and entries[0].phase == "leaving":
            found.append((number, "leave"))
            memory = memory._replace(positions=memory.positions._replace(entries=()))
    return found


def closes_of(seed: int) -> list[float]:
    chance = np.random.default_rng(seed)
    return [float(round(5_000 + value, 2)) for value in np.cumsum(chance.normal(0, 3, 1_500))]


@pytest.mark.parametrize("seed", range(5))
def test_an_sma_cross_enters_and_leaves_where_the_averages_cross(seed: int) -> None:
    closes = closes_of(seed)
    wanted, is_in = [], False
    gaps = [sum(closes[i - 9 : i + 1]) / 10 - sum(closes[i - 19 : i + 1]) / 20 for i in range(19, len(closes))]
    for number, (before, now) in enumerate(pairwise(gaps), 20):
        if not is_in and before <= 0 < now:
            wanted.append((number, "enter"))
            is_in = True
        elif is_in and before >= 0 > now:
            wanted.append((number, "leave"))
            is_in = False
    strategy = SmaCross({"timeframe": "1m"}, PLAIN_MARKET, D(10_000))
    assert heard(strategy, closes) == wanted
    assert len(wanted) > 5


@pytest.mark.parametrize("seed", range(5))
def test_an_rsi_bot_enters_and_leaves_where_the_index_comes_back(seed: int) -> None:
    closes = closes_of(seed)
    state, index = rsi.start(14), []
    for close in closes:
        state = rsi.update(state, close)
        index.append(rsi.value(state))
    wanted, is_in = [], False
    for number, (before, now) in enumerate(pairwise(index), 1):
        if before is None or now is None:
            continue
        if not is_in and before <= 30 < now:
            wanted.append((number, "enter"))
            is_in = True
        elif is_in and before >= 70 > now:
            wanted.append((number, "leave"))
            is_in = False
    assert heard(RsiReversal({"timeframe": "1m"}, PLAIN_MARKET, D(10_000)), closes) == wanted
    assert wanted


def test_filters_hold_entries_back() -> None:
    closes = closes_of(1)
    for build in (SmaCross, RsiReversal):
        free = build({"timeframe": "1m"}, PLAIN_MARKET, D(10_000))
        loud = build({"timeframe": "1m", "volume_ratio": "1.1"}, PLAIN_MARKET, D(10_000))
        steep = build({"timeframe": "1m", "trend_ema": "50"}, PLAIN_MARKET, D(10_000))
        assert heard(free, closes)
        assert not heard(loud, closes)
        entries = [one for one in heard(steep, closes) if one[1] == "enter"]
        assert len(entries) < len(heard(free, closes))


@pytest.mark.parametrize(
    ("build", "config", "key"),
    [
        (SmaCross, {"fast": "20"}, "slow"),
        (SmaCross, {"stop": "0"}, "stop_loss"),
        (SmaCross, {"trend_ema": "1"}, "trend_ema"),
        (RsiReversal, {"oversold": "70"}, "overbought"),
        (RsiReversal, {"target": "1"}, "take_profit"),
        (RsiReversal, {"timeframe": "7m"}, "timeframe"),
    ],
)
def test_limits_are_told_by_their_key(
    build: type[SmaCross] | type[RsiReversal], config: dict[str, str], key: str
) -> None:
    with pytest.raises(UnableToConfigure) as refusal:
        build(config, PLAIN_MARKET, D(10_000))
    assert refusal.value.key == key


def test_every_entry_names_its_reasons() -> None:
    whys = set()
    for seed in range(30):
        for order, why, _ in fills_of(plainly(seed)):
            if order.slot.endswith("-in"):
                whys.add(why.split(" ")[0].split("(")[0])
                assert "; size " in why
    assert whys == {"close", "SMA", "RSI"}

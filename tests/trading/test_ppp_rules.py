"""PPP Vishva's rules one by one, on what it sees and on what it decides."""

import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from autogrid.trading.candle import MINUTE_MS, Candle, exact
from autogrid.trading.indicators.ewo import EwoState
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.signals.ppp_analysis import (
    LONG,
    SHORT,
    UNUSED,
    PppSeen,
    StochasticCross,
    Used,
    adds,
    against,
    agrees,
    broken,
    confirmed,
    dipped,
    enters,
    filtered,
    holds,
    reasons,
    start,
    turned,
    update,
)
from autogrid.trading.strategies.signals.ppp_config import FIELDS, Looks, read_settings
from autogrid.trading.strategies.signals.ppp_vishva import PppMemory, PppVishva
from autogrid.trading.strategies.strategy import View
from tests.builders import PLAIN_MARKET, START_MS

D = Decimal
SMALL = {
    "timeframe": "1m",
    "ema": "5",
    "ut_atr": "3",
    "ewo_fast": "2",
    "ewo_slow": "5",
    "oversold": "50",
    "confirm_timeframes": "none",
}


def looks_of(**config: str) -> Looks:
    return read_settings({**SMALL, **config}, PLAIN_MARKET).looks


def walked(looks: Looks, candles: Iterable[Candle]) -> list[PppSeen]:
    seen, found = start(looks), []
    for candle in candles:
        seen = update(looks, seen, candle)
        found.append(seen)
    return found


def random_candles(seed: int, count: int, *, minutes: int = 1, first_ms: int = START_MS) -> list[Candle]:
    chance, at, made, drift = random.Random(seed), 1_000.0, [], 0.0
    for number in range(count):
        if number % 25 == 0:
            drift = chance.uniform(-2.5, 2.5)
        close = max(500.0, at + drift + chance.uniform(-4, 4))
        high, low = max(at, close) + chance.uniform(0, 3), min(at, close) - chance.uniform(0, 3)
        made.append(Candle(first_ms + number * minutes * MINUTE_MS, at, high, low, close, chance.uniform(1, 9)))
        at = close
    return made


@pytest.fixture(scope="module")
def entering() -> tuple[Looks, PppSeen]:
    """Something seen at which all conditions of a long entry hold."""
    looks = looks_of(confirm_timeframes="5m", volume_ratio="0.5")
    for seed in range(50):
        for seen in walked(looks, random_candles(seed, 600)):
            if enters(looks, seen, LONG, UNUSED):
                return looks, seen
    raise AssertionError("no entry in any of the tapes")


# ---------------------------------------------------------------- conditions


def test_an_entry_needs_each_of_its_conditions(entering: tuple[Looks, PppSeen]) -> None:
    looks, seen = entering
    assert enters(looks, seen, LONG, UNUSED)
    assert isinstance(seen.wave, EwoState)
    faults: list[dict[str, Any]] = [
        {"close": seen.trend.average},
        {"close": seen.trend.average * (1 + 1e-11)},
        {"bought_at": seen.heard - looks.signal_window - 1},
        {"sold_at": seen.bought_at},
        {"sold_at": seen.heard},
        {"wave": seen.wave._replace(window=tuple(range(9, 4, -1)))},
        {"risen": seen.risen._replace(at=seen.heard - looks.stoch_lookback - 1)},
        {"risen": StochasticCross(0, 0.0, 0.0)},
        {"volume": 0.1},
        {"coarser": tuple(one._replace(close=one.average.average) for one in seen.coarser)},
        {"coarser": tuple(one._replace(averaged=one.averaged._replace(open=1e9)) for one in seen.coarser)},
        {"coarser": tuple(one._replace(average=one.average._replace(seen=19)) for one in seen.coarser)},
        {"trend": seen.trend._replace(seen=4)},
    ]
    for fault in faults:
        assert not enters(looks, seen._replace(**fault), LONG, UNUSED), fault


def test_within_w_candles_is_an_age_of_at_most_w(entering: tuple[Looks, PppSeen]) -> None:
    looks, seen = entering
    at = seen._replace(bought_at=seen.heard - looks.signal_window, sold_at=0)
    assert turned(looks, at, LONG, UNUSED)
    at = seen._replace(risen=seen.risen._replace(at=seen.heard - looks.stoch_lookback))
    assert dipped(looks, at, LONG, UNUSED)
    zero = looks._replace(signal_window=0, stoch_lookback=0)
    assert not turned(zero, seen._replace(bought_at=seen.heard - 1, sold_at=0), LONG, UNUSED)
    assert turned(zero, seen._replace(bought_at=seen.heard, sold_at=0), LONG, UNUSED)
    assert dipped(zero, seen._replace(risen=seen.risen._replace(at=seen.heard)), LONG, UNUSED)


def test_a_buy_serves_one_first_entry_and_a_cross_one_entry_of_a_position(entering: tuple[Looks, PppSeen]) -> None:
    looks, seen = entering
    assert not enters(looks, seen, LONG, Used(seen.bought_at, 0))
    assert enters(looks, seen, LONG, Used(0, seen.risen.at)), "the position that used this cross is over"
    assert enters(looks, seen, LONG, Used(seen.bought_at - 1, seen.risen.at - 1))
    old = seen._replace(bought_at=1, sold_at=0)
    assert adds(looks, old, LONG, Used(1, seen.risen.at - 1))
    assert not adds(looks, old, LONG, Used(1, seen.risen.at))
    assert not adds(looks, old._replace(sold_at=2), LONG, UNUSED)


def test_any_of_the_confirming_timeframes_may_be_enough() -> None:
    both = looks_of(confirm_timeframes="3m,15m")
    found = set()
    for seen in walked(both, random_candles(3, 900)):
        voices = [agrees(one, LONG) for one in seen.coarser]
        assert confirmed(both, seen, LONG) == all(voices)
        assert confirmed(both._replace(confirm_all=False), seen, LONG) == any(voices)
        found.add(tuple(voices))
    assert found == {(False, False), (False, True), (True, False), (True, True)}
    assert confirmed(looks_of(), start(looks_of()), LONG)


def test_the_regime_of_the_atr_has_two_bounds(entering: tuple[Looks, PppSeen]) -> None:
    looks, seen = entering
    share = seen.reach.average / seen.close
    assert filtered(looks._replace(atr_min=share, atr_max=share), seen)
    assert not filtered(looks._replace(atr_min=share * 1.01), seen)
    assert not filtered(looks._replace(atr_max=share * 0.99), seen)


def test_a_cross_counts_on_the_candle_on_which_k_is_oversold() -> None:
    looks = looks_of(oversold="20")
    crosses = set()
    for seen in walked(looks, random_candles(5, 2_000)):
        if seen.risen.at == seen.heard:
            assert seen.risen.k < 20
            assert seen.risen.k > seen.risen.d
            crosses.add(seen.heard)
        if seen.fallen.at == seen.heard:
            assert seen.fallen.k > 80
            assert seen.fallen.k < seen.fallen.d
    assert len(crosses) > 20
    assert min(crosses) >= 33


def test_a_coarser_candle_counts_with_the_last_finer_one_inside_it_and_a_partial_first_one_is_dropped() -> None:
    looks = looks_of(confirm_timeframes="5m")
    candles = random_candles(1, 23, first_ms=START_MS + 2 * MINUTE_MS)
    closes = [seen.coarser[0].close for seen in walked(looks, candles)]
    assert closes[:7] == [0.0] * 7
    assert closes[7] == candles[7].close
    assert closes[11] == candles[7].close
    assert closes[12] == candles[12].close


def test_shorts_are_the_mirror_of_longs() -> None:
    """Prices mirrored at a level make every long signal a short one, and the other way round."""
    looks = looks_of(confirm_timeframes="5m", signal_window="6", stoch_lookback="30")
    found = {"enters": 0, "adds": 0, "against": 0}
    for seed in range(12):
        candles = random_candles(seed, 500)
        mirrored = [
            one._replace(open=3_000 - one.open, high=3_000 - one.low, low=3_000 - one.high, close=3_000 - one.close)
            for one in candles
        ]
        for seen, other in zip(walked(looks, candles), walked(looks, mirrored), strict=True):
            for ours, theirs in ((LONG, SHORT), (SHORT, LONG)):
                if seen.heard < 60:
                    continue  # the UT Bot's first stop lies below the price in both
                assert enters(looks, seen, ours, UNUSED) == enters(looks, other, theirs, UNUSED)
                assert adds(looks, seen, ours, UNUSED) == adds(looks, other, theirs, UNUSED)
                assert holds(looks, seen, ours) == holds(looks, other, theirs)
                assert against(seen, ours) == against(other, theirs)
                found["enters"] += enters(looks, seen, ours, UNUSED)
                found["adds"] += adds(looks, seen, ours, UNUSED)
                found["against"] += against(seen, ours)
    assert min(found.values()) > 20


def test_the_ema_exit_lies_a_share_below_the_average(entering: tuple[Looks, PppSeen]) -> None:
    _, seen = entering
    average = seen.trend.average
    assert not broken(seen._replace(close=average * 0.98), LONG, 0.02)
    assert broken(seen._replace(close=average * 0.979), LONG, 0.02)
    assert broken(seen._replace(close=average * 1.021), SHORT, 0.02)


def test_the_reasons_name_their_values(entering: tuple[Looks, PppSeen]) -> None:
    looks, seen = entering
    said = reasons(looks, seen, LONG, 2)
    for part in (
        "close ",
        " > EMA(5) ",
        "UT Bot buy ",
        "EWO ",
        "Stoch RSI K ",
        " crossed above D ",
        "5m agrees",
        "mean",
    ):
        assert part in said
    assert said.endswith("entry 2 in a row")
    assert "%" in reasons(looks._replace(ewo_percent=True), seen, LONG, 1)


# ---------------------------------------------------------------- decisions


def view(price: str = "1000", quote: str = "10000", on: Market = PLAIN_MARKET, at_ms: int = START_MS) -> View:
    return View(at_ms, D(price), on, opened(D(quote)))


def first_entry(**config: str) -> tuple[PppVishva, PppMemory, Candle, View]:
    """A bot that has just decided its first entry."""
    bot = PppVishva({**SMALL, "stoch_lookback": "30", **config}, PLAIN_MARKET, D(10_000))
    for seed in range(20):
        memory = bot.look(bot.start(), view())
        for candle in random_candles(seed, 600):
            now = view(str(candle.close), at_ms=candle.open_ms + MINUTE_MS)
            memory = bot.hear(memory, candle, now)
            if memory.positions.entries:
                return bot, memory, candle, now
    raise AssertionError("no entry")


def test_an_entry_risks_its_share_of_the_equity_between_the_close_and_the_stop() -> None:
    bot, memory, candle, _ = first_entry(risk_per_trade="0.005", max_position="1")
    (entry,) = memory.positions.entries
    reach = exact(memory.seen.reach.average)
    close = exact(candle.close)
    distance = reach * D("1.25")
    stop = (close - distance) // D("0.01") * D("0.01")
    assert entry.terms.stop_at(close, PLAIN_MARKET) == stop
    wanted = min(D(10_000) * D("0.005") / distance, D(10_000) / close)
    assert entry.wanted == wanted // D("0.00001") * D("0.00001")
    (target,) = bot.targets(memory, view(str(candle.close))).targets.values()
    assert (target.slot, target.side, target.kind, target.price) == ("1-in", "buy", "market", close)
    assert "by risk" in target.why
    assert "close" in target.why


def test_the_cap_of_an_entry_decides_where_the_stop_is_near() -> None:
    _, memory, candle, _ = first_entry()
    (entry,) = memory.positions.entries
    assert entry.wanted == D(2_500) / exact(candle.close) // D("0.00001") * D("0.00001")
    assert "by max_position" in entry.why


def test_an_entry_is_not_decided_while_warming_up_nor_after_the_daily_loss() -> None:
    bot, _, _, _ = first_entry()
    halting = PppVishva({**bot.config, "max_daily_loss": "0.01"}, PLAIN_MARKET, D(10_000))
    for strategy, price, quote in ((bot, False, "10000"), (halting, True, "9000")):
        for seed in range(5):
            memory = strategy.start()
            for number, candle in enumerate(random_candles(seed, 600)):
                money = "10000" if number == 0 else quote
                now = view(str(candle.close) if price else "0", money, at_ms=candle.open_ms + MINUTE_MS)
                memory = strategy.hear(memory, candle, now)
            assert not memory.positions.entries
        assert memory.seen.heard == 600
    assert memory.day.halted
    midnight = view("1000", "9000", at_ms=START_MS + 86_400_000)
    after = halting.hear(memory, Candle(START_MS + 86_340_000, 1000.0, 1001.0, 999.0, 1000.0, 1.0), midnight)
    assert not after.day.halted


def test_a_purchase_that_brings_nothing_leaves_its_signals_for_another_try() -> None:
    bot, memory, candle, now = first_entry()
    later = candle._replace(open_ms=candle.open_ms + MINUTE_MS)
    again = bot.hear(memory, later, now._replace(at_ms=now.at_ms + MINUTE_MS))
    assert again.used == UNUSED
    assert [entry.number for entry in again.positions.entries] in ([2], [])


def test_every_preset_and_default_can_be_configured() -> None:
    settings = read_settings({}, PLAIN_MARKET)
    assert settings.looks.warm_up == 21 * 24 - 1
    assert settings.stop_atr == D("1.25")
    assert {field.key for field in FIELDS} >= {"side", "trailing", "ema_exit", "confirm"}
    assert read_settings({"timeframe": "15m"}, PLAIN_MARKET).looks.warm_up == 21 * 96 - 1


@pytest.mark.parametrize(
    ("config", "key", "words"),
    [
        ({"side": "short"}, "side", "spot market"),
        ({"side": "both"}, "side", "side=long"),
        ({"timeframe": "4h"}, "confirm_timeframes", "not coarser than the timeframe 4h; take 1d"),
        ({"timeframe": "1d"}, "confirm_timeframes", "take none"),
        ({"timeframe": "6h", "confirm_timeframes": "8h,1d"}, "confirm_timeframes", "no multiple of the timeframe 6h"),
        ({"ewo_fast": "35"}, "ewo_slow", "must be above ewo_fast"),
        ({"atr_min": "0.02", "atr_max": "0.01"}, "atr_max", "must be above atr_min"),
        ({"stop_atr": "0.4"}, "stop_atr", "the least is 0.5"),
        ({"reward_risk": "6"}, "reward_risk", "the most is 5"),
        ({"risk_per_trade": "0.2"}, "risk_per_trade", "the most is 0.1"),
        ({"max_entries": "11"}, "max_entries", "the most is 10"),
        ({"emaa": "3"}, "emaa", "did you mean ema"),
    ],
)
def test_a_configuration_beyond_its_limits_is_refused_with_a_sentence(
    config: dict[str, str], key: str, words: str
) -> None:
    with pytest.raises(UnableToConfigure) as refusal:
        PppVishva(config, PLAIN_MARKET, D(10_000))
    assert refusal.value.key == key
    assert words in str(refusal.value)


def test_too_small_an_investment_is_refused() -> None:
    with pytest.raises(UnableToConfigure, match="invest at least 20"):
        PppVishva({}, PLAIN_MARKET, D(10)).check(D(1_000))

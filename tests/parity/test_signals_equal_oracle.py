"""PPP Vishva, SMA cross and RSI, calculated twice: by the engine, and by an oracle written from the rules alone."""

import random
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autogrid.backtesting.candle_warnings import timeframe_name
from autogrid.backtesting.tapes import Tape
from autogrid.trading.market import Market
from tests.builders import START_MS, tape_of
from tests.oracle import signal_oracle as oracle
from tests.parity.oracle_run import candles_of
from tests.parity.outcome import Fills, facts_of, first_difference, ours
from tests.parity.real_tapes import real_tape

D = Decimal
MARKET = Market("BASE", "QUOTE", D("0.01"), D("0.00001"), D(5), D("0.001"), D("0.001"))
INVESTMENT = D(10_000)
IN_PROFIT = oracle.Readings(profit="average")
"""Adding asks for a close above the mean price of what is held."""


def theirs(strategy: str, config: Mapping[str, str], tape: Tape) -> Fills:
    """The oracle's outcome."""
    market = oracle.Market(MARKET.tick, MARKET.lot, MARKET.min_notional, MARKET.maker_fee, MARKET.taker_fee)
    name = timeframe_name(tape.interval_ms)
    try:
        found = oracle.run(strategy, config, candles_of(tape), market, INVESTMENT, name, IN_PROFIT)
    except ValueError as refusal:
        return Fills(str(refusal), [], {})
    fills = [(fill.side, fill.price, fill.quantity, fill.fee) for fill in found.fills]
    realised = sum((trade.profit for trade in found.trades), D(0))
    facts = facts_of(found.base, found.quote, found.equity_end, found.total_profit, realised, len(found.trades))
    return Fills("", fills, facts)


def config_of(chance: random.Random, strategy: str) -> dict[str, str]:
    """Settings that both know; short periods, so that a short tape trades."""
    pick = chance.choice
    common = {
        "risk_per_trade": pick(["0.01", "0.02", "0.1"]),
        "max_position": pick(["0.1", "0.25"]),
    }
    if strategy == "sma_cross":
        fast = pick([2, 3, 5])
        return common | {"timeframe": "15m", "fast": str(fast), "slow": str(fast + pick([1, 3, 6]))}
    if strategy == "rsi":
        return common | {"timeframe": "15m", "period": pick(["3", "5", "14"])}
    return common | {
        "timeframe": "15m",
        "confirm_timeframes": pick(["none", "none", "1h", "1h,4h"]),
        "confirm": pick(["all", "any"]),
        "ema": pick(["5", "20"]),
        "signal_window": pick(["3", "20", "50"]),
        "stoch_lookback": pick(["10", "30"]),
        "oversold": pick(["20", "35", "50"]),
        "stop_atr": pick(["0.5", "1.25", "3"]),
        "reward_risk": pick(["1", "2", "5"]),
        "max_entries": pick(["1", "3"]),
    }


def tape_for(chance: random.Random, *, minutes: bool) -> Tape:
    """A walk with trends, with jumps and holes."""
    interval_ms = 180_000 if minutes else 900_000
    rows, times, price, at, drift = [], [], 100_000, START_MS, 0
    for index in range(chance.randint(60, 1200 if minutes else 500)):
        if index % 40 == 0:
            drift = chance.randint(-60, 60)
        opened = max(20_000, price + (chance.randint(-800, 800) if chance.random() < 0.05 else chance.randint(-5, 5)))
        close = max(20_000, opened + chance.randint(-300, 300) + drift)
        high = max(opened, close) + chance.randint(0, 150)
        low = min(opened, close) - chance.randint(0, 150)
        rows.append((opened, high, low, close))
        times.append(at)
        at += interval_ms * (1 if chance.random() < 0.99 else chance.randint(2, 30))
        price = close
    return tape_of(rows, times=times, interval_ms=interval_ms)


@pytest.mark.parametrize("strategy", ["ppp_vishva", "sma_cross", "rsi"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_made_up_bots_over_made_up_tapes_agree_in_every_fill_and_figure(strategy: str, seed: int) -> None:
    chance = random.Random(seed)
    config = config_of(chance, strategy)
    tape = tape_for(chance, minutes=chance.random() < 0.3)
    difference = first_difference(ours(strategy, config, tape, MARKET, INVESTMENT), theirs(strategy, config, tape))
    assert not difference, f"{difference}\n{strategy} {config}"


FILES = {
    "15m": "binance_spot_{}USDT_15m_20241230-20250630.parquet",
    "1h": "binance_spot_{}USDT_1h_{}-20250630.parquet",
}


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
@pytest.mark.parametrize(
    ("strategy", "timeframe"),
    [("ppp_vishva", "15m"), ("ppp_vishva", "1h"), ("rsi", "1h"), ("sma_cross", "4h")],
)
def test_real_candles_agree_in_every_fill_and_figure(coin: str, strategy: str, timeframe: str) -> None:
    since = "20240421" if coin == "BTC" else "20220101"
    tape = real_tape(FILES["15m" if timeframe == "15m" else "1h"].format(f"{coin}", since))
    config = {"timeframe": timeframe}
    one = ours(strategy, config, tape, MARKET, INVESTMENT)
    assert len(one.fills) > 20
    assert not first_difference(one, theirs(strategy, config, tape))

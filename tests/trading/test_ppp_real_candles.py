"""PPP Vishva on real candles: it trades on each of three coins, and its counts are those that were found once."""

from decimal import Decimal
from pathlib import Path

import pytest

from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.trading.bot import Bot
from autogrid.trading.ledger import opened
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.signals.ppp_vishva import PppVishva
from autogrid.wiring.simulation import simulate
from tests.builders import PLAIN_MARKET

D = Decimal
ZERO_WINDOWS = {"signal_window": "0", "stoch_lookback": "0"}

FILES = {
    ("BTC", "15m"): "binance_spot_BTCUSDT_15m_20241230-20250630",
    ("ETH", "15m"): "binance_spot_ETHUSDT_15m_20241230-20250630",
    ("SOL", "15m"): "binance_spot_SOLUSDT_15m_20241230-20250630",
    ("BTC", "1h"): "binance_spot_BTCUSDT_1h_20240421-20250630",
    ("ETH", "1h"): "binance_spot_ETHUSDT_1h_20220101-20250630",
    ("SOL", "1h"): "binance_spot_SOLUSDT_1h_20220101-20250630",
}


def tape_of(shared_data: Path, coin: str, timeframe: str) -> Tape:
    place = shared_data / "candles" / f"{FILES[coin, timeframe]}.parquet"
    place = place if place.is_file() else shared_data / "data" / "candles" / place.name
    if not place.is_file():
        pytest.skip(f"the candles are not at {place}")
    return read_tape([place], at_least_decimals=2)


def entries_on(tape: Tape, config: dict[str, str]) -> int:
    """Purchases that were sent."""
    bot = Bot(PLAIN_MARKET, Limits(D(10_000), breakers=False), at_once=True)
    strategy = PppVishva(config, PLAIN_MARKET, D(10_000))
    last, journal = simulate(bot, bot.start(strategy, opened(D(10_000))), tape)
    assert last.ledger.quote >= 0
    places = [c for row in journal.rows for c in row.commands if isinstance(c, Place)]
    return sum(place.order.slot.endswith("-in") for place in places)


@pytest.mark.parametrize(
    ("coin", "timeframe", "wanted", "at_once"),
    [
        ("BTC", "15m", 77, 8),
        ("ETH", "15m", 26, 2),
        ("SOL", "15m", 59, 11),
        ("BTC", "1h", 50, 4),
        ("ETH", "1h", 129, 8),
        ("SOL", "1h", 144, 14),
    ],
)
def test_it_enters_on_real_candles(shared_data: Path, coin: str, timeframe: str, wanted: int, at_once: int) -> None:
    tape = tape_of(shared_data, coin, timeframe)
    found = entries_on(tape, {"timeframe": timeframe})
    narrow = entries_on(tape, {"timeframe": timeframe, **ZERO_WINDOWS})
    print(f"{coin} {timeframe}: {found} entries, {narrow} with both windows at zero")  # noqa: T201
    assert (found, narrow) == (wanted, at_once)

"""What a seed stands for: markets, accounts, bots, and how patient the engine is."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from autogrid.engine.timing import Timing
from autogrid.trading.market import QUOTE, RECEIVED, FeeIn, Market, ThirdAsset
from tests.simulation.exchange_side import Style

D = Decimal
PRICES: Final = {"BTC/USDT": D(10_000), "ETH/USDT": D(2_000), "SOL/USDT": D(100)}

GRIDS: Final[tuple[Mapping[str, str], ...]] = (
    {"grids": "12", "spacing": "arithmetic"},
    {"grids": "20"},
    {"grids": "8", "sizing": "equal_quote"},
    {"grids": "10", "trailing_up": "yes", "trailing_down": "yes", "reinvest": "yes"},
    {"grids": "8", "start": "wait", "crossed": "wait"},
    {"grids": "10", "reverse": "yes"},
)
DCAS: Final[tuple[Mapping[str, str], ...]] = (
    {"base_order": "300", "safety_order": "300", "deviation": "0.006", "safety_orders": "3", "take_profit": "0.008"},
    {
        "base_order": "300",
        "safety_order": "200",
        "deviation": "0.005",
        "safety_orders": "4",
        "take_profit": "0.01",
        "trailing": "0.003",
        "cooldown": "20",
    },
    {"base_order": "400", "safety_order": "300", "deviation": "0.01", "take_profit": "0.012", "stop_loss": "0.04"},
    {"mode": "accumulate", "amount": "50", "every": "hourly", "drop": "0.02", "drop_amount": "50"},
)
SIGNALS: Final[tuple[Mapping[str, str], ...]] = ({"size": "0.5"}, {"max_entries": "3", "size": "0.2"})


@dataclass(frozen=True)
class BotPlan:
    """A bot of the run."""

    id: str
    strategy: str
    config: Mapping[str, str]
    symbol: str
    account: str
    investment: Decimal


@dataclass(frozen=True)
class Scenario:
    """A run's setting."""

    style: Style
    markets: Mapping[str, Market]
    accounts: tuple[str, ...]
    bots: tuple[BotPlan, ...]
    engines: int
    timing: Timing = field(default_factory=Timing)
    gap_s: float = 40.0
    """Between two prices, on average."""


def drawn(seed: int, bots: int | None = None) -> Scenario:
    """The setting of a seed."""
    chance = random.Random(f"{seed} scenario")
    style: Style = chance.choice(("binance", "bybit", "mexc"))
    fee: FeeIn = chance.choice((RECEIVED, RECEIVED, QUOTE, ThirdAsset("BNB", D(600))))
    symbols = chance.sample(list(PRICES), chance.choice((1, 1, 2)))
    markets = {symbol: _market(symbol, fee) for symbol in symbols}
    accounts = tuple(f"a{n}" for n in range(chance.choice((1, 1, 2))))
    count = bots or chance.choice((1, 2, 4, 6, 8))
    plans = tuple(_bot(chance, n, symbols, accounts, seed) for n in range(count))
    timing = Timing(
        answer_s=chance.choice((2.0, 6.0, 15.0)),
        silent_s=90.0,
        round_s=chance.choice((60.0, 120.0)),
    )
    engines, gap_s = chance.choice((1, 1, 2)), chance.choice((40.0, 80.0, 160.0))
    return Scenario(style, markets, accounts, plans, engines, timing, gap_s)


def _market(symbol: str, fee: FeeIn) -> Market:
    base, quote = symbol.split("/")
    tick = {"BTC": D("0.01"), "ETH": D("0.01"), "SOL": D("0.001")}[base]
    lot = {"BTC": D("0.00001"), "ETH": D("0.0001"), "SOL": D("0.001")}[base]
    return Market(base, quote, tick, lot, D(5), D("0.001"), D("0.001"), fee)


def _bot(chance: random.Random, number: int, symbols: list[str], accounts: tuple[str, ...], seed: int) -> BotPlan:
    kind = chance.choice(("grid", "grid", "grid", "dca", "dca", "signal"))
    symbol, account = chance.choice(symbols), chance.choice(accounts)
    config: dict[str, str]
    if kind == "grid":
        config = dict(chance.choice(GRIDS))
        reach = int(config["grids"]) * chance.choice((D("0.002"), D("0.003"), D("0.005")))
        middle = PRICES[symbol]
        config["lower"], config["upper"] = (str((middle * (1 + sign * reach)).normalize()) for sign in (-1, 1))
        config = {key: format(D(value), "f") if key in ("lower", "upper") else value for key, value in config.items()}
    elif kind == "dca":
        config = dict(chance.choice(DCAS))
    else:
        config = dict(chance.choice(SIGNALS))
    letters = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(6))
    return BotPlan(f"b{number}{letters}", kind, config, symbol, account, D(chance.choice((2_000, 5_000))))

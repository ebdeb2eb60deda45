"""DCA bots in any combination of settings, over tapes with jumps and gaps, watched step by step."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from hypothesis import reject

from autogrid.backtesting.tape_feed import TapeFeed
from autogrid.backtesting.tapes import Tape
from autogrid.engine.session import run
from autogrid.exchanges.simulated import SimulatedExchange
from autogrid.services.backtests import Walk
from autogrid.storage.memory_journal import Row
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled, Started
from autogrid.trading.ledger import Ledger, opened
from autogrid.trading.market import FeeIn, Market, Stops, ThirdAsset
from autogrid.trading.matching import Book, MatchingRules
from autogrid.trading.order import Order
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.memory import DcaMemory
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.wiring.simulation import PLAINLY, simulate
from tests.builders import MINUTE_MS, PLAIN_MARKET, START_MS, Hand
from tests.trading.made_up import Kept, MadeUp, Watching

D = Decimal


class PlayedDca(NamedTuple):
    """A finished run."""

    bot: Bot
    last: BotState
    rows: list[Row]

    @property
    def memory(self) -> DcaMemory:
        """The bot's, at the end."""
        memory = self.last.memory
        assert isinstance(memory, DcaMemory)
        return memory

    @property
    def ledger(self) -> Ledger:
        """At the end."""
        return self.last.ledger

    @property
    def orders(self) -> dict[str, Order]:
        """All that were placed, by id, as they were then."""
        return {c.order.id: c.order for row in self.rows for c in row.commands if isinstance(c, Place)}

    def trades(self) -> list[tuple[str, str, str]]:
        """Slot, price and quantity of each fill."""
        orders = self.orders
        fills = [row.event for row in self.rows if isinstance(row.event, Filled)]
        return [(orders[fill.order_id].slot, plain(fill.price), plain(fill.quantity)) for fill in fills]

    def slots(self) -> list[str]:
        """The slots of all fills."""
        return [slot for slot, _, _ in self.trades()]


def plain(number: Decimal) -> str:
    """Without trailing zeros."""
    return format(number.normalize(), "f")


def bot_with(
    config: dict[str, str], on: Market = PLAIN_MARKET, investment: str = "10000", *, at_once: bool = False
) -> tuple[Bot, BotState]:
    """A DCA bot that has not seen a price, and its first state."""
    funds = D(investment)
    bot = Bot(on, Limits(funds, breakers=False), at_once=at_once)
    return bot, bot.start(Dca(config, on, funds), opened(funds))


def play_dca(
    config: dict[str, str], tape: Tape, on: Market = PLAIN_MARKET, *, investment: str = "10000", walk: Walk = PLAINLY
) -> PlayedDca:
    """Run a DCA bot over a tape."""
    bot, state = bot_with(config, on, investment)
    last, journal = simulate(bot, state, tape, walk)
    return PlayedDca(bot, last, journal.rows)


def hand_of(config: dict[str, str], on: Market = PLAIN_MARKET, investment: str = "10000") -> Hand:
    """A bot that is led by the hand, started."""
    return Hand(*bot_with(config, on, investment)).started()


def dca_memory(state: BotState) -> DcaMemory:
    """Its memory."""
    memory = state.memory
    assert isinstance(memory, DcaMemory)
    return memory


# ---------------------------------------------------------------- made up


def random_config(chance: random.Random) -> dict[str, str]:
    """Any combination of settings; many are refused."""
    return _random_deal(chance) if chance.random() < 0.6 else _random_accumulate(chance)


def _random_deal(chance: random.Random) -> dict[str, str]:
    config = {"preset": chance.choice(["careful", "standard", "bold"])}
    maybe: dict[str, list[str]] = {
        "base_order": ["100", "333.33"],
        "safety_order": ["50", "200"],
        "deviation": ["0.004", "0.01", "0.02"],
        "step_scale": ["0.9", "1", "1.5"],
        "volume_scale": ["0.8", "1", "1.4"],
        "safety_orders": ["0", "1", "3", "8"],
        "max_active": ["1", "3", "8"],
        "deviation_from": ["previous"],
        "take_profit": ["0.004", "0.01", "0.03"],
        "take_profit_from": ["base_order"],
        "take_profit_gross": ["yes"],
        "trailing": ["0.002", "0.01"],
        "targets": ["0.005:0.5,0.01:0.5", "0.003:0.2,0.006:0.3,0.02:0.5"],
        "break_even": ["yes"],
        "stop_loss": ["0.01", "0.03", "0.08"],
        "stop_loss_from": ["base_order"],
        "cooldown": ["0", "60", "300"],
        "max_deals": ["1", "3"],
        "deal_timeout": ["60", "600"],
        "reinvest": ["yes"],
    }
    for key, values in maybe.items():
        if chance.random() < 0.3:
            config[key] = chance.choice(values)
    if "targets" in config:
        for key in ("take_profit", "trailing", "take_profit_from"):
            config.pop(key, None)
    else:
        config.pop("break_even", None)
    if "stop_loss" not in config:
        config.pop("stop_loss_from", None)
    if config.get("safety_orders") == "0":
        for key in ("safety_order", "deviation", "step_scale", "volume_scale", "max_active", "deviation_from"):
            config.pop(key, None)
    start = chance.random()
    if start < 0.15:
        config |= {"start_when": "price", "start_price": chance.choice(["98", "101", "100"])}
    elif start < 0.25:
        config |= {"start_when": "rsi", "timeframe": "1m", "rsi_period": "3", "rsi_below": "45"}
    return config


def _random_accumulate(chance: random.Random) -> dict[str, str]:
    config = {"mode": "accumulate"}
    if chance.random() < 0.8:
        config |= {"amount": chance.choice(["50", "700", "2500"]), "every": "hourly"}
        config["minute"] = chance.choice(["1", "17", "59"])
        config["first"] = chance.choice(["now", "anchor"])
        config["catch_up"] = chance.choice(["once", "skip"])
    if chance.random() < 0.6 or len(config) == 1:
        config |= {"drop": chance.choice(["0.005", "0.02"]), "drop_amount": chance.choice(["60", "900"])}
        config["reference"] = chance.choice(["last_buy", "average", "high"])
    if chance.random() < 0.5:
        config["take_profit"] = chance.choice(["0.004", "0.02"])
        if chance.random() < 0.4:
            config["trailing"] = chance.choice(["0.002", "0.01"])
    if chance.random() < 0.4:
        config["budget"] = chance.choice(["2600", "5500"])
    return config


def with_a_stop(config: dict[str, str], chance: random.Random) -> dict[str, str]:
    """A deal's configuration with a stop that lies near, mostly; one that is to rest at the exchange."""
    found = dict(config)
    if found.get("mode") != "accumulate" and chance.random() < 0.8:
        found["stop_loss"] = chance.choice(["0.005", "0.01", "0.02", "0.05"])
    if {"stop_loss", "trailing", "break_even"} & found.keys():
        found["max_slippage"] = chance.choice(["0", "0.001", "0.01", "0.05"])
    return found


def random_prices(chance: random.Random) -> Tape:
    """A walk around 100 with lively and calm candles, jumps, and holes in time."""
    unit = chance.choice(["0.01", "0.001"])
    scale = int(D(1) / D(unit))
    swing = chance.choice([0.002, 0.008, 0.02])
    price, candles, times, at = 100.0, [], [], START_MS
    for _ in range(chance.choice([20, 80, 200])):
        opening = price * (1 + (chance.gauss(0, swing) if chance.random() < 0.2 else 0))
        points = [max(0.5, opening)]
        for _ in range(3):
            points.append(max(0.5, points[-1] * (1 + chance.gauss(0, swing))))
        units = [round(point * scale) for point in points]
        price = units[-1] / scale
        candles.append((units[0], max(units), min(units), units[-1]))
        times.append(at)
        at += MINUTE_MS * (1 if chance.random() < 0.95 else chance.choice([2, 30, 200]))
    volumes = [chance.choice([0.0, 0.5, 3.0, 40.0, 1000.0]) for _ in candles]
    return Tape(
        "made up",
        np.array(times, np.int64),
        np.ascontiguousarray(np.array(candles, np.int64)),
        np.array(volumes, np.float64),
        D(unit),
        MINUTE_MS,
        (),
        (),
    )


def random_market(chance: random.Random) -> Market:
    """Fees of every kind, coarse lots too."""
    third: FeeIn = ThirdAsset("BNB", D("612.5"))
    return replace(
        PLAIN_MARKET,
        tick=D(chance.choice(["0.01", "0.01", "0.1"])),
        lot=D(chance.choice(["0.00001", "0.001", "0.01"])),
        maker_fee=D(chance.choice(["0", "0.0005", "0.001"])),
        taker_fee=D(chance.choice(["0", "0.001", "0.0015"])),
        fee_in=chance.choice(["received", "quote", third]),
    )


def unchecked_dca(
    seed: int, *, latency_ms: int = 0, participation: Decimal | None = None, stops: Stops = "none"
) -> MadeUp:
    """`stops`: what the market has; then most deals have a stop. Raises `UnableToConfigure`."""
    chance = random.Random(seed)
    config, tape, market = random_config(chance), random_prices(chance), random_market(chance)
    if stops != "none":
        market = replace(market, stops=stops)
        config = with_a_stop(config, random.Random(seed))
    investment = D(chance.choice(["3000", "10000"]))
    slippage = D(chance.choice(["0", "0", "0.002"]))
    dca = Dca(config, market, investment)
    dca.check(dca.trigger or tape.prices.item(0, 0) * tape.unit)
    bot = Bot(market, Limits(investment, breakers=False), at_once=not latency_ms and chance.random() < 0.5)
    rules = MatchingRules(chance.choice(["touch", "touch", "through"]), slippage, participation)
    walk = Walk(rules, backwards=chance.random() < 0.3, latency_ms=latency_ms)
    return MadeUp(None, bot, bot.start(dca, opened(investment)), tape, walk)  # type: ignore[arg-type]


def made_up_dca(seed: int, **changes: Any) -> MadeUp:
    """As `unchecked_dca`; a configuration that is refused is none of the test's business."""
    try:
        return unchecked_dca(seed, **changes)
    except UnableToConfigure:
        reject()


def watch_dca(
    made: MadeUp, see: Callable[[BotState, Step], None] | None = None, *, skip: bool = True
) -> tuple[BotState, list[Kept]]:
    """Run it as a backtest does, and look at every step that is journalled."""
    walk, tape = made.walk, made.tape
    feed = TapeFeed(
        tape,
        backwards=walk.backwards,
        skip=skip and walk.rules.participation is None,
        clock=bool(walk.latency_ms),
        volumes=walk.rules.participation is not None,
        timeframe_ms=made.state.strategy.timeframe_ms,
    )
    book = Book(made.bot.market, walk.rules, made.state.ledger.quote, made.state.ledger.base)
    exchange = SimulatedExchange(book, feed, thin=skip, latency_ms=walk.latency_ms, first=(Started(START_MS, "b"),))
    journal = Watching(see)
    last = asyncio.run(run(made.bot, made.state, exchange, journal))
    return last, journal.kept

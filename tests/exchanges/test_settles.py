"""A strategy that wants the same for ever at one moment is stopped, in words."""

import pytest

from autogrid.exchanges.simulated import MOST_AT_ONCE, UnableToSettle
from autogrid.trading.bot import Bot
from autogrid.trading.event import Filled
from autogrid.trading.ledger import opened
from autogrid.trading.order import Order
from autogrid.trading.plan import Target, Wish
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.strategy import Strategy, Tally, View
from autogrid.wiring.simulation import simulate
from tests.builders import PLAIN_MARKET, D, tape_through


class ToAndFro(Strategy[int]):
    """Buys, sells, buys again, all at one price."""

    name = "to-and-fro"

    def start(self) -> int:
        return 0

    def look(self, memory: int, view: View) -> int:
        return memory

    def learn(self, memory: int, order: Order, fill: Filled | None, view: View) -> int:
        return memory + 1 if fill is not None else memory

    def targets(self, memory: int, view: View) -> Wish:
        side = "sell" if memory % 2 else "buy"
        target = Target(f"{memory}-it", "sell" if memory % 2 else "buy", view.price, D("0.1"), "market")
        assert target.side == side
        return Wish({target.slot: target})

    def tally(self, memory: int) -> Tally:
        return Tally(D(0), memory // 2)

    def start_price(self, memory: int) -> None:
        return None


def test_to_and_fro_at_one_moment_ends_with_a_sentence() -> None:
    market = PLAIN_MARKET.__class__("BTC", "USDT", D("0.01"), D("0.00001"), D(5), D(0), D(0))
    bot = Bot(market, Limits(D(1000), breakers=False), at_once=True)
    state = bot.start(ToAndFro({}, market, D(1000)), opened(D(1000)))
    with pytest.raises(UnableToSettle, match=f"asked for {MOST_AT_ONCE} orders at one moment, the last in slot"):
        simulate(bot, state, tape_through("100", "101"))

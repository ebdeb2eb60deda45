"""The market of a run: how prices move, who hears them, and what strangers do on the same accounts."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from autogrid.simulator.records import UnableToTrade, Wanted
from autogrid.trading.money import ZERO
from autogrid.trading.order import Side
from tests.simulation.scenario import PRICES
from tests.simulation.stage import Stage

HEARTBEAT_S = 25.0
"""While the price stands it is told so often that it does."""
LONGEST_S = 80.0
"""Between two prices: a source that is heard says at least so often that the price stands."""


class Market:
    """Prices, and strangers."""

    def __init__(self, stage: Stage, mischief: Callable[[], Awaitable[None]]) -> None:
        """`mischief` is made after each price."""
        self._stage = stage
        self._mischief = mischief
        self._named = 0
        self.silent_until = 0.0
        """No price is told before."""

    async def run(self) -> None:
        """Prices, for ever."""
        chance, chaos = self._stage.chance, self._stage.chaos
        while True:
            if self._stopped():
                await asyncio.sleep(HEARTBEAT_S)
                for symbol, price in self._stage.prices.items():
                    self._tell_price(symbol, price)
                continue
            await asyncio.sleep(min(chance.expovariate(1 / self._stage.scenario.gap_s), LONGEST_S))
            if self._stopped():
                continue
            for _ in range(chance.randint(5, 30) if chaos.hits("burst") else 1):
                self._move(chance.choice(list(self._stage.prices)))
                await asyncio.sleep(chance.uniform(0, 0.4))
            await self._mischief()

    def _stopped(self) -> bool:
        return self._stage.quiet

    def _move(self, symbol: str) -> None:
        chance, price = self._stage.chance, self._stage.prices[symbol]
        market = self._stage.scenario.markets[symbol]
        pull = float(PRICES[symbol] / price - 1) * 0.01
        step = chance.gauss(pull, 0.0015) if chance.random() > 0.01 else chance.gauss(pull, 0.012)
        price = max(market.nearest_price(price * (1 + Decimal(f"{step:.6f}"))), market.tick)
        self._stage.prices[symbol] = price
        most = None
        if self._stage.chaos.hits("partial fills"):
            most = market.quantity(Decimal(f"{chance.uniform(0.01, 0.5):.4f}") * 500 / price)
        self._stage.side.world.set_depth(symbol, most)
        self._stage.side.world.move(symbol, price, most=most)
        self._tell_price(symbol, price)

    def _tell_price(self, symbol: str, price: Decimal) -> None:
        if self._stage.loop.time() < self.silent_until and not self._stage.quiet:
            return
        at_ms = self._stage.side.now_ms()
        for engine in self._stage.engines:
            late = self._stage.chaos.latency()
            self._stage.loop.call_later(late, engine.hear, symbol, at_ms, price, context=engine.host.context)

    def others(self) -> None:
        """What other people and programs do on the accounts."""
        chance, chaos, world = self._stage.chance, self._stage.chaos, self._stage.side.world
        account = chance.choice(list(self._stage.scenario.accounts))
        symbol = chance.choice(list(self._stage.prices))
        market, price = self._stage.scenario.markets[symbol], self._stage.prices[symbol]
        side: Side = "buy" if chaos.between(0, 1) < 0.5 else "sell"
        quantity = market.quantity(Decimal(40) / price)
        if chaos.hits("manual trade"):
            self._dare(account, Wanted(symbol, side, "market", "", None, quantity))
        if chaos.hits("foreign order"):
            self._named += 1
            away = Decimal("0.98") if side == "buy" else Decimal("1.02")
            name = chaos.one_of("", f"web_{self._named}", f"bzzzzzzz-n1-{self._named}")
            at = market.nearest_price(price * away)
            self._dare(account, Wanted(symbol, side, "limit", name, at, quantity))
        if chaos.hits("deposit"):
            amount = Decimal(chance.choice((-50, 100)))
            if world.wallet(account)["USDT"].free + amount > 1_000:
                world.credit(account, "USDT", amount)

    def _dare(self, account: str, wanted: Wanted) -> None:
        """Somebody else's order; only from what is not the bots'."""
        market = self._stage.scenario.markets[wanted.symbol]
        asset = market.quote if wanted.side == "buy" else market.base
        need = Decimal(45) if wanted.side == "buy" else wanted.quantity or ZERO
        held = sum(
            (
                order.left * order.price if order.side == "buy" else order.left
                for order in self._stage.side.world.open_orders(account)
                if order.client_id.startswith(("sim", "web_", "bzzzzzzz"))
                and (order.side == "buy") == (wanted.side == "buy")
            ),
            ZERO,
        )
        if self._stage.checks.outside[account, asset] - held * Decimal("1.01") < need * 2:
            return
        try:
            self._stage.side.world.place(account, wanted)
        except UnableToTrade:
            return

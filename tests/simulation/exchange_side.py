"""The exchange's side: a `World`, what it remembers of each account for questions that are answered late, and whom its
streams tell. It lives as long as the run; engines come and go.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from autogrid.engine.venue import OwnOrder, OwnTrade
from autogrid.simulator.records import OrderKey, OrderNews, SimOrder, SimTrade, WorldNews
from autogrid.simulator.world import World
from autogrid.trading.market import Market
from tests.simulation.chaos import Chaos
from tests.simulation.clock import VirtualLoop

Style: TypeAlias = Literal["binance", "bybit", "mexc"]
"""`binance`: a used client id may be used again, trades asked for do not name it, post-only is refused at once.
`bybit`: each client id once, post-only is accepted and then taken out. `mexc`: nowhere do trades name the client id."""

Tell = Callable[[OwnOrder | OwnTrade], None]


@dataclass
class Remembered:
    """What the exchange knows of an account, and since when."""

    states: dict[OrderKey, list[tuple[int, OwnOrder]]] = field(default_factory=dict)
    """Of each order, every state with the time since when it was so."""
    lately: dict[OrderKey, None] = field(default_factory=dict)
    """Orders that changed lately, the last of them last."""
    trades: dict[str, list[OwnTrade]] = field(default_factory=dict)
    """By symbol, oldest first."""
    streams: dict[Tell, None] = field(default_factory=dict)


class ExchangeSide:
    """One exchange."""

    def __init__(
        self, loop: VirtualLoop, chaos: Chaos, markets: Mapping[str, Market], style: Style, start_ms: int
    ) -> None:
        self.loop = loop
        self.context = copy_context()
        """What is the world's own runs in it."""
        self.chaos = chaos
        self.style = style
        self.start_ms = start_ms
        self.world = World(markets, self.now_ms, client_ids_once=style != "binance", ids_by_market=style == "binance")
        self.away_until_ms = 0
        self.heard: list[Callable[[WorldNews], None]] = []
        """Who watches: the checks, the trace."""
        self._accounts: dict[str, Remembered] = {}
        self.world.listen(self._hear)

    def now_ms(self) -> int:
        """UTC."""
        return self.start_ms + self.loop.now_ms()

    def add_account(self, name: str, funds: Mapping[str, Decimal]) -> None:
        """An account that owns `funds`."""
        self.world.add_account(name, funds)
        self._accounts[name] = Remembered()

    def of(self, account: str) -> Remembered:
        """What is known of it."""
        return self._accounts[account]

    def _hear(self, news: WorldNews) -> None:
        for watch in self.heard:
            watch(news)
        if isinstance(news, OrderNews):
            self._remember(news)

    def _remember(self, news: OrderNews) -> None:
        order, now = news.order, self.now_ms()
        mind = self._accounts[order.account]
        told = self.told(order)
        mind.states.setdefault(order.key, []).append((now, told))
        mind.lately.pop(order.key, None)
        mind.lately[order.key] = None
        while len(mind.lately) > 400:
            del mind.lately[next(iter(mind.lately))]
        for tell in tuple(mind.streams):
            if news.trade is not None:
                tell(_trade(news.trade, named=self.style != "mexc"))
            tell(told)
        if news.trade is not None:
            mind.trades.setdefault(order.symbol, []).append(_trade(news.trade, named=self.style == "bybit"))

    def told(self, order: SimOrder) -> OwnOrder:
        """As the exchange tells it."""
        status: Literal["open", "filled", "cancelled", "expired", "rejected"]
        match order.status:
            case "new" | "partial":
                status = "open"
            case "rejected":
                status = "cancelled" if self.style == "bybit" else "rejected"
            case other:
                status = other
        return OwnOrder(
            order.symbol,
            order.client_id,
            str(order.exchange_id),
            order.side,
            status,
            order.price,
            order.quantity,
            order.filled,
            order.changed_ms,
            order.why,
        )

    # --- as it was a while ago ----------------------------------------------------------------------------------

    def found(self, account: str, order: SimOrder | None, lag_ms: int) -> OwnOrder | None:
        """The order as it was `lag_ms` ago; None where it was not there then."""
        if order is None:
            return None
        if not lag_ms:
            return self.told(order)
        return _then(self._accounts[account].states[order.key], self.now_ms() - lag_ms)

    def open_orders(self, account: str, symbol: str, lag_ms: int) -> list[OwnOrder]:
        """Open orders as they were `lag_ms` ago."""
        present = self.world.open_orders(account, symbol)
        if not lag_ms:
            return [self.told(order) for order in present]
        mind, then = self._accounts[account], self.now_ms() - lag_ms
        ids = dict.fromkeys([*(order.key for order in present), *mind.lately])
        found = [_then(mind.states[one], then) for one in ids]
        return [own for own in found if own is not None and own.status == "open" and own.symbol == symbol]

    def trades_from(self, account: str, symbol: str, first: int, most: int, lag_ms: int) -> list[OwnTrade]:
        """Trades with an id from `first` on, at most so many, those of the last `lag_ms` left out."""
        trades = self._accounts[account].trades.get(symbol, [])
        begin = bisect_left(trades, first, key=lambda trade: int(trade.trade_id))
        page = trades[begin : begin + most]
        until = self.now_ms() - lag_ms
        for index, trade in enumerate(page):
            if trade.at_ms > until:
                return page[:index]
        return page

    def last_trade(self, account: str, symbol: str) -> int:
        """The id of the last trade; zero where there is none."""
        trades = self._accounts[account].trades.get(symbol, [])
        return int(trades[-1].trade_id) if trades else 0


def _then(states: list[tuple[int, OwnOrder]], then: int) -> OwnOrder | None:
    found = None
    for since, own in states:
        if since > then:
            break
        found = own
    return found


def _trade(trade: SimTrade, *, named: bool) -> OwnTrade:
    return OwnTrade(
        trade.symbol,
        str(trade.id),
        str(trade.exchange_id),
        trade.client_id if named else "",
        trade.side,
        trade.price,
        trade.quantity,
        trade.fee,
        trade.fee_asset,
        trade.maker,
        trade.at_ms,
    )

"""What a strategy would do, told before any money moves: a table of orders, some facts, and warnings."""

from typing import NamedTuple

from autogrid.trading.money import Price, text
from autogrid.trading.strategies.strategy import AnyStrategy


class Column(NamedTuple):
    """A column of the table."""

    key: str
    title: str
    title_pt: str


class Row(NamedTuple):
    """A row of the table: one cell for each column."""

    cells: tuple[str, ...]
    breach: str | None = None
    """The exchange's rule that this order would break."""


class Fact(NamedTuple):
    """One figure worth knowing."""

    key: str
    title: str
    title_pt: str
    value: str
    unit: str = ""
    """Such as USDT, or %."""


class Preview(NamedTuple):
    """A strategy before it starts, for any kind but a grid."""

    price: Price
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()
    confirm: bool = False
    """Whether a person must confirm before it starts."""


def plain_preview(strategy: AnyStrategy, price: Price) -> Preview:
    """What can be said of any strategy. Raises `UnableToConfigure` where it cannot start at `price`."""
    strategy.check(price)
    funds = Fact("investment", "Investment", "Investimento", text(strategy.investment), strategy.market.quote)
    return Preview(price, facts=(funds,))

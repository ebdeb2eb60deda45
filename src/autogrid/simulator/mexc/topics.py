"""What a stream can be asked for: channels by their names."""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from autogrid.simulator.mexc.names import INTERVALS_OF_STREAMS, id_of
from autogrid.simulator.world import World

Kind: TypeAlias = Literal[
    "deals",
    "ticker",
    "ticker_batch",
    "depth",
    "limit_depth",
    "kline",
    "mini",
    "minis",
    "own_orders",
    "own_deals",
    "account",
]
PRIVATE: Final = frozenset({"own_orders", "own_deals", "account"})

ORDERS: Final = "spot@private.orders.v3.api.pb"
DEALS: Final = "spot@private.deals.v3.api.pb"
ACCOUNT: Final = "spot@private.account.v3.api.pb"
FAST: Final = "@(?P<detail>100ms|10ms)@(?P<id>[A-Z0-9]+)"
ZONE: Final = r"@(?P<detail>24H|UTC[+-]\d{1,2})"
PATTERNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("deals", re.compile(r"spot@public\.aggre\.deals\.v3\.api\.pb" + FAST)),
    ("ticker", re.compile(r"spot@public\.aggre\.bookTicker\.v3\.api\.pb" + FAST)),
    ("depth", re.compile(r"spot@public\.aggre\.depth\.v3\.api\.pb" + FAST)),
    ("ticker_batch", re.compile(r"spot@public\.bookTicker\.batch\.v3\.api\.pb@(?P<id>[A-Z0-9]+)(?P<detail>)")),
    ("limit_depth", re.compile(r"spot@public\.limit\.depth\.v3\.api\.pb@(?P<id>[A-Z0-9]+)@(?P<detail>5|10|20)")),
    ("kline", re.compile(r"spot@public\.kline\.v3\.api\.pb@(?P<id>[A-Z0-9]+)@(?P<detail>[A-Z][a-z]+\d+)")),
    ("mini", re.compile(r"spot@public\.miniTicker\.v3\.api\.pb@(?P<id>[A-Z0-9]+)" + ZONE)),
    ("minis", re.compile(r"spot@public\.miniTickers\.v3\.api\.pb(?P<id>)" + ZONE)),
    ("own_orders", re.compile(re.escape(ORDERS) + "(?P<id>)(?P<detail>)")),
    ("own_deals", re.compile(re.escape(DEALS) + "(?P<id>)(?P<detail>)")),
    ("account", re.compile(re.escape(ACCOUNT) + "(?P<id>)(?P<detail>)")),
)


class Topic(NamedTuple):
    """A channel that is there."""

    channel: str
    """Its whole name."""
    kind: Kind
    symbol: str
    """Ours; empty where it is about none."""
    detail: str
    """The interval of candles, the number of levels."""


def topic_of(world: World, channel: str) -> Topic | None:
    """What `channel` is about; None where there is no such one."""
    for kind, pattern in PATTERNS:
        match = pattern.fullmatch(channel)
        if match is None:
            continue
        market_id, detail = match["id"], match["detail"]
        symbol = next((one for one in world.markets if id_of(one) == market_id), "")
        known = bool(symbol) or not market_id
        if kind == "kline":
            known = known and detail in INTERVALS_OF_STREAMS
        return Topic(channel, kind, symbol, detail) if known else None
    return None

"""The protobuf frames of MEXC's stream, with the field numbers that MEXC publishes.

The messages are described in a table and built in a descriptor pool of their own, so that they stand beside those of a
client library in the same process. Prices and amounts are text within them.
"""

from collections.abc import Mapping
from typing import Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

PACKAGE: Final = "simulated"
TYPES: Final = {
    "text": FieldDescriptorProto.TYPE_STRING,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "bool": FieldDescriptorProto.TYPE_BOOL,
}
LEVELS: Final = "1 asks Level*, 2 bids Level*, 3 eventType text"
TICKER: Final = "1 bidPrice text, 2 bidQuantity text, 3 askPrice text, 4 askQuantity text"
MESSAGES: Final[Mapping[str, str]] = {
    "Deal": "1 price text, 2 quantity text, 3 tradeType int32, 4 time int64",
    "Deals": "1 deals Deal*, 2 eventType text",
    "Level": "1 price text, 2 quantity text",
    "LimitDepths": f"{LEVELS}, 4 version text",
    "AggreDepths": f"{LEVELS}, 4 fromVersion text, 5 toVersion text",
    "BookTicker": TICKER,
    "BookTickerBatch": "1 items BookTicker*",
    "Kline": "1 interval text, 2 windowStart int64, 3 openingPrice text, 4 closingPrice text, 5 highestPrice text,"
    "6 lowestPrice text, 7 volume text, 8 amount text, 9 windowEnd int64",
    "MiniTicker": "1 symbol text, 2 price text, 3 rate text, 4 zonedRate text, 5 high text, 6 low text, 7 volume text,"
    "8 quantity text, 9 lastCloseRate text, 10 lastCloseZonedRate text, 11 lastCloseHigh text, 12 lastCloseLow text",
    "MiniTickers": "1 items MiniTicker*",
    "Orders": "1 id text, 2 clientId text, 3 price text, 4 quantity text, 5 amount text, 6 avgPrice text,"
    "7 orderType int32, 8 tradeType int32, 9 isMaker bool, 10 remainAmount text, 11 remainQuantity text,"
    "12 lastDealQuantity text?, 13 cumulativeQuantity text, 14 cumulativeAmount text, 15 status int32,"
    "16 createTime int64, 17 market text?, 18 triggerType int32?, 19 triggerPrice text?, 20 state int32?,"
    "21 ocoId text?, 22 routeFactor text?, 23 symbolId text?, 24 marketId text?, 25 marketCurrencyId text?,"
    "26 currencyId text?",
    "OwnDeals": "1 price text, 2 quantity text, 3 amount text, 4 tradeType int32, 5 isMaker bool, 6 isSelfTrade bool,"
    "7 tradeId text, 8 clientOrderId text, 9 orderId text, 10 feeAmount text, 11 feeCurrency text, 12 time int64",
    "Account": "1 vcoinName text, 2 coinId text, 3 balanceAmount text, 4 balanceAmountChange text, 5 frozenAmount text,"
    "6 frozenAmountChange text, 7 type text, 8 time int64",
    "Wrapper": "1 channel text, 3 symbol text?, 4 symbolId text?, 5 createTime int64?, 6 sendTime int64?,"
    "303 publicLimitDepths LimitDepths|, 304 privateOrders Orders|, 306 privateDeals OwnDeals|,"
    "307 privateAccount Account|, 308 publicSpotKline Kline|, 309 publicMiniTicker MiniTicker|,"
    "310 publicMiniTickers MiniTickers|, 311 publicBookTickerBatch BookTickerBatch|,"
    "313 publicAggreDepths AggreDepths|, 314 publicAggreDeals Deals|, 315 publicAggreBookTicker BookTicker|",
}
"""Number, name and type of each field. `?`: its absence can be told from emptiness. `*`: many. `|`: one of the frame's
bodies."""


def _field(described: str, message: DescriptorProto) -> None:
    number, name, kind = described.split()
    field = message.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    bare = kind.rstrip("?*|")
    if bare in TYPES:
        field.type = TYPES[bare]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{bare}"
    if kind.endswith("*"):
        field.label = FieldDescriptorProto.LABEL_REPEATED
    elif kind.endswith("|"):
        field.oneof_index = 0


def _optional(described: str, message: DescriptorProto) -> None:
    """Presence of a plain field is a choice with one alternative, listed after all real choices."""
    name = described.split()[1]
    field = next(field for field in message.field if field.name == name)
    field.proto3_optional = True
    field.oneof_index = len(message.oneof_decl)
    message.oneof_decl.add(name=f"_{name}")


def _wrapper() -> type[Message]:
    file = FileDescriptorProto(name="simulated.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message, described = file.message_type.add(name=name), fields.split(",")
        if "|" in fields:
            message.oneof_decl.add(name="body")
        for one in described:
            _field(one, message)
        for one in described:
            if one.endswith("?"):
                _optional(one, message)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Wrapper"))


WRAPPER: Final = _wrapper()


def frame(channel: str, sent_ms: int, body: str, values: Mapping[str, object], *, symbol: str = "") -> bytes:
    """A frame for `channel` with one `body`, such as privateDeals.

    One without a symbol (accounts) says when it was made.
    """
    named: dict[str, object] = {"symbol": symbol} if symbol else {"createTime": sent_ms}
    return WRAPPER(channel=channel, sendTime=sent_ms, **named, **{body: dict(values)}).SerializeToString()

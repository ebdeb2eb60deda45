"""The simulated MEXC's frames, read with the classes that MEXC's clients use: ccxt's own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from autogrid.simulator.mexc import public_frames
from autogrid.simulator.mexc.book import levels, version
from autogrid.simulator.mexc.frames import WRAPPER, frame
from autogrid.simulator.mexc.private_frames import account_frame, deal_frame, order_frame
from autogrid.simulator.mexc.topics import topic_of
from autogrid.simulator.records import Holding, OrderNews, Print, WalletNews, Wanted, WorldNews
from autogrid.simulator.world import World
from tests.simulator.test_mexc import BTC, SYMBOL

NOW_MS = 1_790_000_000_123
FAST = ".v3.api.pb@100ms@BTCUSDT"
STANDING = {
    "spot@public.aggre.bookTicker" + FAST: "publicAggreBookTicker",
    "spot@public.bookTicker.batch.v3.api.pb@BTCUSDT": "publicBookTickerBatch",
    "spot@public.limit.depth.v3.api.pb@BTCUSDT@5": "publicLimitDepths",
    "spot@public.kline.v3.api.pb@BTCUSDT@Min60": "publicSpotKline",
    "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+8": "publicMiniTicker",
    "spot@public.miniTickers.v3.api.pb@UTC+8": "publicMiniTickers",
}


def read(sent: bytes) -> PushDataV3ApiWrapper:
    """A frame as a client reads it; nothing in it may be unknown to the client."""
    message = PushDataV3ApiWrapper()
    message.ParseFromString(sent)
    for part in parts(message):
        assert len(UnknownFieldSet(part)) == 0, f"{part.DESCRIPTOR.name} has fields that ccxt does not know"
    return message


def parts(message: Message) -> Iterator[Message]:
    """A message and all within it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else [value]:
                yield from parts(one)


def numbers(descriptor: Any) -> dict[str, object]:
    """Names, numbers and types of a message's fields, and of those within."""
    return {
        field.name: (
            field.number,
            field.type,
            field.is_repeated,
            field.has_presence,
            numbers(field.message_type) if field.message_type else (),
        )
        for field in descriptor.fields
    }


def a_world() -> World:
    world = World({SYMBOL: BTC}, lambda: NOW_MS)
    world.add_account("ann", {"USDT": Decimal(1_000), "BTC": Decimal(1)})
    world.move(SYMBOL, Decimal(50_000))
    return world


def test_every_field_has_the_number_and_type_that_ccxt_knows() -> None:
    ours, theirs = numbers(WRAPPER.DESCRIPTOR), numbers(PushDataV3ApiWrapper.DESCRIPTOR)
    assert ours == {name: theirs[name] for name in ours}
    assert len(ours) == 16


@pytest.mark.parametrize("channel", STANDING)
def test_what_a_channel_shows_of_a_market_is_read(channel: str) -> None:
    world = a_world()
    topic = topic_of(world, channel)
    assert topic is not None
    sent = public_frames.standing(world, topic)
    assert sent is not None
    told = read(sent)
    assert (told.channel, told.WhichOneof("body"), told.sendTime) == (channel, STANDING[channel], NOW_MS)
    assert told.symbol == ("" if "Tickers" in channel else "BTCUSDT")


def test_prices_are_told_as_they_stand() -> None:
    world = a_world()
    told = [
        read(public_frames.standing(world, topic) or b"")
        for topic in (topic_of(world, one) for one in STANDING)
        if topic
    ]
    assert (told[0].publicAggreBookTicker.bidPrice, told[0].publicAggreBookTicker.askPrice) == ("49999.99", "50000.01")
    assert told[1].publicBookTickerBatch.items[0].bidQuantity == "1"
    assert [level.price for level in told[2].publicLimitDepths.bids][:2] == ["49999.99", "49999.98"]
    assert len(told[2].publicLimitDepths.asks) == 5
    kline = told[3].publicSpotKline
    assert (kline.interval, kline.closingPrice, kline.windowEnd - kline.windowStart) == ("Min60", "50000", 3600)
    assert kline.windowStart == NOW_MS // 3_600_000 * 3_600
    assert told[4].publicMiniTicker.price == told[5].publicMiniTickers.items[0].price == "50000"


def test_a_public_trade_and_the_book_it_leaves_are_read() -> None:
    world = a_world()
    news: list[WorldNews] = []
    world.listen(news.append)
    before = version(world, SYMBOL), levels(world, SYMBOL)
    world.move(SYMBOL, Decimal("49999.99"), Decimal("0.25"))
    [printed] = [one for one in news if isinstance(one, Print)]
    deals, depth = topic_of(world, "spot@public.aggre.deals" + FAST), topic_of(world, "spot@public.aggre.depth" + FAST)
    assert deals is not None
    assert depth is not None

    told = read(public_frames.deals(deals, printed))
    [deal] = told.publicAggreDeals.deals
    assert (deal.price, deal.quantity, deal.tradeType, deal.time) == ("49999.99", "0.25", 2, NOW_MS)
    assert told.publicAggreDeals.eventType == "spot@public.aggre.deals.v3.api.pb@100ms"

    after = version(world, SYMBOL), levels(world, SYMBOL)
    change = read(public_frames.depth(depth, NOW_MS, before, after)).publicAggreDepths
    assert int(change.fromVersion) == before[0] + 1
    assert int(change.toVersion) == after[0] == printed.id
    assert [(level.price, level.quantity) for level in change.bids] == [("49999.99", "0"), ("49999.79", "1")]
    assert [(level.price, level.quantity) for level in change.asks] == [("50000.2", "0"), ("50000", "1")]


def test_an_order_its_trade_and_the_balances_are_read() -> None:
    world = a_world()
    frames: list[bytes] = []

    def hear(news: WorldNews) -> None:
        if isinstance(news, OrderNews):
            frames.append(order_frame(news, NOW_MS))
            if news.trade is not None:
                frames.append(deal_frame(news.order, news.trade, NOW_MS))
        elif isinstance(news, WalletNews):
            frames.append(account_frame(news, Holding(Decimal(1), Decimal(0)), credited=False))

    world.listen(hear)
    world.place("ann", Wanted(SYMBOL, "sell", "maker", "s-1", Decimal(51_000), Decimal("0.4")))
    world.move(SYMBOL, Decimal(51_000), most=Decimal("0.1"))
    world.cancel("ann", SYMBOL, client_id="s-1")
    told = [read(one) for one in frames]

    orders = [one.privateOrders for one in told if one.WhichOneof("body") == "privateOrders"]
    assert [one.status for one in orders] == [1, 3, 5]
    assert [one.HasField("lastDealQuantity") for one in orders] == [False, True, False]
    part = orders[1]
    assert (part.clientId, part.orderType, part.tradeType, part.isMaker) == ("s-1", 2, 2, True)
    assert (part.price, part.quantity, part.amount) == ("51000", "0.4", "20400")
    assert (part.cumulativeQuantity, part.remainQuantity, part.lastDealQuantity) == ("0.1", "0.3", "0.1")
    assert (part.cumulativeAmount, part.remainAmount, part.avgPrice) == ("5100", "15300", "51000")

    [deal] = [one.privateDeals for one in told if one.WhichOneof("body") == "privateDeals"]
    assert (deal.price, deal.quantity, deal.amount, deal.isMaker) == ("51000", "0.1", "5100", True)
    assert (deal.orderId, deal.clientOrderId) == (part.id, "s-1")
    assert (deal.feeAmount, deal.feeCurrency, deal.time) == ("0.51", "USDT", NOW_MS)

    placed = next(one for one in told if one.WhichOneof("body") == "privateAccount")
    assert not placed.HasField("symbol")
    account = placed.privateAccount
    assert (account.vcoinName, account.balanceAmount, account.frozenAmount) == ("BTC", "0.6", "0.4")
    assert (account.balanceAmountChange, account.frozenAmountChange, account.type) == ("-0.4", "0.4", "ENTRUST_PLACE")


def test_a_deposit_is_told_as_one() -> None:
    news = WalletNews("ann", "USDT", Holding(Decimal(7), Decimal(2)), NOW_MS)
    account = read(account_frame(news, Holding(Decimal(4), Decimal(2)), credited=True)).privateAccount
    assert (account.type, account.balanceAmountChange, account.frozenAmountChange) == ("DEPOSIT", "3", "0")


def test_a_frame_without_a_symbol_says_when_it_was_made() -> None:
    assert read(frame("c", 5, "privateAccount", {})).createTime == 5
    assert not read(frame("c", 5, "privateAccount", {}, symbol="BTCUSDT")).HasField("createTime")

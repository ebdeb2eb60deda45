"""ccxt.pro, unchanged, trades on our Binance: only where its connections lead is ours."""

import asyncio
from decimal import Decimal
from pathlib import Path

import ccxt
import pytest

from autogrid.simulator.faults import Fault
from autogrid.simulator.records import Wanted
from tests.simulator.local_binance import ACCOUNT, SYMBOL, ccxt_binance, local_binance


@pytest.mark.asyncio
async def test_markets_come_with_their_rules(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        markets = await client.load_markets()
        assert set(markets) == {"BTC/USDT", "ETH/USDT"}
        market = markets[SYMBOL]
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
        assert market["limits"]["cost"]["min"] == 5.0
        assert market["active"]


@pytest.mark.asyncio
async def test_an_order_rests_is_found_and_is_cancelled(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        made = await client.create_order(SYMBOL, "limit", "buy", 0.01, 59_000, {"clientOrderId": "one"})
        assert (made["status"], made["clientOrderId"]) == ("open", "one")
        assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [made["id"]]
        assert (await client.fetch_balance())["USDT"]["used"] == 590.0
        gone = await client.cancel_order(made["id"], SYMBOL)
        assert gone["status"] == "canceled"
        found = await client.fetch_order(None, SYMBOL, {"clientOrderId": "one"})
        assert (found["status"], found["id"]) == ("canceled", made["id"])
        assert (await client.fetch_balance())["USDT"]["free"] == 10_000.0


@pytest.mark.asyncio
async def test_a_fill_comes_over_the_stream_and_as_a_trade(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        orders = asyncio.create_task(client.watch_orders(SYMBOL))
        made = await client.create_order(SYMBOL, "limit", "buy", 0.01, 59_000, {"postOnly": True})
        seen = await asyncio.wait_for(orders, 10)
        assert (seen[-1]["id"], seen[-1]["status"]) == (made["id"], "open")
        trades = asyncio.create_task(client.watch_my_trades(SYMBOL))
        await asyncio.sleep(0)
        local.world.move(SYMBOL, Decimal(58_900))
        fills = await asyncio.wait_for(trades, 10)
        assert [(fill["order"], fill["amount"], fill["price"]) for fill in fills] == [(made["id"], 0.01, 59_000.0)]
        assert fills[0]["fee"] == {"cost": 0.00001, "currency": "BTC"}
        asked = await client.fetch_my_trades(SYMBOL, None, None, {"fromId": int(fills[0]["id"])})
        assert [trade["id"] for trade in asked] == [fills[0]["id"]]


@pytest.mark.asyncio
async def test_the_balance_comes_over_the_stream(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        balance = asyncio.create_task(client.watch_balance())
        while not balance.done():
            local.world.place(ACCOUNT, Wanted(SYMBOL, "buy", "limit", "", Decimal(50_000), Decimal("0.001")))
            await asyncio.wait([balance], timeout=0.1)
        held = local.world.wallet(ACCOUNT)["USDT"].held
        assert 0 < balance.result()["USDT"]["used"] <= float(held)


@pytest.mark.asyncio
async def test_prices_come_over_the_stream(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        ticker = await asyncio.wait_for(client.watch_ticker(SYMBOL), 10)
        assert ticker["last"] == 60_000.0
        watched = asyncio.create_task(client.watch_trades(SYMBOL))
        while not watched.done():
            local.world.move(SYMBOL, Decimal(60_001))
            await asyncio.wait([watched], timeout=0.1)
        assert watched.result()[-1]["price"] == 60_001.0
        book = await asyncio.wait_for(client.fetch_order_book(SYMBOL), 10)
        assert book["bids"][0][0] == 60_000.99


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("quantity", "price", "refusal", "words"),
    [
        ("0.01", "59000.001", ccxt.InvalidOrder, "PRICE_FILTER"),
        ("0.000011", "59000", ccxt.InvalidOrder, "LOT_SIZE"),
        ("0.00008", "59000", ccxt.BadRequest, "NOTIONAL"),
        ("0.1", "100", ccxt.InvalidOrder, "PERCENT_PRICE_BY_SIDE"),
        ("1", "59000", ccxt.InsufficientFunds, "insufficient balance"),
    ],
)
async def test_refusals_bear_the_codes_of_binance(
    tmp_path: Path, quantity: str, price: str, refusal: type[Exception], words: str
) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        with pytest.raises(refusal, match=words):
            await client.private_post_order({**order, "quantity": quantity, "price": price})
        assert local.world.orders(ACCOUNT) == []


@pytest.mark.asyncio
async def test_a_post_only_order_that_would_trade_is_refused(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        with pytest.raises(ccxt.OrderImmediatelyFillable, match="match and take"):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 60_100, {"postOnly": True})


@pytest.mark.asyncio
async def test_a_wrong_key_a_wrong_secret_and_a_late_request_are_refused(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        client.secret = "another"
        with pytest.raises(ccxt.AuthenticationError, match="-1022"):
            await client.fetch_balance()
        client.apiKey = "anotherkey00"
        with pytest.raises(ccxt.AuthenticationError, match="-2015"):
            await client.fetch_balance()
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        client.options["timeDifference"] = 20_000
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await client.fetch_balance()


@pytest.mark.asyncio
async def test_a_lost_answer_leaves_the_order_that_was_placed(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        local.faults.add(Fault("lost-answer", count=1, where="place"))
        with pytest.raises(ccxt.NetworkError):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 59_000, {"clientOrderId": "lost"})
        assert (await client.fetch_order(None, SYMBOL, {"clientOrderId": "lost"}))["status"] == "open"
        assert local.faults.given == {"lost-answer": 1}


@pytest.mark.asyncio
async def test_who_calls_inside_a_429_is_banned(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        local.faults.add(Fault("limit-429", count=1))
        with pytest.raises(ccxt.DDoSProtection, match="429"):
            await client.fetch_time()
        with pytest.raises(ccxt.DDoSProtection, match="banned"):
            await client.fetch_time()


@pytest.mark.asyncio
async def test_orders_of_other_kinds_are_made_and_changed(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        stop = await client.create_order(SYMBOL, "limit", "sell", 0.01, 58_000, {"stopLossPrice": 58_100})
        assert [order.waiting for order in local.world.open_orders(ACCOUNT)] == [True]
        await client.create_market_buy_order_with_cost(SYMBOL, 100)
        at_once = await client.create_order(SYMBOL, "limit", "buy", 0.01, 61_000, {"timeInForce": "IOC"})
        assert (at_once["status"], at_once["average"]) == ("closed", 60_000.0)
        resting = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 51_000)
        changed = await client.edit_order(resting["id"], SYMBOL, "limit", "buy", 0.01, 51_500)
        assert {order["id"] for order in await client.fetch_open_orders(SYMBOL)} == {stop["id"], changed["id"]}
        await client.cancel_all_orders(SYMBOL)
        assert await client.fetch_open_orders(SYMBOL) == []
        assert len(await client.fetch_orders(SYMBOL)) == 5


@pytest.mark.asyncio
async def test_the_book_and_candles_come_over_the_stream(tmp_path: Path) -> None:
    async with local_binance(tmp_path) as local, ccxt_binance(local) as client:
        await client.load_markets()
        for watch in (client.watch_order_book(SYMBOL), client.watch_ohlcv(SYMBOL, "1m")):
            watched = asyncio.create_task(watch)
            while not watched.done():
                local.world.move(SYMBOL, Decimal(60_001))
                await asyncio.wait([watched], timeout=0.1)
            assert watched.result()
        book = client.orderbooks[SYMBOL]
        assert (book["bids"][0][0], book["asks"][0][0]) == (60_000.99, 60_001.01)

"""The simulated MEXC's stream by itself: what it answers, whom it tells what, and when it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from ccxt.protobuf.mexc.PushDataV3ApiWrapper_pb2 import PushDataV3ApiWrapper

from autogrid.simulator.faults import Fault
from autogrid.simulator.mexc.listen_keys import VALID_MS
from autogrid.simulator.records import Key, Wanted
from tests.simulator.test_mexc import PATIENCE_S, SECRET, SYMBOL, Bench, bench
from tests.simulator.test_mexc_refusals import ask, signed

__all__ = ["bench"]  # the fixture
STREAM = "wss://wbs-api.mexc.com/ws"
KEYS = "/api/v3/userDataStream"
ORDERS, OWN_DEALS, ACCOUNT = (f"spot@private.{name}.v3.api.pb" for name in ("orders", "deals", "account"))
DEALS = "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"
TICKER = "spot@public.aggre.bookTicker.v3.api.pb@100ms@BTCUSDT"


class Ear:
    """One raw connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, method: str, *params: str, **more: Any) -> Any:
        """Ask, and read the next answer."""
        await self.socket.send_json({"method": method, "params": list(params), **more})
        return json.loads(await self.socket.receive_str(timeout=PATIENCE_S))

    async def event(self) -> PushDataV3ApiWrapper:
        """The next frame."""
        return PushDataV3ApiWrapper.FromString(await self.socket.receive_bytes(timeout=PATIENCE_S))

    async def has_ended(self) -> bool:
        """Whether the next thing to come is the end."""
        message = await self.socket.receive(timeout=PATIENCE_S)
        return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@asynccontextmanager
async def listening(bench: Bench, listen_key: str = "") -> AsyncIterator[Ear]:
    url = f"{STREAM}?listenKey={listen_key}" if listen_key else STREAM
    async with bench.session.ws_connect(url) as socket:
        yield Ear(socket)


async def new_key(bench: Bench) -> str:
    return str((await ask(bench, "POST", KEYS, signed(bench, {}))).body["listenKey"])


def place(bench: Bench, account: str = "ann") -> None:
    wanted = Wanted(SYMBOL, "sell", "limit", "", Decimal(51_000), Decimal("0.01"))
    bench.world.place(account, wanted)


@pytest.mark.asyncio
async def test_a_ping_is_answered_however_it_is_written(bench: Bench) -> None:
    async with listening(bench) as ear:
        assert await ear.say("PING") == {"id": 0, "code": 0, "msg": "PONG"}
        assert await ear.say("ping", id=7) == {"id": 7, "code": 0, "msg": "PONG"}


@pytest.mark.asyncio
async def test_what_is_subscribed_is_echoed_and_told_until_it_is_not(bench: Bench) -> None:
    async with listening(bench) as ear:
        assert (await ear.say("SUBSCRIPTION", DEALS, TICKER))["msg"] == f"{DEALS},{TICKER}"
        assert (await ear.event()).publicAggreBookTicker.bidPrice == "49999.99"
        bench.world.move(SYMBOL, Decimal(50_001))
        told = {event.channel: event for event in [await ear.event(), await ear.event()]}
        assert told[DEALS].publicAggreDeals.deals[0].price == "50001"
        assert told[TICKER].publicAggreBookTicker.askPrice == "50001.01"
        assert (await ear.say("UNSUBSCRIPTION", DEALS))["msg"] == DEALS
        bench.world.move(SYMBOL, Decimal(50_002))
        assert (await ear.event()).channel == TICKER


@pytest.mark.asyncio
async def test_a_refusal_has_code_zero_and_names_what_is_refused(bench: Bench) -> None:
    unknown = DEALS.replace("BTC", "NONE")
    async with listening(bench) as ear:
        alone = await ear.say("SUBSCRIPTION", unknown)
        assert alone == {"id": 0, "code": 0, "msg": f"Not Subscribed successfully! [{unknown}].  Reason： Blocked! "}
        both = await ear.say("SUBSCRIPTION", unknown, DEALS)
        assert both["msg"].startswith(f"Subscribed successful! [{DEALS}]. Not Subscribed successfully! [{unknown}]")
        for blocked in ("spot@public.increase.depth.v3.api.pb@BTCUSDT", "spot@public.kline.v3.api.pb@BTCUSDT@Min7"):
            assert blocked in (await ear.say("SUBSCRIPTION", blocked))["msg"]
        assert "Not Subscribed" in (await ear.say("SUBSCRIPTION", ORDERS))["msg"]
        assert bench.streams.heard() == {DEALS}


@pytest.mark.asyncio
async def test_a_connection_hears_thirty_channels_and_no_more(bench: Bench) -> None:
    names = [f"spot@public.{kind}.v3.api.pb@BTCUSDT@{detail}" for kind, detail in _thirty_two()]
    async with listening(bench) as ear:
        answer = await ear.say("SUBSCRIPTION", *names)
        assert f"Not Subscribed successfully! [{','.join(names[30:])}]" in answer["msg"]
        assert bench.streams.heard() == set(names[:30])


def _thirty_two() -> list[tuple[str, str]]:
    zones = [f"UTC{sign}{hour}" for sign in "+-" for hour in range(13)]
    return (
        [("miniTicker", zone) for zone in zones]
        + [("limit.depth", str(n)) for n in (5, 10, 20)]
        + [("kline", name) for name in ("Min1", "Min5", "Min15")]
    )


@pytest.mark.asyncio
async def test_a_day_is_told_once_in_three_seconds(bench: Bench) -> None:
    channel = "spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+0"
    bench.clock.stands_ms = bench.clock()
    async with listening(bench) as ear:
        await ear.say("SUBSCRIPTION", channel)
        for ahead_ms, price in ((0, 50_001), (2_999, 50_002), (1, 50_003)):
            bench.clock.stands_ms += ahead_ms
            bench.world.move(SYMBOL, Decimal(price))
        prices = [(await ear.event()).publicMiniTicker.price for _ in range(3)]
        assert prices == ["50000", "50001", "50003"]


@pytest.mark.asyncio
async def test_an_account_hears_its_own_and_nobody_elses(bench: Bench) -> None:
    bench.world.add_account("bob", {"BTC": Decimal(1)})
    bench.world.add_key(Key("other", SECRET, "bob"))
    async with listening(bench, await new_key(bench)) as ear:
        await ear.say("SUBSCRIPTION", ORDERS, OWN_DEALS, ACCOUNT)
        place(bench, "bob")
        place(bench)
        assert (await ear.event()).privateOrders.status == 1
        assert (await ear.event()).privateAccount.frozenAmountChange == "0.01"
        bench.world.move(SYMBOL, Decimal(51_000))
        assert [(await ear.event()).WhichOneof("body") for _ in range(2)] == ["privateOrders", "privateDeals"]
        assert (await ear.event()).privateAccount.type == "ENTRUST"
        assert (await ear.event()).privateAccount.vcoinName == "USDT"
        bench.world.credit("ann", "USDT", Decimal(5))
        deposit = (await ear.event()).privateAccount
        assert (deposit.type, deposit.balanceAmountChange) == ("DEPOSIT", "5")


@pytest.mark.asyncio
async def test_a_listen_key_is_valid_for_an_hour_from_its_renewal(bench: Bench) -> None:
    key = await new_key(bench)
    renew = {"listenKey": key}
    async with listening(bench, key) as ear:
        bench.clock.ahead_ms = VALID_MS - 60_000
        assert (await ask(bench, "PUT", KEYS, signed(bench, renew))).body == renew
        bench.clock.ahead_ms += VALID_MS - 60_000
        await ear.say("SUBSCRIPTION", ORDERS)
        place(bench)
        assert (await ear.event()).privateOrders.status == 1
        bench.clock.ahead_ms += 120_000
        place(bench)
        assert (await ear.say("PING"))["msg"] == "PONG"
        assert await ear.has_ended()
    assert (await ask(bench, "PUT", KEYS, signed(bench, renew))).code == 400
    assert (await ask(bench, "GET", KEYS, signed(bench, {}))).body == {"listenKey": []}


@pytest.mark.asyncio
async def test_a_closed_listen_key_ends_its_streams(bench: Bench) -> None:
    first, second = await new_key(bench), await new_key(bench)
    assert (await ask(bench, "GET", KEYS, signed(bench, {}))).body == {"listenKey": [first, second]}
    async with listening(bench, first) as ear, listening(bench, second) as other:
        await ask(bench, "DELETE", KEYS, signed(bench, {"listenKey": first}))
        assert await ear.has_ended()
        assert (await other.say("PING"))["msg"] == "PONG"


@pytest.mark.asyncio
async def test_an_invalid_listen_key_is_told_and_ends(bench: Bench) -> None:
    async with listening(bench, "nonsense") as ear:
        assert await ear.socket.receive_str(timeout=PATIENCE_S) == "Invalid listen key"
        assert await ear.has_ended()


@pytest.mark.asyncio
async def test_faults_strike_events_and_leave_pongs_alone(bench: Bench) -> None:
    async with listening(bench, await new_key(bench)) as ear:
        await ear.say("SUBSCRIPTION", ORDERS)
        bench.faults.add(Fault("duplicate-event", count=1))
        place(bench)
        assert (await ear.event()).privateOrders.id == (await ear.event()).privateOrders.id
        bench.faults.add(Fault("stall"))
        place(bench)
        assert (await ear.say("PING"))["msg"] == "PONG"
        bench.faults.clear()
        place(bench)
        assert (await ear.say("PING"))["msg"] == "PONG"
    async with listening(bench, await new_key(bench)) as ear:
        await ear.say("SUBSCRIPTION", ORDERS)
        bench.faults.add(Fault("drop-stream", count=1))
        place(bench)
        assert await ear.has_ended()


@pytest.mark.asyncio
async def test_nonsense_is_answered_and_the_stream_goes_on(bench: Bench) -> None:
    async with listening(bench) as ear:
        for said in ("{", "[1]", '{"method":"DANCE"}'):
            await ear.socket.send_str(said)
            assert json.loads(await ear.socket.receive_str(timeout=PATIENCE_S))["msg"].startswith("Invalid")
        assert (await ear.say("PING"))["msg"] == "PONG"


@pytest.mark.parametrize("channels", [(), (ORDERS,)])
@pytest.mark.asyncio
async def test_a_connection_that_hears_and_says_nothing_is_closed(bench: Bench, channels: tuple[str, ...]) -> None:
    bench.streams.idle_s = {False: 0.05, True: 0.05}
    async with listening(bench, await new_key(bench)) as ear:
        await ear.say("SUBSCRIPTION", *channels)
        assert await ear.has_ended()


@pytest.mark.asyncio
async def test_a_connection_that_hears_is_not_closed(bench: Bench) -> None:
    bench.streams.idle_s = {False: 0.05, True: 0.2}
    async with listening(bench) as ear:
        await ear.say("SUBSCRIPTION", DEALS)
        began_s = time.monotonic()
        while time.monotonic() < began_s + 0.5:
            bench.world.move(SYMBOL, Decimal(50_000))
            assert (await ear.event()).channel == DEALS
            await asyncio.sleep(0.01)
        assert (await ear.say("PING"))["msg"] == "PONG"

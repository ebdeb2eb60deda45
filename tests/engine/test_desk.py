"""The rules of sending once, each on its own; all of them at once, with faults, are in tests/simulation."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from autogrid.engine.account import Account
from autogrid.engine.desk import Desk
from autogrid.engine.lease import Hold, Lease, LeaseLost
from autogrid.engine.told import Told
from autogrid.engine.venue import ExchangeAway, OwnOrder
from autogrid.engine.wire_orders import intent_of
from autogrid.trading.event import Accepted, Cancelled, Event, Filled, Missing, Rejected, Unclear
from autogrid.trading.market import Market
from autogrid.trading.order import Order, decided
from autogrid.trading.state import BotState
from tests.builders import D, bot_of
from tests.engine.scripted_venue import ScriptedVenue
from tests.simulation.clock import VirtualLoop

BOT = "b1234567"
ORDER = decided("aa11-1-3.0b", "3.0b", "buy", "maker", D("100"), D("2"))
WIRE = "b1234567-aa11-1"
KEPT, ANOTHERS = "k1", "b7654321-cc33-1"
"""An order that an earlier run of another bot left open: its exchange id and its client id."""


class Bench:
    """A desk on a scripted exchange, in virtual time."""

    def __init__(self, state: BotState | None = None) -> None:
        bot, first = bot_of()
        self.venue = ScriptedVenue()
        loop = asyncio.get_running_loop()
        self.hold = Hold(Lease("main", "us", 1, 0), 0, lambda: int(loop.time() * 1_000))
        self.account = Account("main", self.venue, self.hold, kept_owner=self._kept_owner)
        self.told = Told(0)
        self.desk = Desk(BOT, state or first, bot.market, self.account, self.told)
        self.heard: list[Event] = []
        self.heard_at: list[float] = []
        """In seconds from the beginning."""
        self.fault: BaseException | None = None

    async def _kept_owner(self, symbol: str, exchange_id: str) -> str:
        return ANOTHERS if exchange_id == KEPT else ""

    async def begin(self, *, settled: bool = True) -> None:
        """Join the account, renew the lease for ever, and settle the start."""
        self.tasks = [asyncio.create_task(one) for one in (self.account.run(), self._renew(), self._listen())]
        self.account.join(self.desk)
        if settled:
            await self.desk.settle()

    async def _renew(self) -> None:
        while True:
            self.hold.renewed(self.hold.lease, self.hold.steady_ms())
            await asyncio.sleep(2)

    async def _listen(self) -> None:
        try:
            async for event in self.told.events():
                if not isinstance(event, str):
                    self.heard.append(event)
                    self.heard_at.append(asyncio.get_running_loop().time())
        except LeaseLost as fault:
            self.fault = fault

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.desk.stop()

    @property
    def kinds(self) -> list[type]:
        return [type(event) for event in self.heard]


def play(scene: Callable[[Bench], Awaitable[None]], state: BotState | None = None, *, settled: bool = True) -> Bench:
    """Play a scene in virtual time."""

    async def work() -> Bench:
        bench = Bench(state)
        await bench.begin(settled=settled)
        try:
            await scene(bench)
        finally:
            await bench.end()
        return bench

    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


def test_an_order_leaves_once_with_our_id_and_is_told_accepted() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(200)

    bench = play(scene)
    assert [intent.client_id for intent in bench.venue.sent] == [WIRE]
    assert bench.kinds == [Accepted]


def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again() -> None:
    async def scene(bench: Bench) -> None:
        bench.venue.answer = bench.venue.lose_answer
        bench.desk.place(ORDER)
        await asyncio.sleep(200)

    bench = play(scene)
    assert len(bench.venue.sent) == 1
    assert bench.kinds == [Unclear, Accepted]


def test_an_answer_without_our_id_is_no_answer() -> None:
    async def scene(bench: Bench) -> None:
        async def html(intent: object) -> OwnOrder:
            return (await bench.venue.accept(bench.venue.sent[-1]))._replace(client_id="", exchange_id="")

        bench.venue.answer = html
        bench.desk.place(ORDER)
        await asyncio.sleep(200)

    bench = play(scene)
    assert len(bench.venue.sent) == 1
    assert bench.kinds == [Unclear, Accepted]


def test_not_found_counts_only_long_after_it_could_still_arrive_and_twice() -> None:
    async def scene(bench: Bench) -> None:
        bench.venue.answer = bench.venue.lose_request
        bench.desk.place(ORDER)
        await asyncio.sleep(120)

    bench = play(scene)
    assert bench.kinds == [Unclear, Missing]
    settle_s, window_s = bench.account.timing.settle_s, bench.venue.windows[0] / 1_000
    assert bench.heard_at[-1] > window_s + settle_s
    assert bench.venue.found >= 3


def test_faults_while_looking_up_say_nothing_of_the_order() -> None:
    async def scene(bench: Bench) -> None:
        async def away(client_id: str) -> OwnOrder | None:
            raise ExchangeAway("502")

        bench.venue.answer = bench.venue.lose_request
        bench.venue.finding = away
        bench.desk.place(ORDER)
        await asyncio.sleep(3_600)
        assert bench.kinds == [Unclear]
        bench.venue.finding = bench.venue.known
        await asyncio.sleep(60)

    assert play(scene).kinds == [Unclear, Missing]


def test_a_definite_refusal_is_told_with_its_words_and_nothing_is_looked_up() -> None:
    async def scene(bench: Bench) -> None:
        bench.venue.answer = bench.venue.refuse
        bench.desk.place(ORDER)
        await asyncio.sleep(200)

    bench = play(scene)
    (refusal,) = bench.heard
    assert isinstance(refusal, Rejected)
    assert "balance insufficient" in refusal.reason
    assert bench.venue.found == 0


def test_a_fill_is_told_once_however_often_it_is_heard() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "0.5", "t1")
        bench.venue.hears.put_nowait(bench.venue.trades[0])
        await asyncio.sleep(200)  # with rounds in between, which tell it again

    assert play(scene).kinds == [Accepted, Filled]


def test_a_fill_that_the_stream_left_out_comes_with_the_next_round() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "2", "t1", told=False)
        await asyncio.sleep(70)

    assert play(scene).kinds == [Accepted, Filled]


def test_the_exchange_is_asked_whose_a_nameless_trade_is_only_where_nobody_here_knows() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "1", "t1", told=False)
        for exchange_id in ("x1", KEPT, "strange"):
            trade = bench.venue.trades[0]._replace(client_id="", exchange_id=exchange_id)
            bench.venue.hears.put_nowait(trade)
        await asyncio.sleep(5)

    bench = play(scene)
    assert set(bench.venue.owners_asked) == {"strange"}
    assert bench.kinds == [Accepted, Filled]
    assert isinstance(bench.heard[0], Accepted)
    assert bench.heard[0].exchange_id == "x1"


def test_an_end_waits_for_the_trades_that_are_missing() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "0.5", "t1", told=False)
        bench.venue.ended(WIRE)
        await asyncio.sleep(30)

    bench = play(scene)
    assert bench.kinds[:2] == [Accepted, Filled]
    assert len(bench.kinds) == 3


def test_trades_that_the_exchange_does_not_tell_for_long_are_spoken_of_until_it_does() -> None:
    said: list[str] = []

    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "2", "t1", told=False)
        trades, bench.venue.trades = bench.venue.trades, []
        bench.venue.hears.put_nowait(bench.venue.orders[WIRE])
        await asyncio.sleep(10)
        said.append(bench.desk.known.untold)
        await asyncio.sleep(120)
        said.append(bench.desk.known.untold)
        bench.venue.trades = trades
        await asyncio.sleep(60)
        said.append(bench.desk.known.untold)

    assert play(scene).kinds == [Accepted, Filled]
    assert said == ["", "the exchange does not tell the trades of 1 orders that it says have traded", ""]


def test_a_cancel_that_the_exchange_does_not_answer_is_looked_up() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.ended(WIRE, told=False)
        bench.desk.cancel(ORDER.id)
        await asyncio.sleep(10)

    assert play(scene).kinds == [Accepted, Cancelled]


def test_an_order_that_has_not_left_is_taken_back_without_a_request() -> None:
    async def scene(bench: Bench) -> None:
        bench.account.outgoing.trouble = ""
        bench.desk.place(ORDER)
        bench.desk.cancel(ORDER.id)
        await asyncio.sleep(10)

    bench = play(scene)
    assert bench.kinds == [Cancelled]
    assert (bench.venue.sent, bench.venue.cancelled) == ([], [])


def test_nothing_leaves_under_a_kill_and_cancels_do() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.account.outgoing.kill([BOT])
        bench.desk.place(decided("aa11-2-4.0b", "4.0b", "buy", "maker", D("99"), D("2")))
        bench.desk.cancel(ORDER.id)
        await asyncio.sleep(10)

    bench = play(scene)
    assert [intent.client_id for intent in bench.venue.sent] == [WIRE]
    assert bench.venue.cancelled == [WIRE]
    assert Rejected in bench.kinds


def test_nothing_leaves_without_a_renewed_lease() -> None:
    async def scene(bench: Bench) -> None:
        bench.tasks[1].cancel()  # nobody renews it any more
        await asyncio.sleep(4.1)
        bench.desk.place(ORDER)
        await asyncio.sleep(10)

    bench = play(scene)
    assert bench.venue.sent == []
    assert isinstance(bench.fault, LeaseLost)


def test_a_request_ends_before_the_lease_does() -> None:
    async def scene(bench: Bench) -> None:
        bench.tasks[1].cancel()
        await asyncio.sleep(3.0)
        bench.desk.place(ORDER)
        await asyncio.sleep(0.5)

    bench = play(scene)
    (window_ms,) = bench.venue.windows
    assert 0 < window_ms <= 6_000 - 3_000 - 500 + 2_000  # the last renewal was at most two seconds old


def test_nothing_leaves_before_the_start_is_settled() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(30)
        assert bench.venue.sent == []
        await bench.desk.settle()
        await asyncio.sleep(1)
        assert len(bench.venue.sent) == 1

    play(scene, settled=False)


def with_order(order: Order) -> BotState:
    _, state = bot_of()
    return state._replace(standing={order.slot: order}, nonce="aa11")


def test_an_order_from_before_a_crash_that_never_arrived_is_told_missing_at_the_start() -> None:
    async def scene(bench: Bench) -> None:
        await bench.desk.settle()
        assert bench.venue.sent == []
        assert bench.desk.found == {"orders that never arrived": 1}

    assert play(scene, with_order(ORDER), settled=False).kinds == [Missing]


def test_an_open_order_of_ours_that_the_bot_takes_for_ended_is_taken_out_and_a_foreign_one_is_not() -> None:
    async def scene(bench: Bench) -> None:
        for client_id in ("b1234567-bb22-9", "web_12345", "b7654321-aa11-1"):
            bench.venue.orders[client_id] = OwnOrder(
                "BTC/USDT", client_id, client_id, "buy", "open", D("90"), D("1"), D("0"), 0
            )
        await asyncio.sleep(130)

    bench = play(scene)
    assert set(bench.venue.cancelled) == {"b1234567-bb22-9"}
    assert bench.desk.foreign == 1


def test_a_fee_in_a_third_asset_is_told_with_its_worth() -> None:
    async def scene(bench: Bench) -> None:
        bench.desk.place(ORDER)
        await asyncio.sleep(1)
        bench.venue.fill(WIRE, "2", "t1", told=False)
        trade = bench.venue.trades[0]._replace(fee=D("0.001"), fee_asset="BNB")
        bench.venue.hears.put_nowait(trade)
        await asyncio.sleep(5)

    fill = play(scene).heard[-1]
    assert isinstance(fill, Filled)
    assert (fill.fee, fill.fee_asset, fill.fee_value) == (D("0.001"), "BNB", D("0.6"))


@pytest.mark.parametrize(("side", "price"), [("buy", "100.50"), ("sell", "99.50")])
def test_what_must_trade_now_is_a_limit_that_passes_its_price_a_little(side: str, price: str) -> None:
    market: Market = bot_of()[0].market
    order = decided("aa11-1-x", "x", "buy" if side == "buy" else "sell", "market", D("100"), D("2"))
    intent = intent_of(order, WIRE, market, Decimal("0.005"))
    assert (intent.kind, intent.price, intent.quantity) == ("now", D(price), D("2"))

"""`CcxtExchange` against the simulated exchanges, over TLS and their own protocols: what every one of them must do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from autogrid.engine.venue import (
    ExchangeAway,
    ExchangeRefused,
    ExchangeUnclear,
    Rights,
    StreamBegan,
    StreamBroke,
)
from autogrid.exchanges.ccxt_exchange import open_account
from tests.exchanges.venue_bench import (
    EXCHANGES,
    KEY,
    MOVES_MONEY,
    READ_ONLY,
    SECRET,
    SYMBOL,
    Bench,
    benched,
    buy,
    eventually,
    listening,
    sell,
)

D = Decimal
WINDOW_MS = 5_000


@pytest_asyncio.fixture(params=EXCHANGES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with benched(request.param, tmp_path) as one:
        yield one


@pytest.mark.asyncio
async def test_an_order_is_placed_found_and_taken_out(bench: Bench) -> None:
    account = bench.account()
    placed = await account.place(buy("ag-1"), WINDOW_MS)
    assert (placed.client_id, placed.status, placed.price, placed.quantity) == ("ag-1", "open", D(49000), D("0.01"))

    assert (await account.find(SYMBOL, "ag-1")) == (await account.find_by_id(SYMBOL, placed.exchange_id))
    assert [one.client_id for one in await account.open_orders(SYMBOL)] == ["ag-1"]
    assert (await account.balances())["USDT"].held >= D(490)

    await account.cancel(SYMBOL, ["ag-1"])
    found = await account.find(SYMBOL, "ag-1")
    assert found is not None
    assert found.status == "cancelled"
    assert await account.open_orders(SYMBOL) == []


@pytest.mark.asyncio
async def test_an_order_that_nobody_sent_is_not_found_and_taking_it_out_is_no_error(bench: Bench) -> None:
    account = bench.account()
    assert await account.find(SYMBOL, "ag-0") is None
    await account.cancel(SYMBOL, ["ag-0"])


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["lost-answer", "truncated", "html", "error-5xx-done"])
async def test_an_order_whose_answer_is_lost_is_unclear_and_stands(bench: Bench, kind: str) -> None:
    account = bench.account()
    await account.balances()
    bench.fault(kind.removesuffix("-done"), "place", ms=1 if kind.endswith("-done") else 0)
    with pytest.raises(ExchangeUnclear):
        await account.place(buy("ag-1"), WINDOW_MS)
    found = await account.find(SYMBOL, "ag-1")
    assert found is not None
    assert found.status == "open"
    assert len(bench.world.orders("ann")) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["reset-before", "error-5xx"])
async def test_an_order_that_was_not_done_is_unclear_too_and_is_not_sent_again(bench: Bench, kind: str) -> None:
    account = bench.account()
    await account.balances()
    bench.fault(kind, "place")
    with pytest.raises(ExchangeUnclear):
        await account.place(buy("ag-1"), WINDOW_MS)
    assert await account.find(SYMBOL, "ag-1") is None
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_an_order_for_which_there_is_no_connection_was_certainly_not_sent(bench: Bench) -> None:
    account = bench.account()
    await account.balances()
    await bench.listening.stop()
    with pytest.raises((ExchangeAway, ExchangeUnclear)):  # the connection that stood may take it into the void
        await account.place(buy("ag-1"), WINDOW_MS)
    with pytest.raises(ExchangeAway):
        await account.place(buy("ag-2"), WINDOW_MS)
    with pytest.raises(ExchangeAway):
        await account.balances()


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["lost-answer", "truncated", "html", "error-5xx"])
async def test_a_question_whose_answer_is_lost_means_that_the_exchange_is_away(bench: Bench, kind: str) -> None:
    account = bench.account()
    await account.balances()
    bench.fault(kind, "find", count=None)
    with pytest.raises(ExchangeAway):
        await account.find(SYMBOL, "ag-1")


@pytest.mark.asyncio
async def test_a_cancel_whose_answer_is_lost_is_unclear(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-1"), WINDOW_MS)
    bench.fault("truncated", "cancel")
    with pytest.raises(ExchangeUnclear):
        await account.cancel(SYMBOL, ["ag-1"])
    await account.cancel(SYMBOL, ["ag-1"])


@pytest.mark.asyncio
async def test_too_many_requests_stop_all_but_cancels(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-1"), WINDOW_MS)
    bench.fault("limit-429", "balances")
    with pytest.raises(ExchangeAway) as caught:
        await account.balances()
    assert caught.value.wait_ms > 300
    with pytest.raises(ExchangeAway):
        await account.place(buy("ag-2", price="48000"), 300)
    if bench.exchange == "binance":  # the simulated one is strict: whatever is asked now, it bans
        with pytest.raises(ExchangeAway, match="418"):
            await account.cancel(SYMBOL, ["ag-1"])
    else:
        await asyncio.wait_for(account.cancel(SYMBOL, ["ag-1"]), 0.5)
        assert [one.status for one in bench.world.orders("ann")] == ["cancelled"]


@pytest.mark.asyncio
async def test_who_is_banned_asks_nothing_more(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-1"), WINDOW_MS)
    bench.fault("ban-418", "balances")
    with pytest.raises(ExchangeAway) as caught:
        await account.balances()
    assert caught.value.wait_ms > 500
    with pytest.raises((ExchangeAway, TimeoutError)):
        await asyncio.wait_for(account.cancel(SYMBOL, ["ag-1"]), 0.5)
    assert [one.status for one in bench.world.orders("ann")] == ["new"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("price", "quantity", "why"),
    [("49000.001", "0.01", "rule"), ("49000", "0.00001", "rule"), ("49000", "1", "funds")],
)
async def test_a_refusal_says_what_it_is_about(bench: Bench, price: str, quantity: str, why: str) -> None:
    with pytest.raises(ExchangeRefused) as caught:
        await bench.account().place(buy("ag-1", price, quantity), WINDOW_MS)
    assert caught.value.why == why
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_a_client_id_that_is_in_use_is_refused_as_a_duplicate(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-1"), WINDOW_MS)
    with pytest.raises(ExchangeRefused) as caught:
        await account.place(buy("ag-1"), WINDOW_MS)
    assert caught.value.why == "duplicate"


@pytest.mark.asyncio
async def test_a_post_only_order_that_would_trade_never_does(bench: Bench) -> None:
    account = bench.account()
    if bench.exchange == "binance":
        with pytest.raises(ExchangeRefused) as caught:
            await account.place(buy("ag-1", "50100"), WINDOW_MS)
        assert caught.value.why == "post-only"
    else:  # accepted, and cancelled afterwards
        await account.place(buy("ag-1", "50100"), WINDOW_MS)
        found = await account.find(SYMBOL, "ag-1")
        assert found is not None
        assert found.status in ("cancelled", "rejected")
    assert bench.world.trades("ann") == []


@pytest.mark.asyncio
async def test_what_does_not_trade_at_once_is_cancelled_where_that_was_asked_for(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-1", "49000", kind="now"), WINDOW_MS)
    await account.place(buy("ag-2", "50100", kind="now"), WINDOW_MS)
    waits, done = await account.find(SYMBOL, "ag-1"), await account.find(SYMBOL, "ag-2")
    assert waits is not None
    assert done is not None
    assert waits.status in ("cancelled", "expired")
    assert (done.status, done.filled) == ("filled", D("0.01"))


@pytest.mark.asyncio
async def test_trades_are_told_from_the_cursor_on_and_none_twice(bench: Bench) -> None:
    account = bench.account()
    await account.place(buy("ag-0", "50100", kind="now"), WINDOW_MS)
    start = await account.trades_after(SYMBOL, "")
    assert list(start.trades) == []

    for number in range(3):
        await account.place(buy(f"ag-b{number}", "50100", kind="now"), WINDOW_MS)
    page = await account.trades_after(SYMBOL, start.cursor)
    told = bench.world.trades("ann")[1:]
    assert [one.price for one in page.trades] == [one.price for one in told]
    assert len({one.trade_id for one in page.trades}) == 3
    assert {one.quantity for one in page.trades} == {D("0.01")}
    assert {(one.fee, one.fee_asset) for one in page.trades} == {(one.fee, one.fee_asset) for one in told}

    assert list((await account.trades_after(SYMBOL, page.cursor)).trades) == []
    await account.place(sell("ag-s", "49900", kind="now"), WINDOW_MS)
    (last,) = (await account.trades_after(SYMBOL, page.cursor)).trades
    assert (last.side, last.maker) == ("sell", False)


@pytest.mark.asyncio
async def test_of_a_trade_with_oneself_both_sides_are_told(bench: Bench) -> None:
    """They bear one id; so two bots of an account may trade with each other."""
    account = bench.account()
    start = await account.trades_after(SYMBOL, "")
    await account.place(buy("ag-b", "50100", kind="now"), WINDOW_MS)
    await account.place(sell("ag-s", "49900", kind="now"), WINDOW_MS)
    trades = bench.world._owner("ann").trades
    trades[1] = trades[1]._replace(id=trades[0].id)
    page = await account.trades_after(SYMBOL, start.cursor)
    assert sorted(one.side for one in page.trades) == ["buy", "sell"]
    assert len({one.trade_id for one in page.trades}) == 1
    assert list((await account.trades_after(SYMBOL, page.cursor)).trades) == []


@pytest.mark.asyncio
async def test_trades_are_paged_through_to_the_end(bench: Bench) -> None:
    account = bench.account()
    start = await account.trades_after(SYMBOL, "")
    bench.world.set_depth(SYMBOL, D("0.001"))
    await account.place(buy("ag-1", quantity="0.13"), WINDOW_MS)
    for _ in range(130):
        bench.clock.ahead_ms += 50  # MEXC tells whole seconds, and a hundred trades a page
        bench.world.move(SYMBOL, D(48990), most=D("0.001"))
    assert len(bench.world.trades("ann")) == 130
    await account.measure_clock()

    page = await account.trades_after(SYMBOL, start.cursor)
    assert len({one.trade_id for one in page.trades}) == len(page.trades) == 130
    assert sum(one.quantity for one in page.trades) == D("0.13")
    assert [one.at_ms for one in page.trades] == sorted(one.at_ms for one in page.trades)


@pytest.mark.asyncio
async def test_the_stream_tells_orders_and_trades_with_their_fee(bench: Bench) -> None:
    account = bench.account()
    start = await account.trades_after(SYMBOL, "")
    async with listening(account) as told:
        await told.until(len)
        assert isinstance(told.told[0], StreamBegan)
        await account.place(buy("ag-1"), WINDOW_MS)
        bench.move("48900")
        await told.until(lambda _: told.trades and any(one.status == "filled" for one in told.orders))
    (trade,) = told.trades
    (real,) = bench.world.trades("ann")
    assert trade.client_id == "ag-1"
    assert (trade.price, trade.quantity, trade.maker) == (real.price, real.quantity, True)
    assert (trade.fee, trade.fee_asset) == (real.fee, real.fee_asset)
    (asked,) = (await account.trades_after(SYMBOL, start.cursor)).trades
    assert asked._replace(client_id="", at_ms=0) == trade._replace(client_id="", at_ms=0)
    assert told.orders[0].client_id == "ag-1"


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["drop-stream", "bad-frame", "stall"])
async def test_a_stream_that_breaks_or_stalls_says_so_and_begins_again(bench: Bench, kind: str) -> None:
    account = bench.account()
    async with listening(account) as told:
        await told.until(len)
        bench.fault(kind, "stream")
        await account.place(buy("ag-1"), WINDOW_MS)
        await told.until(lambda _: len(told.of(StreamBegan)) == 2)
        kinds = [type(one) for one in told.told if isinstance(one, StreamBegan | StreamBroke)]
        assert kinds == [StreamBegan, StreamBroke, StreamBegan]
        await account.place(buy("ag-2", "48000"), WINDOW_MS)
        await told.until(lambda _: any(one.client_id == "ag-2" for one in told.orders))


@pytest.mark.asyncio
async def test_a_stream_that_cannot_connect_goes_on_trying(bench: Bench) -> None:
    bench.fault("refuse-connect", "connect", count=3)
    async with listening(bench.account()) as told:
        await told.until(len)
        assert [type(one) for one in told.told] == [StreamBegan]


@pytest.mark.asyncio
async def test_a_wrong_key_or_secret_is_refused(bench: Bench) -> None:
    for account in (bench.account("kEyThatNobodyHas0000"), bench.account(KEY, "sEcReTThatIsWrong000")):
        with pytest.raises(ExchangeRefused) as caught:
            await account.balances()
        assert caught.value.why == "key"


@pytest.mark.asyncio
async def test_a_key_that_may_not_trade_is_refused(bench: Bench) -> None:
    with pytest.raises(ExchangeRefused) as caught:
        await bench.account(READ_ONLY).place(buy("ag-1"), WINDOW_MS)
    assert caught.value.why in ("right", "key")


@pytest.mark.asyncio
async def test_rights_are_told_as_far_as_the_exchange_tells_them(bench: Bench) -> None:
    if bench.exchange == "mexc":
        assert await bench.account().rights() == Rights(True, True, None, None)
        return
    assert await bench.account().rights() == Rights(True, True, False, True)
    assert await bench.account(MOVES_MONEY).rights() == Rights(True, True, True, False)
    assert (await bench.account(READ_ONLY).rights()).trades is False


@pytest.mark.asyncio
async def test_a_clock_that_is_off_is_measured_and_requests_pass(bench: Bench) -> None:
    bench.clock.ahead_ms = 3_600_000
    account = bench.account()
    await account.place(buy("ag-1"), WINDOW_MS)
    assert abs(await account.measure_clock() + 3_600_000) < 2_000
    assert abs(account.now_ms() - bench.clock()) < 2_000


@pytest.mark.asyncio
async def test_a_request_whose_time_is_off_is_refused_and_the_clock_measured_anew(bench: Bench) -> None:
    account = bench.account()
    await account.balances()
    bench.clock.ahead_ms = 60_000
    with pytest.raises(ExchangeRefused) as caught:
        await account.place(buy("ag-1"), WINDOW_MS)
    assert caught.value.why == "clock"
    await account.place(buy("ag-2"), WINDOW_MS)


@pytest.mark.asyncio
async def test_an_order_is_not_accepted_after_its_window(bench: Bench) -> None:
    account = bench.account()
    await account.balances()
    bench.fault("delay-before", "place", ms=600)
    with pytest.raises(ExchangeRefused) as caught:
        await account.place(buy("ag-1"), 300)
    assert caught.value.why == "clock"
    with pytest.raises(ExchangeAway):
        await account.place(buy("ag-2"), 50)
    assert bench.world.orders("ann") == []


@pytest.mark.asyncio
async def test_a_market_is_read_anew_and_a_halted_one_does_not_trade(bench: Bench) -> None:
    account = bench.account()
    now = await account.market(SYMBOL)
    assert now.trading
    assert (now.market.tick, now.market.lot, now.market.min_notional) == (D("0.01"), D("0.00001"), D(5))
    bench.world.halt(SYMBOL)
    halted = await account.market(SYMBOL)
    assert not halted.trading
    assert SYMBOL in halted.words
    with pytest.raises(ExchangeRefused) as caught:
        await account.market("FOO/BAR")
    assert caught.value.why == "symbol"


@pytest.mark.asyncio
async def test_the_price_of_a_market_is_told_and_none_where_there_is_no_such_market(bench: Bench) -> None:
    account = bench.account()
    assert await account.price_of(SYMBOL) == D(50000)
    assert await account.price_of("BNB/XYZ") is None


@pytest.mark.asyncio
async def test_as_many_orders_as_it_says_go_into_one_cancel(bench: Bench) -> None:
    account = bench.account()
    ids = [f"ag-{number}" for number in range(account.cancels_at_once)]
    for number, client_id in enumerate(ids):
        await account.place(buy(client_id, str(49_000 - number), "0.001"), WINDOW_MS)
    bench.world.cancel("ann", SYMBOL, client_id=ids[0])
    await account.cancel(SYMBOL, ids)
    assert bench.world.open_orders("ann") == []


@pytest.mark.asyncio
async def test_neither_key_nor_secret_is_ever_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = bench.account()
    told = [repr(account), str(account)]
    bench.fault("html", "place")
    bench.fault("html", "balances")
    for call in (
        account.place(buy("ag-1"), WINDOW_MS),
        account.balances(),
        bench.account(READ_ONLY).place(buy("ag-2"), 5_000),
    ):
        with pytest.raises((ExchangeAway, ExchangeRefused, ExchangeUnclear)) as caught:
            await call
        told.append(repr(caught.value))
    told.append(caplog.text)
    assert not [secret for secret in (KEY, SECRET, READ_ONLY) for text in told if secret in text]


@pytest.mark.asyncio
async def test_accounts_of_one_exchange_share_a_session_and_a_table_of_markets(bench: Bench) -> None:
    first, second = bench.account(), bench.account()
    await asyncio.gather(first.balances(), second.balances())
    one, other = first._wire.client, second._wire.client
    assert one.session is other.session
    assert one.markets is other.markets
    await first.aclose()
    assert not other.session.closed
    await second.balances()


@pytest.mark.asyncio
async def test_news_are_told_to_the_end_of_the_listening_and_leave_nothing_behind(bench: Bench) -> None:
    account = bench.account()
    async with listening(account) as told:
        await told.until(len)
        assert ours_running()

    async def nothing_left() -> bool:
        return not ours_running()

    await eventually(nothing_left)


def ours_running() -> list[str]:
    """What runs of a stream."""
    names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith(("UserStream.", "_Life.", "Client."))]


def test_an_exchange_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ExchangeRefused):
        open_account("binanse", KEY, SECRET)

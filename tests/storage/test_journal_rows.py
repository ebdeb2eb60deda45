"""What a step means is kept with it: the fill that was booked, the notice, the request carried out, the edit."""

from sqlalchemy import select

from autogrid.storage import tables
from autogrid.storage.bots import find_bot
from autogrid.storage.database import Database
from autogrid.storage.orders import last_notices, list_fills, list_orders
from autogrid.storage.recall import Loaded, load
from autogrid.storage.requests import add_request, take_requests
from autogrid.trading.event import EditAsked, Event, KillAsked, PauseAsked, Rejected, ResumeAsked, Started, Tick
from autogrid.trading.strategies.catalogue import build
from tests.builders import MINUTE_MS, START_MS, D, fill_of
from tests.storage.kept import CELLS, Site, first_state, new_bot, tell, within


async def loaded(database: Database, bot_id: str) -> Loaded:
    async with database.reading() as connection:
        found = await load(connection, bot_id, build)
    assert found is not None
    return found


def test_a_fill_is_booked_once_however_often_it_is_told(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot())
        state = await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        opening = state.standing["open-0"]
        part = fill_of(opening, row.market, opening.quantity - row.market.lot, D(10_000), "t1")
        unknown = part._replace(order_id="n-99-nothing", fill_id="t2")
        again = await tell(database, row, [part, part, unknown])
        async with database.reading() as connection:
            (fill,) = await list_fills(connection, row.id)
            (order,) = [one for one in await list_orders(connection, row.id) if one.id == opening.id]
            (notice,) = await last_notices(connection, row.id)
        assert (fill.fill_id, fill.quantity, fill.slot, fill.side, fill.profit) == (
            "t1", part.quantity, "open-0", "buy", None,
        )  # fmt: skip
        assert (order.status, order.filled, order.fee_base) == ("partial", part.quantity, part.fee)
        assert "n-99-nothing" in notice.text
        assert (await loaded(database, row.id)).state == again

    within(place, check)


def test_a_refusal_is_a_notice(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot())
        state = await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        order = next(one for one in state.standing.values() if one.kind == "maker")
        await tell(database, row, [Rejected(START_MS, order.id, "too sunny")])
        async with database.reading() as connection:
            (notice,) = await last_notices(connection, row.id)
            shown = {one.id: one.status for one in await list_orders(connection, row.id)}
        assert "too sunny" in notice.text
        assert shown[order.id] == "rejected"

    within(place, check)


def test_a_request_is_done_in_the_transaction_of_its_step(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot())
        await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        async with database.writing() as connection:
            for kind in ("pause", "kill", "pause", "resume"):
                await add_request(connection, row.id, kind, {}, START_MS)
        await tell(database, row, [PauseAsked(START_MS, False), KillAsked(START_MS), ResumeAsked(START_MS)])
        async with database.reading() as connection:
            (left,) = await take_requests(connection, row.id)
            requests = tables.requests
            taken = list((await connection.execute(select(requests.c.taken_seq).order_by(requests.c.id))).scalars())
        assert left.kind == "pause"
        assert taken == [3, 4, None, 5]

    within(place, check)


def test_an_edit_changes_the_bots_row_and_the_fold_alike(place: Site) -> None:
    async def check(database: Database) -> None:
        row, _ = await first_state(database, new_bot(config={**CELLS, "start": "wait"}))
        start: list[Event] = [Started(START_MS, "n"), Tick(START_MS, D(10_000))]
        state = await tell(database, row, [*start, EditAsked(START_MS + MINUTE_MS, {"upper": "12000", "grids": "30"})])
        async with database.reading() as connection:
            shown = await find_bot(connection, row.id)
        assert shown.config == state.strategy.config
        assert shown.config["upper"] == "12000"
        found = await loaded(database, row.id)
        assert found.state == state
        refused = await tell(database, row, [EditAsked(START_MS + MINUTE_MS, {"upper": "nonsense"})])
        async with database.reading() as connection:
            assert (await find_bot(connection, row.id)).config == shown.config
            assert "edit refused" in (await last_notices(connection, row.id))[0].text
        assert (await loaded(database, row.id)).state == refused

    within(place, check)

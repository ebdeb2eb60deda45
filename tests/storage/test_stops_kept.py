"""Orders with a stop on disk: shown with their trigger, and the state comes back as it was."""

from autogrid.storage.bots import create_bot
from autogrid.storage.database import Database
from autogrid.storage.journal import begin
from autogrid.storage.orders import list_orders
from autogrid.storage.recall import load, machine_of
from autogrid.trading.event import Started, Tick
from autogrid.trading.ledger import opened
from autogrid.trading.strategies.catalogue import build
from tests.builders import START_MS, D, fill_of, market
from tests.storage.kept import NOW_MS, Site, new_bot, tell, within

DEAL = {"base_order": "1000", "safety_orders": "0", "take_profit": "0.1", "stop_loss": "0.05"}


def test_an_order_with_a_stop_is_shown_with_its_trigger_and_comes_back_as_it_was(place: Site) -> None:
    async def check(database: Database) -> None:
        new = new_bot(config=DEAL, on=market(stops="oco"), strategy="dca")
        async with database.writing() as connection:
            row = await create_bot(connection, new, NOW_MS)
            dca = build("dca", row.config, row.market, row.investment)
            await begin(connection, row.id, machine_of(row).start(dca, opened(row.investment)))
        state = await tell(database, row, [Started(START_MS, "n"), Tick(START_MS, D(10_000))])
        base = state.standing["1-base"]
        state = await tell(database, row, [fill_of(base, row.market, base.quantity, D(10_000), "t1")])
        order = state.standing["1-t1"]
        async with database.reading() as connection:
            shown = {one.slot: (one.kind, one.trigger) for one in await list_orders(connection, row.id)}
            found = await load(connection, row.id, build)
        assert shown == {"1-base": ("market", None), "1-t1": ("oco", order.trigger)}
        assert order.trigger is not None
        assert found is not None
        assert found.state == state
        assert found.row.market.stops == "oco"

    within(place, check)

"""Keys of exchanges are found by name, erased when removed, and every opening stays on record."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.engine.venue import Rights
from autogrid.storage import tables
from autogrid.storage.bots import create_bot, set_actual
from autogrid.storage.credentials import (
    CredentialRow,
    UnableToFindCredential,
    UnableToKeepCredential,
    VaultKeyRow,
    add_credential,
    add_vault_key,
    bots_using,
    drop_vault_key,
    find_credential,
    list_audit,
    list_credentials,
    lock_vault_keys,
    note,
    remove_credential,
    set_checked,
    set_sealed,
    set_vault_key,
    vault_keys,
)
from autogrid.storage.database import Database
from autogrid.trading.order import OPEN
from tests.builders import D
from tests.storage.kept import Site, new_bot, within

T = TypeVar("T")
RIGHTS = Rights(reads=True, trades=True, withdraws=False, bound=None)
MAIN = CredentialRow(
    id="c1",
    tenant="local",
    name="main",
    exchange="binance",
    sealed={"api_key": "v1:1:abc", "api_secret": "v1:1:def"},
    rights=RIGHTS,
    confirmed=False,
    state="good",
    reason="",
    created_ms=5,
    checked_ms=5,
)
KEYS = VaultKeyRow("local", 1, "m1", "w1:a", "pub", "w1:b", 7)


def written(place: Site, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """What `work` gives in one transaction."""

    async def do(database: Database) -> T:
        async with database.writing() as connection:
            return await work(connection)

    return within(place, do)


def resting_order(bot_id: str) -> dict[str, object]:
    figures = dict.fromkeys(("price", "quantity", "filled", "value", "fee_base", "fee_quote", "fee_value"), D(1))
    whole = dict.fromkeys(("placed_seq", "placed_ms", "changed_ms"), 1)
    words = {"bot_id": bot_id, "id": "o1", "slot": "1", "side": "buy", "kind": "maker", "status": min(OPEN)}
    return {**figures, **whole, **words}


def test_a_key_is_read_back_as_it_was_kept_and_found_by_name_and_id(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await add_credential(connection, MAIN)
        assert await list_credentials(connection) == [MAIN]
        assert await find_credential(connection, "main") == await find_credential(connection, "c1") == MAIN
        with pytest.raises(UnableToFindCredential, match=r"'mian'.*main"):
            await find_credential(connection, "mian")

    written(place, check)


def test_a_name_is_taken_once_and_free_again_after_the_removal(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await add_credential(connection, MAIN)
        await remove_credential(connection, MAIN)
        await add_credential(connection, MAIN._replace(id="c2"))
        assert [row.id for row in await list_credentials(connection)] == ["c2"]

    written(place, check)
    with pytest.raises(UnableToKeepCredential, match="'main' exists"):
        written(place, lambda connection: add_credential(connection, MAIN._replace(id="c3")))


def test_a_removed_key_keeps_its_row_and_nothing_of_its_secrets(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await add_credential(connection, MAIN)
        await remove_credential(connection, MAIN)
        kept = (await connection.execute(select(tables.credentials))).mappings().one()
        assert (kept["id"], kept["sealed"], kept["deleted"]) == ("c1", "{}", True)

    written(place, check)


def test_tenants_see_their_own_keys_only(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await add_credential(connection, MAIN)
        other = MAIN._replace(id="c2", tenant="other")
        await add_credential(connection, other)
        assert await list_credentials(connection, "other") == [other]
        assert await list_credentials(connection, None) == [MAIN, other]
        with pytest.raises(UnableToFindCredential):
            await find_credential(connection, "c2")

    written(place, check)


def test_what_a_check_found_is_kept(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await add_credential(connection, MAIN)
        bad = RIGHTS._replace(withdraws=True)
        await set_checked(connection, MAIN, "refused", "it can withdraw", bad, 9)
        await set_sealed(connection, MAIN, {"api_key": "v1:2:x"})
        found = await find_credential(connection, "main")
        assert found == MAIN._replace(
            state="refused", reason="it can withdraw", rights=bad, checked_ms=9, sealed={"api_key": "v1:2:x"}
        )

    written(place, check)


def test_an_unknown_state_or_scope_is_refused_by_the_database(place: Site) -> None:
    kill = insert(tables.kills).values(scope="world", target="", made_ms=1, by="me", note="")
    state = update(tables.credentials).values(state="excellent")
    written(place, lambda connection: add_credential(connection, MAIN))
    for statement in (kill, state):
        with pytest.raises(IntegrityError):
            written(place, lambda connection: connection.execute(statement))  # noqa: B023


def test_bots_that_have_not_ended_or_have_orders_out_need_their_key(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        bots = {}
        for name, account in (("by-id", "old"), ("by-name", "main"), ("other", "paper"), ("foreign", "main")):
            bots[name] = await create_bot(connection, new_bot(name, account=account), 1)
        change = update(tables.bots)
        await connection.execute(change.where(tables.bots.c.name == "by-id").values(credential_id="c1", created_ms=0))
        await connection.execute(change.where(tables.bots.c.name == "foreign").values(credential_id="c9"))
        assert await bots_using(connection, MAIN) == ["by-id", "by-name"]

        await set_actual(connection, bots["by-id"].id, "ended", "", 2)
        await connection.execute(change.where(tables.bots.c.name == "by-name").values(deleted=True))
        assert await bots_using(connection, MAIN) == []

        await connection.execute(insert(tables.orders).values(resting_order(bots["by-id"].id)))
        assert await bots_using(connection, MAIN) == ["by-id"]
        assert (await connection.execute(select(tables.orders.c.exchange_id))).scalar_one() == ""

    written(place, check)


def test_versions_of_the_vaults_keys_are_kept_rewrapped_and_dropped(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        second = KEYS._replace(version=2)
        for row in (second, KEYS, KEYS._replace(tenant="other")):
            await add_vault_key(connection, row)
        assert await vault_keys(connection, "local") == [KEYS, second]
        await set_vault_key(connection, second._replace(master_id="m2", data_key="w1:new"))
        await drop_vault_key(connection, "local", 1)
        assert await lock_vault_keys(connection) == [
            second._replace(master_id="m2", data_key="w1:new"),
            KEYS._replace(tenant="other"),
        ]

    written(place, check)


def test_who_did_what_is_on_record_in_its_order(place: Site) -> None:
    async def check(connection: AsyncConnection) -> None:
        await note(connection, 5, "me", "sealed", "c1", "main")
        await note(connection, 4, "engine", "opened", "c1")
        rows = await list_audit(connection)
        assert [(row.at_ms, row.by, row.act, row.credential_id, row.note) for row in rows] == [
            (5, "me", "sealed", "c1", "main"),
            (4, "engine", "opened", "c1", ""),
        ]
        assert await list_audit(connection, "opened") == rows[1:]

    written(place, check)

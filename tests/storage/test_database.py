"""The database opens up to date, or says why it cannot; what is committed stays, what fails leaves nothing."""

import asyncio
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Text, insert, inspect, select, type_coerce
from sqlalchemy.exc import IntegrityError, StatementError

from autogrid.storage import tables
from autogrid.storage.bots import create_bot
from autogrid.storage.database import Database, UnableToOpenDatabase, open_database
from autogrid.storage.tables import METADATA
from tests.builders import D
from tests.storage.kept import Site, new_bot, opened, within


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def test_the_migrations_make_the_tables_that_the_code_uses(place: Site) -> None:
    async def check(database: Database) -> list[object]:
        async with database.reading() as connection:
            return await connection.run_sync(differences)

    assert within(place, check) == []


def test_the_migrations_run_on_an_empty_postgres_and_make_the_same_tables(postgres: Site) -> None:
    test_the_migrations_make_the_tables_that_the_code_uses(postgres)


def test_the_limits_of_columns_are_the_same_on_both(place: Site) -> None:
    """Alembic compares no CHECKs; a migration that forgot one would go unseen."""

    def checks(connection: Connection) -> dict[str, set[str]]:
        seen = inspect(connection)
        return {
            table: {str(one["name"]) for one in seen.get_check_constraints(table)} for table in seen.get_table_names()
        }

    async def read(database: Database) -> dict[str, set[str]]:
        async with database.reading() as connection:
            return await connection.run_sync(checks)

    found = within(place, read)
    assert found["bots"] == {"ck_bots_wanted", "ck_bots_actual"}
    assert found["requests"] == {"ck_requests_kind"}
    assert found["kills"] == {"ck_kills_scope"}


def test_rows_that_belong_nowhere_are_refused(place: Site) -> None:
    async def orphan(database: Database) -> None:
        async with database.writing() as connection:
            row = {"bot_id": "nobody", "seq": 1, "at_ms": 1, "text": "who?"}
            await connection.execute(insert(tables.notices), row)

    with pytest.raises(IntegrityError):
        within(place, orphan)


def test_what_was_written_is_there_when_it_is_opened_again(place: Site) -> None:
    async def write(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE mine (a INTEGER)")
            await connection.exec_driver_sql("INSERT INTO mine VALUES (7)")

    async def read(database: Database) -> int:
        async with database.reading() as connection:
            return int((await connection.exec_driver_sql("SELECT a FROM mine")).scalar_one())

    within(place, write)
    assert within(place, read) == 7


def test_a_transaction_that_fails_leaves_nothing(place: Site) -> None:
    async def fail(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("CREATE TABLE mine (a INTEGER)")
            raise RuntimeError

    async def names(database: Database) -> list[str]:
        async with database.reading() as connection:
            return await connection.run_sync(lambda given: inspect(given).get_table_names())

    with pytest.raises(RuntimeError):
        within(place, fail)
    found = within(place, names)
    assert "bots" in found
    assert "mine" not in found


def test_a_reader_sees_one_moment(place: Site) -> None:
    async def check(database: Database) -> None:
        count = select(tables.bots.c.id)
        async with database.reading() as connection:
            assert (await connection.execute(count)).all() == []
            async with database.writing() as writer:
                await create_bot(writer, new_bot(), 1)
            assert (await connection.execute(count)).all() == []
        async with database.reading() as connection:
            assert len((await connection.execute(count)).all()) == 1

    within(place, check)


def refusal(place: Site) -> str:
    with pytest.raises(UnableToOpenDatabase) as caught:
        asyncio.run(open_database(*place))
    return str(caught.value)


def test_a_database_that_is_newer_than_the_code_is_refused(place: Site) -> None:
    async def age(database: Database) -> None:
        async with database.writing() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    within(place, age)
    said = refusal(place)
    assert "newer AutoGrid" in said
    assert "9999" in said
    assert "Update AutoGrid" in said


def test_several_that_open_a_new_database_at_once_all_find_it_ready(postgres: Site) -> None:
    async def check() -> None:
        databases = await asyncio.gather(*(open_database(*postgres) for _ in range(4)))
        for database in databases:
            async with database.writing() as connection:
                await create_bot(connection, new_bot(str(id(database))), 1)
        for database in databases:
            await database.close()

    asyncio.run(check())


def test_money_is_kept_to_the_last_digit_and_never_as_a_float(place: Site) -> None:
    fine = D("123456789012345678.000000000000000001")

    async def keep(database: Database, investment: Any) -> tuple[object, object]:
        async with database.writing() as connection:
            await create_bot(connection, new_bot(investment=investment), 1)
            column = tables.bots.c.investment
            read = (await connection.execute(select(column))).scalar_one()
            return read, (await connection.execute(select(type_coerce(column, Text)))).scalar_one()

    assert within(place, lambda database: keep(database, fine)) == (fine, "123456789012345678.000000000000000001")
    with pytest.raises((AssertionError, StatementError)):
        within(place, lambda database: keep(database, 1.5))


def test_bots_that_start_together_wait_for_a_connection_and_all_get_one(place: Site) -> None:
    async def check() -> None:
        async with opened(place) as database:

            async def read() -> int:
                async with database.reading() as connection:
                    await asyncio.sleep(0)
                    return len((await connection.execute(select(tables.bots.c.id))).all())

            assert await asyncio.gather(*(read() for _ in range(100))) == [0] * 100

    asyncio.run(check())

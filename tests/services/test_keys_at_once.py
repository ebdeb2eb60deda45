"""Keys are added, opened and changed by several processes in the same moment, and every one that was stored opens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from autogrid.security.secret import Secret
from autogrid.services.credentials import NewKey, add, listed, opened
from autogrid.services.keys import rotate, vault_of
from autogrid.settings import Settings
from autogrid.storage.commits import UnableToKeep
from autogrid.storage.credentials import UnableToKeepCredential, lock_vault_keys
from autogrid.storage.database import Database
from tests.postgres import shared_server
from tests.services.fake_account import account_to_check
from tests.storage.kept import Site
from tests.storage.kept import opened as open_place

SECRET = "geheim-4711-kanarienvogel"
NOW_MS = 1_750_000_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    if request.param == "sqlite":
        yield Site(tmp_path)
        return
    with shared_server().database() as url:
        yield Site(tmp_path, url)


@asynccontextmanager
async def several(place: Site, count: int) -> AsyncIterator[list[Database]]:
    """The database, opened as often as by so many processes."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_place(place)) for _ in range(count)]


async def tried(act: Awaitable[object]) -> bool:
    """Whether it was done; the one that comes second may be told to try again, and nothing else."""
    try:
        await act
    except (UnableToKeepCredential, UnableToKeep):
        return False
    return True


@pytest.mark.asyncio
async def test_every_key_that_was_stored_opens_whatever_went_on_meanwhile(place: Site) -> None:
    vault = vault_of(Settings(data_dir=place.folder))

    async def store(database: Database, name: str) -> None:
        await add(
            database, vault, account_to_check, NewKey("binance", name, Secret(f"good_{name}"), Secret(SECRET)), "me"
        )

    async def sound(database: Database) -> list[str]:
        names = [row.name for row in await listed(database)]
        for name in names:
            key = await opened(database, vault, name, "engine")
            assert (key.api_key.reveal(), key.secret.reveal()) == (f"good_{name}", SECRET)
        return names

    async with several(place, 4) as (one, two, three, four):
        first = await asyncio.gather(tried(store(one, "a")), tried(store(two, "b")))
        assert any(first)
        stored = await sound(one)
        assert len(stored) == sum(first)
        for turn in range(5):
            done = await asyncio.gather(
                tried(rotate(one, vault, NOW_MS, "me")),
                tried(store(two, f"c{turn}")),
                tried(rotate(three, vault, NOW_MS, "me")),
                sound(four),
            )
            assert done[0] or done[2]
            assert done[1]
            assert await sound(four) == [*stored, *(f"c{n}" for n in range(turn + 1))]
        assert await tried(rotate(one, vault, NOW_MS, "me"))
        async with one.writing() as connection:
            used = {row.master_id for row in await lock_vault_keys(connection)}
        assert {key.id for key in vault.master.read()} == used

"""Every test of what is kept runs on both databases."""

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.postgres import quick_place, shared_server
from tests.storage.kept import Site, within

TEMPLATE = "with_tables"


@cache
def template() -> str:
    """A database that is up to date, to be copied."""
    server = shared_server()
    server.sql(f"CREATE DATABASE {TEMPLATE}")

    async def nothing(_: object) -> None:
        pass

    within(Site(Path(), server.url(TEMPLATE)), nothing)
    return TEMPLATE


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A database of its own for the test, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory(prefix="sqlite", dir=quick_place()) as folder:
            yield Site(Path(folder))
        return
    with shared_server().database(template()) as url:
        yield Site(tmp_path, url)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Site]:
    """An empty PostgreSQL database of its own for the test."""
    with shared_server().database() as url:
        yield Site(tmp_path, url)


@pytest.fixture
def postgres_ready(tmp_path: Path) -> Iterator[Site]:
    """A PostgreSQL database of its own for the test, up to date."""
    with shared_server().database(template()) as url:
        yield Site(tmp_path, url)

"""What a person killed stays killed until a person lifts it."""

import pytest

from autogrid.storage.database import Database
from autogrid.storage.kills import Kill, Scope, add_kill, is_killed, lift, standing
from tests.storage.kept import Site, within


@pytest.mark.parametrize(
    ("scope", "target", "hits"),
    [
        ("bot", "b1", {("b1", "mine")}),
        ("account", "mine", {("b1", "mine"), ("b2", "mine")}),
        ("all", "", {("b1", "mine"), ("b2", "mine"), ("b3", "yours")}),
        ("bot", "mine", set()),
        ("account", "b1", set()),
    ],
)
def test_a_kill_hits_what_it_names_until_it_is_lifted(
    place: Site, scope: Scope, target: str, hits: set[tuple[str, str]]
) -> None:
    async def hit(database: Database) -> set[tuple[str, str]]:
        async with database.reading() as connection:
            bots = [("b1", "mine"), ("b2", "mine"), ("b3", "yours")]
            return {bot for bot in bots if await is_killed(connection, *bot)}

    async def add(database: Database) -> Kill:
        async with database.writing() as connection:
            return await add_kill(connection, scope, target, "ann", 5, "too fast")

    async def check(database: Database) -> None:
        assert await hit(database) == hits
        async with database.writing() as connection:
            assert await lift(connection, scope, target, 9) == 1
            assert await lift(connection, scope, target, 10) == 0
            assert await standing(connection) == []
        assert await hit(database) == set()

    killed = within(place, add)
    assert killed[1:] == (scope, target, 5, "ann", "too fast")
    within(place, check)  # opened anew: it survives a restart


def test_each_kill_is_lifted_by_itself_and_two_alike_together(place: Site) -> None:
    async def check(database: Database) -> None:
        async with database.writing() as connection:
            for scope, target in (("bot", "b1"), ("all", ""), ("bot", "b1")):
                await add_kill(connection, scope, target, "ann", 5)  # type: ignore[arg-type]
            assert [(kill.scope, kill.target) for kill in await standing(connection)] == [
                ("bot", "b1"), ("all", ""), ("bot", "b1"),
            ]  # fmt: skip
            assert await lift(connection, "all", "", 6) == 1
            assert await is_killed(connection, "b1", "mine")
            assert not await is_killed(connection, "b2", "mine")
            assert await lift(connection, "bot", "b1", 7) == 2
            assert not await is_killed(connection, "b1", "mine")

    within(place, check)


@pytest.mark.parametrize(("scope", "target"), [("all", "b1"), ("bot", ""), ("account", "")])
def test_a_kill_that_names_the_wrong_thing_is_a_fault_of_ours(place: Site, scope: Scope, target: str) -> None:
    async def check(database: Database) -> None:
        async with database.writing() as connection:
            await add_kill(connection, scope, target, "ann", 5)

    with pytest.raises(AssertionError):
        within(place, check)

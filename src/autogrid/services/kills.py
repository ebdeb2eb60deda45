"""The kill switch: a word of a person, and no order of a bot, an account or all leaves any more, and all are taken out.

A kill is a row that stands until a person lifts it, through every restart. With it each bot that is meant is asked to
take its orders out; the engine besides takes out whatever of theirs rests, whether the bot runs or not.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.services.bots import UnableToAsk, now_ms
from autogrid.storage.bots import find_bot
from autogrid.storage.database import Database
from autogrid.storage.kills import Kill, Scope, add_kill, is_killed, lift, standing
from autogrid.storage.requests import add_request
from autogrid.storage.wants import Want, list_wants


class Meant(NamedTuple):
    """What a kill is meant for."""

    scope: Scope
    target: str
    """A bot's id or an account's name; empty for all."""
    bots: tuple[Want, ...]


async def meant_by(connection: AsyncConnection, bot: str | None, account: str | None) -> Meant:
    """A bot, an account, or (both None) all. Raises `UnableToFindBot`, `UnableToAsk`."""
    wants = await list_wants(connection)
    if bot is not None:
        found = await find_bot(connection, bot)
        return Meant("bot", found.id, tuple(want for want in wants if want.id == found.id))
    if account is not None:
        bots = tuple(want for want in wants if want.account == account)
        if not bots:
            names = ", ".join(dict.fromkeys(want.account for want in wants))
            there = f"bots are on {names}" if names else "there are no bots"
            raise UnableToAsk(f"no bot is on an account '{account}'; {there}")
        return Meant("account", account, bots)
    return Meant("all", "", tuple(wants))


async def kill(database: Database, bot: str | None, account: str | None, by: str) -> Meant:
    """Stop at once what is meant. Raises `UnableToFindBot`, `UnableToAsk`."""
    async with database.writing() as connection:
        meant = await meant_by(connection, bot, account)
        await add_kill(connection, meant.scope, meant.target, by, now_ms())
        for want in meant.bots:
            if want.wanted != "stopped" and want.actual != "ended":
                await add_request(connection, want.id, "kill", {}, now_ms())
        return meant


async def lift_kill(database: Database, bot: str | None, account: str | None) -> tuple[Meant, int]:
    """Lift what was killed just so; how many bots go on. Raises `UnableToFindBot`, `UnableToAsk`."""
    async with database.writing() as connection:
        meant = await meant_by(connection, bot, account)
        if not await lift(connection, meant.scope, meant.target, now_ms()):
            kills = await standing(connection)
            there = f"what stands: {', '.join(map(_words, kills))}" if kills else "no kill stands"
            raise UnableToAsk(f"that was not killed; {there}")
        freed = 0
        for want in meant.bots:
            if want.wanted == "stopped" or want.actual == "ended":
                continue
            if await is_killed(connection, want.id, want.account):
                continue
            freed += 1
            await add_request(connection, want.id, "resume", {}, now_ms())
            if want.wanted == "paused":
                await add_request(connection, want.id, "pause", {"cancel": "no"}, now_ms())
        return meant, freed


async def list_kills(database: Database) -> Sequence[Kill]:
    """Those that stand."""
    async with database.reading() as connection:
        return await standing(connection)


def _words(one: Kill) -> str:
    return one.scope if one.scope == "all" else f"{one.scope} {one.target}"

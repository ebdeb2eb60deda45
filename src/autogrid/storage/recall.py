"""The state of a bot from its journal: a snapshot and the fold of the steps after it, or of all steps from the first.

Every step is decided again and must come out with the commands that were kept. Where it does not, this code is not the
code that wrote the journal, and going on would be guessing: it is told, with the first step that differs.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Final, NamedTuple, TypeAlias, cast

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.storage import tables
from autogrid.storage.bots import PAPER, BotRow, find_bot
from autogrid.storage.codecs import Rebuild
from autogrid.storage.encoding import decode, decode_any, decode_changes, decode_many, encode, encode_many
from autogrid.trading.bot import Bot
from autogrid.trading.event import Event
from autogrid.trading.market import Market
from autogrid.trading.money import Amount
from autogrid.trading.state import BotState
from autogrid.trading.strategies.strategy import AnyStrategy

PAGE: Final = 1_000
"""Steps read at once."""

Build: TypeAlias = Callable[[str, Mapping[str, str], Market, Amount], AnyStrategy]
"""A strategy from its name, configuration, market and investment, as `catalogue.build`."""


class UnableToReplay(Exception):
    """A step of the journal, decided again, comes out differently. The sentence says which."""

    code = "journal-differs"


class Loaded(NamedTuple):
    """A bot as its journal left it."""

    row: BotRow
    bot: Bot
    state: BotState
    """After step `seq`."""
    seq: int
    cursor: str
    """Where its exchange stood at that step; empty before the first."""


class Difference(NamedTuple):
    """Where a journal and the code part."""

    seq: int
    what: str
    """`commands`, or `state` where a snapshot differs."""
    kept: str
    found: str


class Replayed(NamedTuple):
    """What came of deciding a whole journal again."""

    steps: int
    """That came out equal."""
    difference: Difference | None


class _Kept(NamedTuple):
    seq: int
    event: str
    before: str
    commands: str


def machine_of(row: BotRow) -> Bot:
    """What does not change while the bot runs. The exchange of a paper bot knows no delay."""
    return Bot(row.market, row.limits, at_once=row.account == PAPER)


async def load(connection: AsyncConnection, bot_id: str, build: Build) -> Loaded | None:
    """The bot as its last step left it; None where it never ran. Raises `UnableToReplay`."""
    row = await find_bot(connection, bot_id)
    bot, rebuild = machine_of(row), _rebuild(row, build)
    snapshots = tables.snapshots
    newest = select(snapshots.c.seq, snapshots.c.state).where(snapshots.c.bot_id == row.id)
    snapshot = (await connection.execute(newest.order_by(snapshots.c.seq.desc()).limit(1))).one_or_none()
    if snapshot is None:
        return None
    seq, state = snapshot.seq, decode(BotState, snapshot.state, rebuild)
    async for kept in _steps_after(connection, row.id, seq):
        state, commands = decided(bot, state, kept)
        if not same_commands(kept.commands, commands):
            raise UnableToReplay(
                f"step {kept.seq} of bot {row.id} was kept with {_shown(kept.commands)} and comes out with "
                f"{_shown(commands)}: this AutoGrid decides otherwise than the one that wrote it. Start that version, "
                "or stop the bot there and make a new one here."
            )
        seq = kept.seq
    steps = tables.steps
    at = select(steps.c.cursor).where(steps.c.bot_id == row.id, steps.c.seq == seq)
    cursor = (await connection.execute(at)).scalar_one_or_none()
    return Loaded(row, bot, state, seq, cursor or "")


async def replay(connection: AsyncConnection, bot_id: str, build: Build) -> Replayed:
    """Decide every step again from the first; the first difference, or none. Snapshots must come out equal too."""
    row = await find_bot(connection, bot_id)
    bot, rebuild = machine_of(row), _rebuild(row, build)
    snapshots = tables.snapshots
    found = await connection.execute(select(snapshots.c.seq, snapshots.c.state).where(snapshots.c.bot_id == row.id))
    states = {snapshot.seq: snapshot.state for snapshot in found}
    count = 0
    if not states:
        return Replayed(count, None)
    state = decode(BotState, states[0], rebuild)
    async for kept in _steps_after(connection, row.id, 0):
        state, commands = decided(bot, state, kept)
        if not same_commands(kept.commands, commands):
            return Replayed(count, Difference(kept.seq, "commands", kept.commands, commands))
        if kept.seq in states and encode(state) != states[kept.seq]:
            then, now = encode(decode(BotState, states[kept.seq], rebuild)), encode(state)
            if then != now:
                return Replayed(count, Difference(kept.seq, "state", then, now))
        count += 1
    return Replayed(count, None)


def decided(bot: Bot, state: BotState, kept: _Kept) -> tuple[BotState, str]:
    """The state after a kept step, and its commands, decided again."""
    event = cast("Event", decode_any(kept.event))
    step = bot.step(decode_changes(kept.before, state), event)
    return step.state, encode_many(step.commands)


def same_commands(kept: str, found: str) -> bool:
    """Whether two texts hold the same commands."""
    return kept == found or encode_many(decode_many(kept)) == found


def _rebuild(row: BotRow, build: Build) -> Rebuild:
    return partial(_build, build, row.market, row.investment)


def _build(build: Build, market: Market, investment: Amount, name: str, config: Mapping[str, str]) -> AnyStrategy:
    return build(name, config, market, investment)


async def _steps_after(connection: AsyncConnection, bot_id: str, seq: int) -> AsyncIterator[_Kept]:
    while True:
        page = (await connection.execute(_page(bot_id, seq))).all()
        for row in page:
            yield _Kept(row.seq, row.event, row.before, row.commands)
        if len(page) < PAGE:
            return
        seq = page[-1].seq


def _page(bot_id: str, seq: int) -> Select[tuple[int, str, str, str]]:
    steps = tables.steps
    columns = (steps.c.seq, steps.c.event, steps.c.before, steps.c.commands)
    after = select(*columns).where(steps.c.bot_id == bot_id, steps.c.seq > seq)
    return after.order_by(steps.c.seq).limit(PAGE)


def _shown(commands: str) -> str:
    return commands[:200] or "no commands"

"""In words: what state a bot is in, and why there is no order at a line."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from autogrid.services import picture_words as words
from autogrid.trading.bot import Bot
from autogrid.trading.money import Price, text
from autogrid.trading.risk import Trip
from autogrid.trading.state import BotState
from autogrid.trading.strategies.grid.memory import Cell, GridMemory

NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})


def cells_of(state: BotState) -> tuple[Cell, ...]:
    """The cells of a grid from the top; none where the strategy is another, or has not begun."""
    memory = state.memory
    if not isinstance(memory, GridMemory):
        return ()
    return tuple(sorted(memory.cells.values(), key=lambda cell: cell.floor, reverse=True))


def state_of(bot: Bot, state: BotState, price: Price | None, at_ms: int) -> tuple[str, str]:
    """The state by its name and in a sentence."""
    name = _name(bot, state, price, at_ms)
    trip = state.risk.trip
    why = state.ended_why or state.strategy.status(state.memory).why
    resting = "1 order" if len(state.standing) == 1 else f"{len(state.standing)} orders"
    if name == "opening" and not isinstance(state.memory, GridMemory):
        return name, words.BEGINNING
    return name, words.STATES[name].format(
        meanwhile=words.WITH_ORDERS.format(resting=resting) if state.standing else words.WITHOUT_ORDER,
        what=_joined(why),
        resting=resting,
        rule=trip.rule if trip else "",
        why=trip.why if trip and name in ("breaker", "trial") else why,
        until=clock(trip.at_ms + bot.limits.cooldown_ms) if trip else "",
    )


def _joined(why: str) -> str:
    """`why` as the end of a sentence: after a comma where it goes on, such as "until …", after a colon otherwise."""
    if not why:
        return ""
    return f", {why}" if why.startswith(("until ", "till ", "for ")) else f": {why}"


def _name(bot: Bot, state: BotState, price: Price | None, at_ms: int) -> str:
    holds, stage = state.holds, state.strategy.status(state.memory).stage
    if state.ended_why or stage == "ended":
        return "ended"
    for held, name in ((holds.killed, "killed"), (stage == "exiting", "ending"), (holds.paused, "paused")):
        if held:
            return name
    if holds.silent:
        return "silent"
    if state.risk.trip:
        return "breaker" if at_ms < _opens(bot, state.risk.trip) else "trial"
    if price is None or stage == "new":
        return "new"
    if stage in ("waiting", "opening"):
        return stage
    cells = cells_of(state)
    if cells and price > cells[0].roof:
        return "above"
    return "below" if cells and price < cells[-1].floor else "running"


def reasons_of(
    bot: Bot, state: BotState, price: Price | None, at_ms: int, refusals: Mapping[str, str] = NO_WORDS
) -> tuple[str, ...]:
    """Why there is no order at a line, or no order at all: one sentence each, from the top. `refusals`: by slot, the
    words of the exchange.
    """
    memory = state.memory
    if state.ended_why:
        return (words.ENDED.format(why=state.ended_why),)
    status = state.strategy.status(memory)
    if status.stage in ("exiting", "ended"):
        sentence = words.ENDING if status.stage == "exiting" else words.ENDED
        return (sentence.format(why=status.why),)
    if not isinstance(memory, GridMemory):
        return tuple(_without_lines(bot, state, at_ms, refusals))
    if status.stage == "waiting":
        return (words.TRIGGER.format(trigger=status.why),)
    return tuple(_along_the_lines(bot, state, price, at_ms, refusals))


def _along_the_lines(
    bot: Bot, state: BotState, price: Price | None, at_ms: int, refusals: Mapping[str, str]
) -> Iterator[str]:
    cells = cells_of(state)
    if price is not None and cells and not cells[-1].floor <= price <= cells[0].roof:
        where = words.ABOVE if price > cells[0].roof else words.BELOW
        low, high = text(cells[-1].floor), text(cells[0].roof)
        yield words.STAYS.format(price=text(price), where=where, low=low, high=high)
    above: Cell | None = None
    for cell in (*cells, None):
        line = cell.roof if cell else above.floor if above else None
        sells = cell is not None and cell.phase in ("full", "opening")
        buys = above is not None and above.phase in ("empty", "waiting")
        if line is not None and not sells and not buys:
            yield words.EMPTY_LINE.format(line=text(line))
        if above is not None and buys and (why := _why_none(bot, state, above, at_ms, refusals)):
            yield why
        if cell is not None and sells and (why := _why_none(bot, state, cell, at_ms, refusals)):
            yield why
        above = cell


def _why_none(bot: Bot, state: BotState, cell: Cell, at_ms: int, refusals: Mapping[str, str]) -> str:
    """Why `cell` has no order; empty where it has one."""
    if cell.phase == "opening":
        return words.OPENING.format(line=text(cell.roof))
    if cell.phase == "waiting":
        return words.WAITS_FOR_RISE.format(line=text(cell.floor))
    buys = cell.phase == "empty"
    slot, line = (cell.buy_slot, cell.floor) if buys else (cell.sell_slot, cell.roof)
    if slot in state.standing:
        return ""
    template, more = _hindrance(bot, state, slot, at_ms, buys=buys)
    told = _told(refusals, slot)
    return template.format(side="buy" if buys else "sell", line=text(line), words=told, **more)


def _hindrance(bot: Bot, state: BotState, slot: str, at_ms: int, *, buys: bool) -> tuple[str, dict[str, object]]:
    holds, trip = state.holds, state.risk.trip
    if holds.killed or holds.paused:
        return (words.KILLED if holds.killed else words.PAUSED), {}
    if holds.silent:
        return words.SILENT, {}
    if trip and buys and at_ms < _opens(bot, trip):
        return words.BREAKER, {"rule": trip.rule, "why": trip.why, "until": clock(_opens(bot, trip))}
    backoff = state.backoffs.get(slot)
    if backoff and backoff.until_ms > at_ms:
        template = words.BACKS_OFF if backoff.tries > 1 else words.BACKS_OFF_ONCE
        return template, {"tries": backoff.tries, "until": clock(backoff.until_ms)}
    for refused in state.refused:
        if refused.slot == slot:
            return words.REFUSED, {"rule": refused.rule, "why": refused.why}
    return words.PENDING, {}


def _told(refusals: Mapping[str, str], slot: str) -> str:
    """The words of the exchange, in brackets; empty where they are not known any more."""
    return f" ({refusals[slot]})" if refusals.get(slot) else ""


def _without_lines(bot: Bot, state: BotState, at_ms: int, refusals: Mapping[str, str]) -> Iterator[str]:
    """Of a strategy without lines: what holds everything back, what the strategy says, and slots held back."""
    said = [*_holds(bot, state, at_ms), *state.strategy.notices(state.memory)]
    status = state.strategy.status(state.memory)
    if status.stage == "waiting" and status.why and not any(status.why in one for one in said):
        said.append(words.STATES["waiting"].format(meanwhile="", what=_joined(status.why)))
    said += [words.HELD_BACK.format(slot=one.slot, rule=one.rule, why=one.why) for one in state.refused]
    for slot, backoff in state.backoffs.items():
        if backoff.until_ms > at_ms and slot not in state.standing:
            times = "once" if backoff.tries == 1 else f"{backoff.tries} times"
            said.append(
                words.SLOT_BACKS_OFF.format(
                    slot=slot, times=times, words=_told(refusals, slot), until=clock(backoff.until_ms)
                )
            )
    yield from said or [words.ALL_OUT if state.standing else words.NONE_WANTED]


def _holds(bot: Bot, state: BotState, at_ms: int) -> Iterator[str]:
    """Why no order is placed at all."""
    holds, trip = state.holds, state.risk.trip
    if holds.killed or holds.paused:
        yield words.NONE_KILLED if holds.killed else words.NONE_PAUSED
    elif holds.silent:
        yield words.NONE_SILENT
    elif trip and at_ms < _opens(bot, trip):
        yield words.NONE_BREAKER.format(rule=trip.rule, why=trip.why, until=clock(_opens(bot, trip)))
    elif state.price is None:
        yield words.NONE_NEW


def _opens(bot: Bot, trip: Trip) -> int:
    return trip.at_ms + bot.limits.cooldown_ms


def clock(at_ms: int) -> str:
    """A time of day as people read it."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S} UTC"

"""Bots as a person asks for them: made, started, paused, stopped, edited, shown and explained."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.services.backtests import LARGEST_INVESTMENT, check_investment, check_tape
from autogrid.services.markets import MarketWords, market_for
from autogrid.storage.bots import (
    PAPER,
    BotRow,
    NewBot,
    create_bot,
    delete_bot,
    find_bot,
    hold_bot,
    list_bots,
    set_actual,
    set_config,
    set_wanted,
)
from autogrid.storage.credentials import CredentialRow, find_credential
from autogrid.storage.database import Database
from autogrid.storage.recall import load
from autogrid.storage.requests import RequestKind, add_request
from autogrid.trading.ledger import Ledger, opened
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, text
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build, entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.strategy import AnyStrategy


class UnableToAsk(Exception):
    """The bot cannot do that now. The sentence says what it can."""

    code = "not-now"


@dataclass(frozen=True, slots=True)
class BotRequest:
    """What a bot is to be made from."""

    strategy: str
    account: str
    symbol: str
    investment: Amount
    config: Mapping[str, str]
    words: MarketWords
    name: str | None = None
    tape: Path | None = None
    speed: Decimal = Decimal(0)
    exchange: str | None = None
    risk: bool = True
    price: Price | None = None
    """The market's, where it is known: what can be checked with it is checked now."""


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


async def create(database: Database, request: BotRequest) -> BotRow:
    """A new bot, stopped. Raises `UnableToConfigure`, `UnableToReadCandles`, `UnableToCreateBot` and others."""
    if request.account != PAPER:
        await _check_account(database, request)
    check_investment(request.investment)
    market, price, tape = _market(request)
    strategy = build(request.strategy, request.config, market, request.investment)
    at = strategy.trigger or price
    if at is not None:
        strategy.check(at)
    if tape is not None:
        check_tape(strategy, tape)
    async with database.writing() as connection:
        names = {bot.name for bot in await list_bots(connection)}
        new = NewBot(
            name=request.name or _free_name(f"{request.strategy}-{market.base.lower()}", names),
            strategy=request.strategy,
            config=dict(request.config),
            account=request.account,
            market=market,
            limits=Limits(request.investment, breakers=request.risk),
            investment=request.investment,
            own_base=strategy.own_base,
            tape=None if request.tape is None else str(request.tape.resolve()),
            speed=request.speed if request.tape is not None else None,
            exchange=request.exchange,
        )
        return await create_bot(connection, new, now_ms())


async def _check_account(database: Database, request: BotRequest) -> None:
    """Raises `UnableToFindCredential`, `UnableToAsk` where the bot cannot trade on the account."""
    async with database.reading() as connection:
        key = await _check_key(connection, request.account)
    if request.tape is not None:
        raise UnableToAsk(f"account {key.name} trades on {key.exchange}; a tape goes with --account paper only")
    if request.exchange != key.exchange:
        raise UnableToAsk(f"account {key.name} is on {key.exchange}, not on {request.exchange}")


async def _check_key(connection: AsyncConnection, account: str) -> CredentialRow:
    """The key of an account. Raises `UnableToFindCredential`, and `UnableToAsk` where it was refused."""
    key = await find_credential(connection, account)
    if key.state == "refused":
        raise UnableToAsk(
            f"the key of account {key.name} was refused: {key.reason}; mend it, then `autogrid credentials check`"
        )
    return key


def _market(request: BotRequest) -> tuple[Market, Price | None, Tape | None]:
    """The market's rules, its price where it is known, and the tape where it runs on one."""
    if request.tape is not None:
        tape = read_tape((request.tape,), at_least_decimals=tape_decimals(request.words.tick))
        market, _ = market_for(tape, request.words)
        if request.words.known is None:
            base, _, quote = request.symbol.upper().partition("/")
            if market.base != "BASE" and market.symbol != f"{base}/{quote}":
                raise UnableToConfigure(
                    "symbol",
                    f"the tape's name says {market.symbol}, and --symbol is {base}/{quote}; they must be one",
                )
            market = replace(market, base=base, quote=quote)
        return market, Decimal(int(tape.prices[0, 0])) * tape.unit, tape
    if request.words.known is None:
        raise UnableToConfigure(
            "tape", "give --tape FILE, or --exchange with an exchange whose live prices it shall see"
        )
    return request.words.known, request.price, None


def tape_decimals(tick: Price | None) -> int:
    """Decimals that a tape needs so that its unit divides `tick`."""
    return 0 if tick is None else max(0, -int(tick.normalize().as_tuple().exponent))


def _free_name(wish: str, taken: set[str]) -> str:
    if wish not in taken:
        return wish
    return next(f"{wish}-{n}" for n in range(2, len(taken) + 3) if f"{wish}-{n}" not in taken)


def strategy_of(bot: BotRow) -> AnyStrategy:
    """The bot's strategy by its first configuration."""
    return build(bot.strategy, bot.config, bot.market, bot.investment)


def tape_of(bot: BotRow) -> Tape:
    """The candles of a bot that runs on a tape. Raises `UnableToReadCandles`."""
    assert bot.tape is not None, "only a bot on a tape has one"
    return read_tape((Path(bot.tape),), at_least_decimals=tape_decimals(bot.market.tick))


def first_ledger(bot: BotRow, price: Price) -> Ledger:
    """What the bot owns before it starts; own base is valued at the trigger, or at `price`."""
    return opened(bot.investment, bot.own_base, strategy_of(bot).trigger or price)


async def start(database: Database, meant: str) -> BotRow:
    """Want the bot to run; one that was paused goes on. Raises `UnableToFindBot`, `UnableToAsk`."""
    async with database.writing() as connection:
        bot = await hold_bot(connection, meant)
        if bot.actual == "ended":
            raise UnableToAsk(f"{bot.name} has ended ({bot.reason}); create a new one")
        if bot.account != PAPER:
            await _check_key(connection, bot.account)
        if bot.actual == "error":
            await set_actual(connection, bot.id, "stopped", "", now_ms())
        if bot.wanted == "paused":
            await add_request(connection, bot.id, "resume", {}, now_ms())
        await set_wanted(connection, bot.id, "running", now_ms())
        return await find_bot(connection, bot.id)


async def pause(database: Database, meant: str, *, cancel: bool) -> BotRow:
    """Want no new orders; with `cancel` the resting ones go too. Raises `UnableToFindBot`, `UnableToAsk`."""
    return await _ask(database, meant, "pause", {"cancel": "yes" if cancel else "no"}, wanted="paused")


async def stop(database: Database, meant: str, *, sell: bool) -> BotRow:
    """Want the bot to end: orders go, its base is sold or kept. One that could not begin yet, since its account lacks
    funds or its market does not trade, is stopped at once. Raises `UnableToFindBot`, `UnableToAsk`.
    """
    async with database.writing() as connection:
        bot = await find_bot(connection, meant)
        if bot.actual == "starting" and await load(connection, bot.id, build) is None:
            await set_wanted(connection, bot.id, "stopped", now_ms())
            await set_actual(connection, bot.id, "stopped", "it was stopped before it could begin", now_ms())
            return await find_bot(connection, bot.id)
    return await _ask(database, meant, "stop", {"sell": "yes" if sell else "no"}, wanted="running")


async def _ask(
    database: Database,
    meant: str,
    kind: RequestKind,
    payload: Mapping[str, str],
    *,
    wanted: Literal["running", "paused"],
) -> BotRow:
    async with database.writing() as connection:
        bot = await hold_bot(connection, meant)
        if bot.actual == "ended":
            raise UnableToAsk(f"{bot.name} has ended ({bot.reason})")
        if bot.actual == "error":
            raise UnableToAsk(f"{bot.name} stopped by a fault ({bot.reason}); start it again, or delete it")
        if bot.wanted == "stopped":
            raise UnableToAsk(f"{bot.name} does not run; start it first, or delete it")
        await add_request(connection, bot.id, kind, payload, now_ms())
        await set_wanted(connection, bot.id, wanted, now_ms())
        return await find_bot(connection, bot.id)


async def act(database: Database, meant: str, action: str, amount: Amount | None) -> BotRow:
    """Ask for what only this bot's strategy can do. Raises `UnableToFindBot`, `UnableToAsk`."""
    async with database.reading() as connection:
        bot = await find_bot(connection, meant)
    known = {one.name: one for one in entry(bot.strategy).actions}
    if action not in known:
        what = f"it knows {', '.join(known)}" if known else "it knows none"
        raise UnableToAsk(f"{bot.name} is a {bot.strategy} bot and knows no action '{action}'; {what}")
    if known[action].takes_amount and (amount is None or amount <= 0):
        raise UnableToAsk(f"{action} takes an amount in quote, above 0")
    if not known[action].takes_amount and amount is not None:
        raise UnableToAsk(f"{action} takes no amount")
    payload = {"action": action} if amount is None else {"action": action, "amount": text(amount)}
    return await _ask(database, meant, "action", payload, wanted="running")


async def fund(database: Database, meant: str, amount: Amount) -> BotRow:
    """Give the bot quote, or (below zero) take free quote out. Raises `UnableToFindBot`, `UnableToAsk`."""
    if not amount or abs(amount) > LARGEST_INVESTMENT:
        raise UnableToAsk(f"an amount of {text(amount)} cannot be moved; give one above 0")
    return await _ask(database, meant, "funds", {"amount": text(amount)}, wanted="running")


async def remove(database: Database, meant: str) -> BotRow:
    """Take the bot away from sight. Raises `UnableToFindBot`, `UnableToDeleteBot`."""
    async with database.writing() as connection:
        bot = await hold_bot(connection, meant)
        await delete_bot(connection, bot.id, now_ms())
        return bot


async def edit(database: Database, meant: str, config: Mapping[str, str]) -> BotRow:
    """Another configuration: now where the bot never ran, else by its journal. Raises `UnableToConfigure`."""
    if not config:
        raise UnableToConfigure("set", "nothing to change; give --set key=value")
    async with database.writing() as connection:
        bot = await hold_bot(connection, meant)
        merged = {**bot.config, **config}
        strategy = build(bot.strategy, merged, bot.market, bot.investment)
        if bot.actual == "ended":
            raise UnableToAsk(f"{bot.name} has ended ({bot.reason})")
        if bot.wanted == "stopped":
            await set_config(connection, bot.id, merged, strategy.own_base, now_ms())
        else:
            await add_request(connection, bot.id, "edit", dict(config), now_ms())
        return await find_bot(connection, bot.id)


def bot_json(bot: BotRow) -> dict[str, object]:
    """A bot as JSON; money as text."""
    return {
        "id": bot.id,
        "name": bot.name,
        "strategy": bot.strategy,
        "symbol": bot.symbol,
        "account": bot.account,
        "state": bot.actual,
        "wanted": bot.wanted,
        "reason": bot.reason,
        "investment": text(bot.investment),
        "config": dict(bot.config),
        "tape": bot.tape,
        "speed": None if bot.speed is None else text(bot.speed),
        "exchange": bot.exchange,
        "created_ms": bot.created_ms,
    }

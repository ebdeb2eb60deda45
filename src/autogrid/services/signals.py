"""Signals from outside: a TradingView alert as JSON, read, checked, and handed to the bot it is for.

Rules: an alert names what to do, and nothing else in it can move the bot. It counts once, by its id; one without an id
counts by its text. Of one bot at most 30 are taken within a minute. A shared secret, where the bot has one, signs the
text: HMAC-SHA256, in hex.
"""

import hashlib
import hmac
import json
from typing import Final, Literal, NamedTuple

from autogrid.services.bots import UnableToAsk, now_ms, strategy_of
from autogrid.storage.bots import BotRow, hold_bot
from autogrid.storage.database import Database
from autogrid.storage.requests import add_request, list_signals
from autogrid.trading.money import Share, UnableToReadFigure, figure, text

ENTER: Final = ("enter", "buy", "long")
LEAVE: Final = ("leave", "exit", "sell", "close", "flat")
KNOWN: Final = {"id", "action", "price", "size", "symbol", "ticker", "time", "token"}
LONGEST: Final = 4_096
"""Bytes of an alert, at most."""
A_MINUTE: Final = 30
REMEMBERED_MS: Final = 7 * 86_400_000
"""An id counts as seen for so long."""


class UnableToReadAlert(ValueError):
    """A text is no alert. The sentence says what would be."""

    code = "bad-alert"


class Alert(NamedTuple):
    """What somebody outside wants the bot to do."""

    id: str
    action: Literal["enter", "leave"]
    size: Share | None
    """Of the bot's equity."""


def read_alert(body: bytes) -> Alert:
    """The alert in `body`, a JSON object. Raises `UnableToReadAlert`."""
    if len(body) > LONGEST:
        raise UnableToReadAlert(f"the alert has {len(body)} bytes; at most {LONGEST} are read")
    try:
        found = json.loads(body)
    except ValueError:
        raise UnableToReadAlert('the alert is not JSON; write it like {"action": "buy", "id": "1"}') from None
    if not isinstance(found, dict):
        raise UnableToReadAlert('the alert is no JSON object; write it like {"action": "buy", "id": "1"}')
    strange = sorted(found.keys() - KNOWN)
    if strange:
        raise UnableToReadAlert(f"the alert has the unknown key '{strange[0]}'; known are {', '.join(sorted(KNOWN))}")
    word = str(found.get("action", "")).strip().lower()
    if word not in (*ENTER, *LEAVE):
        raise UnableToReadAlert(f"the alert's action is '{word}'; it is one of {', '.join((*ENTER, *LEAVE))}")
    return Alert(_id_of(found, body), "enter" if word in ENTER else "leave", _size_of(found.get("size")))


def _id_of(found: dict[str, object], body: bytes) -> str:
    given = found.get("id")
    if given is None:
        return f"text-{hashlib.sha256(body).hexdigest()[:24]}"
    if not isinstance(given, str | int) or not 0 < len(str(given)) <= 64:
        raise UnableToReadAlert("the alert's id must be a text of 1 to 64 characters")
    return str(given)


def _size_of(given: object) -> Share | None:
    if given is None:
        return None
    try:
        size = figure(str(given))
    except UnableToReadFigure as error:
        raise UnableToReadAlert(f"the alert's size: {error}") from None
    if not 0 < size <= 1:
        raise UnableToReadAlert(f"the alert's size is {text(size)}; it is a share of the equity, above 0 and up to 1")
    return size


def is_signed(body: bytes, secret: str, signature: str) -> bool:
    """Whether `signature` (hex) is that of `body` by `secret`; takes as long for a wrong one as for a right one."""
    return hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature.strip().lower())


async def send(database: Database, meant: str, alert: Alert) -> tuple[BotRow, bool]:
    """Hand `alert` to the bot; False where it was seen before. Raises `UnableToFindBot`, `UnableToAsk`."""
    at_ms = now_ms()
    async with database.writing() as connection:
        bot = await hold_bot(connection, meant)
        if bot.wanted != "running" or bot.actual in ("ended", "error"):
            raise UnableToAsk(f"{bot.name} does not run, so the signal is not kept; start it first")
        if not strategy_of(bot).hears_signals:
            raise UnableToAsk(f"{bot.name} is a {bot.strategy} bot that listens to no signals; nothing was sent")
        seen = await list_signals(connection, bot.id, at_ms - REMEMBERED_MS)
        if any(one.payload.get("id") == alert.id for one in seen):
            return bot, False
        recent = sum(one.made_ms > at_ms - 60_000 for one in seen)
        if recent >= A_MINUTE:
            raise UnableToAsk(f"{bot.name} was sent {recent} signals within a minute; at most {A_MINUTE} are taken")
        payload = {"id": alert.id, "action": alert.action}
        if alert.size is not None:
            payload["size"] = text(alert.size)
        await add_request(connection, bot.id, "signal", payload, at_ms)
        return bot, True

"""Keys, signatures and times of requests, checked in Binance's order."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from autogrid.simulator.binance.params import WHOLE
from autogrid.simulator.binance.refusals import (
    BAD_KEY,
    BAD_KEY_FORMAT,
    BAD_SIGNATURE,
    BAD_TIME,
    EARLY,
    UnableToAnswer,
    missing,
)
from autogrid.simulator.records import Key
from autogrid.simulator.world import World

KEY_FORM: Final = re.compile(r"[A-Za-z0-9-]{8,128}")
WINDOW_MS: Final = 5_000
"""How old a request may be where it does not say."""
MOST_WINDOW_MS: Final = 60_000
AHEAD_MS: Final = 1_000


def check_signed(world: World, key_text: str, given: Mapping[str, str], signed: str, right: str) -> Key:
    """The key of a request whose text without its signature is `signed`. Raises UnableToAnswer."""
    key = _key(world, key_text)
    if "timestamp" not in given:
        raise missing("timestamp")
    if "signature" not in given:
        raise missing("signature")
    _check_time(world.now_ms(), given)
    proof = hmac.new(key.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(proof.encode(), given["signature"].encode()):
        raise UnableToAnswer(*BAD_SIGNATURE)
    if not (key.trades if right == "trades" else key.reads):
        raise UnableToAnswer(*BAD_KEY, 401)
    return key


def fields_of(*parts: str) -> dict[str, str]:
    """The parameters of a query and a form, decoded. Raises UnableToAnswer where one comes twice."""
    found: dict[str, str] = {}
    for piece in (piece for part in parts for piece in part.split("&") if piece):
        name, _, value = piece.partition("=")
        name = unquote_plus(name)
        if name in found:
            raise UnableToAnswer(-1101, "Duplicate values for a parameter detected.")
        found[name] = unquote_plus(value)
    return found


def unsigned(query: str, form: str) -> str:
    """What a REST request's signature is of: its query and its form, as they were sent, but for the signature."""
    return "".join(
        "&".join(one for one in part.split("&") if not one.startswith("signature=")) for part in (query, form)
    )


def sorted_fields(given: Mapping[str, str]) -> str:
    """What a WebSocket request's signature is of."""
    return "&".join(f"{name}={value}" for name, value in sorted(given.items()) if name != "signature")


def _key(world: World, key_text: str) -> Key:
    if KEY_FORM.fullmatch(key_text) is None:
        raise UnableToAnswer(*BAD_KEY_FORMAT, 401)
    key = world.key_of(key_text)
    if key is None or key.expired:
        raise UnableToAnswer(*BAD_KEY, 401)
    return key


def _check_time(now_ms: int, given: Mapping[str, str]) -> None:
    window = given.get("recvWindow", str(WINDOW_MS)).partition(".")[0]
    for name, told in (("timestamp", given["timestamp"]), ("recvWindow", window)):
        if re.fullmatch(WHOLE, told) is None:
            raise UnableToAnswer(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{WHOLE}'.")
    if int(window) > MOST_WINDOW_MS:
        raise UnableToAnswer(-1131, "recvWindow must be less than 60000")
    sent_ms = int(given["timestamp"])
    if sent_ms > now_ms + AHEAD_MS:
        raise UnableToAnswer(*EARLY)
    if now_ms - sent_ms > int(window):
        raise UnableToAnswer(*BAD_TIME)

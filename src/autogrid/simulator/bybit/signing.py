"""Who sent a request, and whether it may: keys, signatures, the time window and rights.

A request signs its time, its key, its window and what it sends (the query as it stands in the URL, or the body) with
HMAC-SHA256; a stream signs the time until which its sign-in is good.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.records import Key
from autogrid.simulator.world import World

Right: TypeAlias = Literal["read", "trade"]

WINDOW_MS: Final = 5_000
"""How old a request may be where it does not say."""
AHEAD_MS: Final = 1_000
"""How far ahead of the exchange's clock a request may be."""


def sender(world: World, headers: Mapping[str, str], payload: str, right: Right) -> Key:
    """Whose request it is, whose `payload` is its query or body.

    Raises UnableToAnswer where the key is unknown or expired, the request too old, its signature wrong, or the right
    missing.
    """
    key = known(world, headers.get("X-BAPI-API-KEY", ""))
    stamp, window = headers.get("X-BAPI-TIMESTAMP", ""), headers.get("X-BAPI-RECV-WINDOW", "")
    in_time(world, stamp, window)
    signature = headers.get("X-BAPI-SIGN", "").lower()
    signed = (f"{stamp}{key.key}{window}{text}" for text in (payload, unquote(payload)))
    if not any(hmac.compare_digest(signature, sign(key.secret, text)) for text in signed):
        raise UnableToAnswer(codes.WRONG_SIGN, f"error sign! origin_string[{stamp}{key.key}{window}{payload}]")
    may(key, right)
    return key


def in_time(world: World, stamp: str, window: str) -> None:
    """Raise UnableToAnswer where a request of `stamp` comes too late or from the future."""
    now = world.now_ms()
    lasts = int(window) if window.isdigit() else WINDOW_MS
    if not stamp.isdigit() or not now - lasts <= int(stamp) < now + AHEAD_MS:
        raise UnableToAnswer(
            codes.OUTSIDE_WINDOW,
            "invalid request, please check your server timestamp or recv_window param."
            f" req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{lasts}]",
        )


def may(key: Key, right: Right) -> None:
    """Raise UnableToAnswer where `key` lacks `right`."""
    if not (key.trades if right == "trade" else key.reads):
        raise UnableToAnswer(codes.NO_RIGHT)


def known(world: World, key_text: str) -> Key:
    """The key, if it is one and not expired. Raises UnableToAnswer."""
    key = world.key_of(key_text)
    if key is None:
        raise UnableToAnswer(codes.WRONG_KEY)
    if key.expired:
        raise UnableToAnswer(codes.EXPIRED_KEY)
    return key


def signed_in(world: World, args: object) -> Key:
    """Whose stream it is that signs in with `args`: key, good until (ms), signature. Raises UnableToAnswer."""
    if not isinstance(args, list) or len(args) != 3:
        raise UnableToAnswer(codes.BAD_REQUEST, "Params Error")
    key_text, until, signature = (str(arg) for arg in args)
    key = known(world, key_text)
    if not until.isdigit() or int(until) <= world.now_ms():
        raise UnableToAnswer(codes.OUTSIDE_WINDOW, "The request time exceeds the time window range.")
    if not hmac.compare_digest(signature.lower(), sign(key.secret, f"GET/realtime{until}")):
        raise UnableToAnswer(codes.WRONG_SIGN, "Error sign, please check your signature generation algorithm.")
    may(key, "read")
    return key


def sign(secret: str, text: str) -> str:
    """HMAC-SHA256 of `text` in hexadecimal."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()

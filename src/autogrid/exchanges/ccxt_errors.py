"""What an exchange's raw answer to a request means: the answer itself, or one of the three exceptions of the port.

Rules: only what stands in a list here is a refusal; whatever else comes back after an order was sent, or nothing at
all, is unclear. To a question, which changes nothing, the same faults mean that the exchange is away. ccxt's own
exceptions are not looked at: it raises nothing for a page of HTML, and the same for a cut-off answer as for a refusal.
Figures stay the text they came as. What is said never holds a URL or a header: these carry signatures and keys.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from autogrid.engine.venue import ExchangeAway, ExchangeRefused, ExchangeUnclear, Why
from autogrid.exchanges.connect_to import UnknownHost
from autogrid.exchanges.limits import Kind


@dataclass(slots=True)
class Reply:
    """What came back over the wire, before anyone read it."""

    status: int = 0
    """0: nothing came back."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""
    body: str = ""


REFUSED: Final[Mapping[str, Mapping[str, Why]]] = {
    "binance": {
        **dict.fromkeys(("-1002", "-1022", "-1099", "-2008", "-2014", "-2015"), "key"),
        **dict.fromkeys(("-1013", "-1014", "-1111", "-2016"), "rule"),
        **dict.fromkeys(("-1020", "-1100", "-1101", "-1102", "-1103", "-1104", "-1105", "-1106", "-1108"), "other"),
        **dict.fromkeys(("-1112", "-1114", "-1115", "-1116", "-1117", "-1118", "-1119", "-1120"), "other"),
        **dict.fromkeys(("-1127", "-1128", "-1130", "-1131", "-1134", "-1135", "-1145", "-1165", "-2026"), "other"),
        **dict.fromkeys(("-2011", "-2013"), "unknown-order"),
        "-1021": "clock",
        "-1121": "symbol",
        "-2010": "other",
        "-2035": "rule",
    },
    "bybit": {
        **dict.fromkeys(("10003", "10004", "10007", "10009", "10010", "33004"), "key"),
        **dict.fromkeys(("10005", "10008", "10020", "10024", "10027", "10028"), "right"),
        **dict.fromkeys(("170224", "170241"), "right"),
        **dict.fromkeys(("170033", "170131"), "funds"),
        **dict.fromkeys(("170124", "170130", "170132", "170133", "170134", "170135", "170136", "170137"), "rule"),
        **dict.fromkeys(("170140", "170148", "170192", "170193", "170194", "170197", "170198", "170199"), "rule"),
        **dict.fromkeys(
            ("170200", "170201", "170204", "170206", "170217", "170228", "170229", "170371", "170372"), "rule"
        ),
        **dict.fromkeys(("170227", "170344", "170381", "170382", "170810"), "rule"),
        **dict.fromkeys(("170121", "170151", "170157", "170209", "170221", "10029"), "symbol"),
        **dict.fromkeys(("170139", "170142", "170143", "170190", "170213"), "unknown-order"),
        **dict.fromkeys(("10001", "10017", "170105", "170115", "170116", "170117", "170202", "170203"), "other"),
        "10002": "clock",
        "170141": "duplicate",
        "170218": "post-only",
    },
    "mexc": {
        **dict.fromkeys(("401", "402", "406", "602", "700001", "700002", "700006", "10072"), "key"),
        **dict.fromkeys(("403", "511", "701", "702", "703", "704", "700007", "70011", "30018", "60005"), "right"),
        **dict.fromkeys(("10101", "30004", "30005", "2005"), "funds"),
        **dict.fromkeys(("30002", "30003", "30010", "30029", "30087", "88013", "10096", "10097", "10102"), "rule"),
        **dict.fromkeys(("2011", "30027", "30028", "30032", "30041"), "rule"),
        **dict.fromkeys(("-1121", "10007", "30000", "30001", "30014", "30016", "30020", "30021"), "symbol"),
        **dict.fromkeys(("-2011", "-2013", "30026", "22222"), "unknown-order"),
        **dict.fromkeys(("-1128", "10095", "10098", "600", "601", "700004", "700005", "700008", "700013"), "other"),
        **dict.fromkeys(("30019", "30025", "400"), "other"),
        **dict.fromkeys(("700003", "10073"), "clock"),
    },
}
"""By the exchange's code: nothing was done, and sending the same again would not help. Source: their documents."""

AWAY: Final[Mapping[str, Mapping[str, int]]] = {
    "binance": {"-1003": 60_000, "-1015": 10_000},
    "bybit": {"10006": 1_000, "10018": 5_000, "170005": 1_000, "170222": 1_000},
    "mexc": {"429": 10_000, "510": 10_000},
}
"""By the exchange's code: too many requests; nothing was done. How many ms to wait where the answer does not say."""

FAULTS: Final[Mapping[str, frozenset[str]]] = {
    "binance": frozenset({"-1000", "-1001", "-1004", "-1006", "-1007", "-1008", "-1016", "-1034"}),
    "bybit": frozenset({"10000", "10014", "10016", "170001", "170007", "170032", "170146", "170147", "170149"})
    | {"170150", "170191", "170210", "170234"},
    "mexc": frozenset({"500", "501", "503", "504", "604", "801", "11444", "20002"}),
}
"""Codes of an exchange that is ill: whether an order was taken is not known."""

WORDS: Final[Mapping[str, tuple[tuple[str, Why], ...]]] = {
    "binance": (
        ("insufficient balance", "funds"),
        ("immediately match", "post-only"),
        ("duplicate order", "duplicate"),
        ("trigger immediately", "rule"),
        ("market is closed", "symbol"),
        ("not enabled", "right"),
        ("disabled on this account", "right"),
        ("may not place", "right"),
        ("not supported for this symbol", "rule"),
    ),
    "bybit": (),
    "mexc": (
        ("duplicate", "duplicate"),
        ("scale is invalid", "rule"),
        ("api key", "key"),
    ),
}
"""What a refusal is about where its code does not say, by words that are in it."""

NEVER_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, socket.gaierror, UnknownHost)
"""There was no connection to send anything through."""
RATE_WAIT_MS: Final = 10_000
BAN_WAIT_MS: Final = 120_000


def answer_of(exchange: str, reply: Reply, kind: Kind) -> Any:
    """The answer as JSON, its figures as text. Raises ExchangeRefused, ExchangeAway, ExchangeUnclear."""
    if reply.status in (418, 429):
        wait_ms = _wait_ms(reply, BAN_WAIT_MS if reply.status == 418 else RATE_WAIT_MS)
        raise ExchangeAway(f"{exchange} was asked too often ({reply.status})", wait_ms)
    if reply.status == 403 and "too frequent" in reply.body.lower():
        raise ExchangeAway(f"{exchange} was asked too often (403)", 600_000)
    try:
        answer = json.loads(reply.body, parse_float=str)
    except ValueError:
        answer = None
    if not isinstance(answer, dict | list):
        if reply.status == 401:
            raise ExchangeRefused("key", f"{exchange} does not know the key (401)")
        raise lost(f"{exchange} sent no answer that can be read (HTTP {reply.status})", kind)
    code, words = _fault_in(exchange, reply.status, answer)
    if code:
        raise _meaning(exchange, code, words, reply, kind)
    return answer


def no_answer(exchange: str, error: BaseException, kind: Kind) -> ExchangeAway | ExchangeUnclear:
    """Nothing came back, and `error` was raised for it."""
    cause = next((one for one in _causes(error) if isinstance(one, NEVER_SENT)), None)
    # A cancel may have gone out on another connection first: aiohttp sends a DELETE again when one is dropped.
    if cause is not None and kind != "cancel":
        return ExchangeAway(f"{exchange} cannot be reached ({type(cause).__name__})")
    deepest = list(_causes(error))[-1]
    return lost(f"{exchange} did not answer ({type(deepest).__name__})", kind)


def lost(words: str, kind: Kind) -> ExchangeAway | ExchangeUnclear:
    """An answer that never came or says nothing: unclear for what changes something, else away."""
    return ExchangeAway(words) if kind == "read" else ExchangeUnclear(words)


def refused(exchange: str, code: str, words: str) -> ExchangeRefused | None:
    """What a code of a definite refusal means; None where it is none."""
    listed = REFUSED.get(exchange, {}).get(code)
    if listed is None:
        return None
    why: Why = listed
    if why == "other":
        lower = words.lower()
        why = next((meant for part, meant in WORDS.get(exchange, ()) if part in lower), why)
    return ExchangeRefused(why, f"{exchange} refuses: {words or 'it does not say why'} ({code})")


def _meaning(exchange: str, code: str, words: str, reply: Reply, kind: Kind) -> Exception:
    if (wait_ms := AWAY.get(exchange, {}).get(code)) is not None:
        return ExchangeAway(f"{exchange} was asked too often ({code})", _wait_ms(reply, wait_ms))
    if (refusal := refused(exchange, code, words)) is not None:
        return refusal
    if reply.status == 401:
        return ExchangeRefused("key", f"{exchange} does not know the key: {words} ({code})")
    said = f"{exchange} says {code}: {words}" if words else f"{exchange} says {code}"
    ill = reply.status >= 500 or code in FAULTS.get(exchange, frozenset())
    return lost(said, kind) if ill or kind != "read" else ExchangeRefused("other", said)


def _fault_in(exchange: str, status: int, answer: dict[str, Any] | list[Any]) -> tuple[str, str]:
    """The code and the words of an answer that is a fault; empty where it is none."""
    told = answer if isinstance(answer, dict) else {}
    code = str(told.get("retCode" if exchange == "bybit" else "code", "") or "")
    words = " ".join(str(told.get("retMsg") or told.get("msg") or "").split())[:200]
    if code in ("", "0", "200"):
        return (f"HTTP {status}", words) if status >= 400 else ("", "")
    # Binance's answers to orders may have a field of that name some day; its codes are below zero.
    if status < 400 and exchange == "binance" and not code.startswith("-"):
        return "", ""
    return code, words


def _wait_ms(reply: Reply, otherwise_ms: int) -> int:
    told = reply.headers.get("retry-after", "").strip()
    return int(told) * 1_000 if told.isdecimal() else otherwise_ms


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__

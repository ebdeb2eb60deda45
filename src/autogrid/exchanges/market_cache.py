"""Rules of markets as they were last fetched, so that a backtest with an exchange's rules runs without it.

Rules: files stand in `<data_dir>/markets` and are called `binance_BTC-USDT.json`; figures are text. A file that is
older than a day is fetched anew where the exchange can be reached, and used with its age told where it cannot.
Nothing here imports ccxt: what fetches is given.
"""

import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from autogrid.trading.market import QUOTE, RECEIVED, Market, Stops
from autogrid.trading.money import figure, text

FOLDER = "markets"
DAY_MS = 86_400_000
AWAY = frozenset({"exchange_away", "exchange_refused", "bad_answer"})
"""Faults that speak of the exchange's state, not of what was asked for."""

Fetch = Callable[[str, str], Awaitable[Market]]
"""Gives the rules of an exchange's symbol. Raises UnableToFindMarket."""

STEPS = ("tick", "lot", "min_notional", "maker_fee", "taker_fee", "min_quantity")
CAPS = ("max_quantity", "least_share", "most_share")


class UnableToFindMarket(Exception):
    """A market's rules that cannot be had; the text is one sentence for who asked.

    Codes: `unknown_exchange`, `unknown_symbol`, `halted`, `exchange_away` (try again later), `exchange_refused`,
    `bad_answer`, `bad_file`.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class KeptMarket:
    """A market's rules, and of when they are."""

    exchange: str
    market: Market
    fetched_ms: int
    """UTC."""
    fault: str | None = None
    """Why they could not be fetched anew, in a sentence."""

    def age(self, now_ms: int) -> str:
        """How old the rules are at `now_ms`: `5 minutes`, `3 days`."""
        minutes = max(0, now_ms - self.fetched_ms) // 60_000
        for unit, size in (("day", 1_440), ("hour", 60), ("minute", 1)):
            if minutes >= size:
                return f"{minutes // size} {unit}{'' if minutes // size == 1 else 's'}"
        return "under a minute"


def path_of(data_dir: Path, exchange: str, symbol: str) -> Path:
    """Where the rules stand, or would. Raises UnableToFindMarket (`unknown_symbol`)."""
    base, _, quote = symbol.partition("/")
    if not (exchange.isalnum() and base.isalnum() and quote.isalnum()):
        raise UnableToFindMarket(
            "unknown_symbol",
            f"'{exchange}:{symbol}' is no exchange and spot market; right would be binance:BTC/USDT.",
        )
    return data_dir / FOLDER / f"{exchange}_{base}-{quote}.json"


def keep(data_dir: Path, kept: KeptMarket) -> Path:
    """Write the rules down in place of those that were; OSError where that fails."""
    path = path_of(data_dir, kept.exchange, kept.market.symbol)
    written = {"exchange": kept.exchange, "fetched_ms": kept.fetched_ms, "market": _as_texts(kept.market)}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(written, file, indent=2)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def kept_market(data_dir: Path, exchange: str, symbol: str) -> KeptMarket | None:
    """The rules as last fetched; None where they never were. Raises UnableToFindMarket (`bad_file`)."""
    path = path_of(data_dir, exchange, symbol)
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return KeptMarket(exchange, _from_texts(written["market"]), int(written["fetched_ms"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        raise UnableToFindMarket(
            "bad_file", f"{path} cannot be read; remove it and the rules are fetched anew."
        ) from None


async def market_rules(
    data_dir: Path, exchange: str, symbol: str, fetch: Fetch, *, now_ms: int, fresh_ms: int = DAY_MS
) -> KeptMarket:
    """Rules younger than `fresh_ms`, or else fetched now and kept, or else the old ones with the fault.

    Raises UnableToFindMarket where there are none, or where the exchange says that there is no such market.
    """
    old = kept_market(data_dir, exchange, symbol)
    if old is not None and now_ms - old.fetched_ms < fresh_ms:
        return old
    try:
        new = KeptMarket(exchange, await fetch(exchange, symbol), now_ms)
    except UnableToFindMarket as error:
        if old is None or error.code not in AWAY:
            raise
        return replace(old, fault=error.sentence)
    keep(data_dir, new)
    return new


def _as_texts(market: Market) -> dict[str, Any]:
    caps = {name: getattr(market, name) for name in CAPS}
    return {
        "base": market.base,
        "quote": market.quote,
        **{name: text(getattr(market, name)) for name in STEPS},
        **{name: None if cap is None else text(cap) for name, cap in caps.items()},
        "max_orders": market.max_orders,
        "fee_in": QUOTE if market.fee_in == QUOTE else RECEIVED,
        "stops": market.stops,
    }


def _from_texts(written: dict[str, Any]) -> Market:
    steps = {name: figure(written[name]) for name in STEPS}
    caps = {name: None if written[name] is None else figure(written[name]) for name in CAPS}
    most, stops = written["max_orders"], written.get("stops", "none")
    if stops not in get_args(Stops):
        raise ValueError(stops)
    return Market(
        base=str(written["base"]),
        quote=str(written["quote"]),
        fee_in=QUOTE if written["fee_in"] == QUOTE else RECEIVED,
        max_orders=None if most is None else int(most),
        max_quantity=caps["max_quantity"],
        least_share=caps["least_share"],
        most_share=caps["most_share"],
        stops=stops,
        **steps,
    )

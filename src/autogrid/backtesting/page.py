"""A backtest as one HTML page that needs nothing else: no network, no library, no server.

Rules: every value goes in as data and is shown as text, never as markup; scripts and styles are inline and
named by their hash in the page's Content-Security-Policy, so nothing else can run or be fetched; candles are
gathered into buckets that keep each one's lowest and highest value, so nothing that could be seen is lost.
"""

import base64
import hashlib
import html
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autogrid.backtesting.report import harmless, summary_text
from autogrid.backtesting.result import FillRow, Result
from autogrid.trading.money import text
from autogrid.trading.strategies.catalogue import CATALOGUE

MOST_BUCKETS = 8_000
"""Points of a curve on the page; more candles than this share a point."""

MOST_FILLS = 20_000
"""Fills on the page; the JSON file has them all."""

_PARTS = files("autogrid.backtesting") / "page"
_SCRIPTS = ("figures.js", "sections.js", "fills.js", "plot.js", "panels.js", "view.js", "main.js")


def write_page(result: Result, path: Path) -> None:
    """Write the page to `path` whole or not at all: a reader never meets half a page.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    content = page(result).encode()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)  # gone already where all went well


def page(result: Result) -> str:
    """The whole page as HTML."""
    style = _part("page.css")
    script = "(() => {\n'use strict';\n" + "\n".join(_part(name) for name in _SCRIPTS) + "})();\n"
    market = result.summary.get("market")
    symbol = market.get("symbol", "") if isinstance(market, Mapping) else ""
    return Template(_part("page.html")).substitute(
        title=html.escape(f"{_titles(result)['en']} {symbol} · AutoGrid"),
        policy=_policy(style, script),
        style=style,
        script=script,
        texts=_embedded(json.loads(_part("texts.json"))),
        data=_embedded(page_data(result)),
        plain=html.escape(summary_text(result)),
    )


def page_data(result: Result) -> dict[str, Any]:
    """What the page's script reads: the summary, titles, the lines, the curves in buckets, the fills in columns.

    A column of numbers is {decimals, first, steps}: whole numbers of 10^-decimals, the first one and then the
    differences. A column of texts is {values, index}: each text once, and which one stands in each row.
    """
    shown = result.fills[:MOST_FILLS]
    return {
        "summary": dict(result.summary),
        "titles": _titles(result),
        "lines": [text(line) for line in result.lines],
        "curves": _curves(result) if len(result.times) else None,
        "fills": _fills(shown) | {"left_out": len(result.fills) - len(shown)},
    }


def _titles(result: Result) -> dict[str, str]:
    """What the strategy is called, by language; one that is in no catalogue goes by its own name."""
    name = str(result.summary.get("strategy", ""))
    known = CATALOGUE.get(name)
    return {"en": known.title, "pt-BR": known.title_pt} if known else {"en": name, "pt-BR": name}


def _curves(result: Result) -> dict[str, Any]:
    count = len(result.times)
    starts = np.arange(0, count, -(-count // MOST_BUCKETS))
    ends = np.append(starts[1:], count) - 1
    market = result.summary.get("market")
    exact = _decimals_of(market.get("tick")) if isinstance(market, Mapping) else None
    decimals = _decimals_for(result.prices) if exact is None else exact
    before = result.times[0] - (result.times[1] - result.times[0] if count > 1 else 60_000)
    fall = np.maximum.reduceat(result.drawdown, starts)
    return {
        "candles_per_point": int(-(-count // MOST_BUCKETS)),
        "start": int(before),
        "time": _column(result.times[ends] / 1000, 0),
        "open": _column(result.prices[starts, 0], decimals),
        "high": _column(np.maximum.reduceat(result.prices[:, 1], starts), decimals),
        "low": _column(np.minimum.reduceat(result.prices[:, 2], starts), decimals),
        "close": _column(result.prices[ends, 3], decimals),
        "equity": _band(result.equity, starts, ends),
        "holding": _band(result.holding, starts, ends),
        "drawdown": _column(fall, 5),
    }


def _band(values: NDArray[np.float64], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> dict[str, Any]:
    decimals = _decimals_for(values)
    return {
        "low": _column(np.minimum.reduceat(values, starts), decimals),
        "high": _column(np.maximum.reduceat(values, starts), decimals),
        "last": _column(values[ends], decimals),
    }


def _column(values: NDArray[Any], decimals: int) -> dict[str, Any]:
    whole = np.rint(np.asarray(values, np.float64) * 10.0**decimals).astype(np.int64)
    return {"decimals": decimals, "first": int(whole[0]), "steps": np.diff(whole).tolist()}


def _decimals_for(values: NDArray[np.float64]) -> int:
    """Enough decimals for eight digits of the largest value: finer than any screen."""
    largest = float(np.abs(values).max())
    return 0 if largest <= 0 else int(np.clip(7 - np.floor(np.log10(largest)), 0, 15))


def _decimals_of(tick: object) -> int | None:
    if not isinstance(tick, str) or not tick:
        return None
    exponent = Decimal(tick).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None


def _fills(rows: Sequence[FillRow]) -> dict[str, Any]:
    at = np.array([each.at_ms // 1000 for each in rows], np.int64)
    return {
        "count": len(rows),
        "at": _column(at, 0) if rows else {"decimals": 0, "first": 0, "steps": []},
        "side": "".join("b" if each.side == "buy" else "s" for each in rows),
        "price": _texts([text(each.price) for each in rows]),
        "quantity": _texts([text(each.quantity) for each in rows]),
        "fee": _texts([f"{text(each.fee)} {each.fee_asset}" for each in rows]),
        "slot": _texts([each.slot for each in rows]),
        "why": _texts([harmless(each.why) for each in rows]),
        "profit": _texts([None if each.profit is None else text(each.profit) for each in rows]),
    }


def _texts(column: Sequence[str | None]) -> dict[str, Any]:
    places = {value: place for place, value in enumerate(dict.fromkeys(column))}
    return {"values": list(places), "index": [places[value] for value in column]}


def _policy(style: str, script: str) -> str:
    """Only this style and this script, and no request to anywhere."""
    allowed = {
        "default-src": "'none'",
        "script-src": f"'sha256-{_digest(script)}'",
        "style-src": f"'sha256-{_digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _embedded(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    for sign in "<>&\u2028\u2029":
        plain = plain.replace(sign, f"\\u{ord(sign):04x}")
    return plain


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")

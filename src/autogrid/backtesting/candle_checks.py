"""The checks every row of candles must pass.

Refused are: a high below open or close, a low above, a price that is not positive, what is no number, a
negative volume, times that do not rise from row to row. Holes are no fault.
"""

import numpy as np
from numpy.typing import NDArray

from autogrid.backtesting.candle_faults import Faults, utc
from autogrid.backtesting.candle_rows import PRICES, CandleRows

OPEN, HIGH, LOW, CLOSE = range(4)
LARGEST = 1e18
SORTS = "`autogrid data import FILE` sorts a file and keeps it"
RIGHT = {
    "not_a_number": "it must be a finite number",
    "not_positive": "a price is above 0",
    "too_large": "a price is below 10^18",
    "bad_volume": "a volume is 0 or more",
}


def check_values(candles: CandleRows, faults: Faults) -> None:
    """Note every row whose prices or volume cannot be those of a candle."""
    prices, volumes = candles.price_matrix(), candles.volumes
    body_top = np.maximum(prices[:, OPEN], prices[:, CLOSE])
    body_bottom = np.minimum(prices[:, OPEN], prices[:, CLOSE])
    finite = np.isfinite(candles.prices).all(axis=1)
    too_low = finite & (prices[:, HIGH] < body_top).astype(np.bool_)
    too_high = finite & (prices[:, LOW] > body_bottom).astype(np.bool_)
    if (
        not (too_low.any() or too_high.any())
        and finite.all()
        and bool((candles.prices[:, LOW] > 0).all() and (candles.prices[:, HIGH] < LARGEST).all())
        and bool((np.isfinite(volumes) & (volumes >= 0)).all())
    ):
        return
    _note_numbers(candles, faults)
    faults.add(
        "high_too_low",
        np.flatnonzero(too_low),
        candles.rows,
        lambda at: (
            f"the high {prices[at, HIGH]} is below the {_which(prices[at], body_top[at])} {body_top[at]}; "
            "a candle's high is at least its open and its close"
        ),
    )
    faults.add(
        "low_too_high",
        np.flatnonzero(too_high),
        candles.rows,
        lambda at: (
            f"the low {prices[at, LOW]} is above the {_which(prices[at], body_bottom[at])} {body_bottom[at]}"
            "; a candle's low is at most its open and its close"
        ),
    )


def _which(row: NDArray[np.float64] | NDArray[np.object_], price: object) -> str:
    return "open" if row[OPEN] == price else "close"


def _note_numbers(candles: CandleRows, faults: Faults) -> None:
    known = candles.unread if candles.unread is not None else np.zeros((len(candles), 5), np.bool_)
    for at, name in enumerate(PRICES):
        column = candles.prices[:, at]
        _note(faults, "not_a_number", ~np.isfinite(column) & ~known[:, at], candles.rows, column, name)
        _note(faults, "not_positive", np.isfinite(column) & (column <= 0), candles.rows, column, name)
        _note(faults, "too_large", np.isfinite(column) & (column >= LARGEST), candles.rows, column, name)
    volumes = candles.volumes
    _note(faults, "not_a_number", ~np.isfinite(volumes) & ~known[:, 4], candles.rows, volumes, "volume")
    _note(faults, "bad_volume", np.isfinite(volumes) & (volumes < 0), candles.rows, volumes, "volume")


def _note(
    faults: Faults,
    code: str,
    wrong: NDArray[np.bool_],
    rows: NDArray[np.int64],
    column: NDArray[np.float64],
    name: str,
) -> None:
    if wrong.any():
        faults.add(code, np.flatnonzero(wrong), rows, lambda at: f"the {name} is {column[at]}; {RIGHT[code]}")


def check_order(candles: CandleRows, faults: Faults) -> None:
    """Note every row whose time is not later than that of the row before."""
    times, rows = candles.times, candles.rows
    distances = np.diff(times)
    if len(distances) == 0 or distances.min() > 0:
        return
    readable = (times[1:] > 0) & (times[:-1] > 0)
    wrong = np.flatnonzero((distances <= 0) & readable) + 1
    if (distances <= 0).all() and (distances < 0).any():
        says = f"its time {utc(times[1])} is before that of row {rows[0]}, {utc(times[0])}: newest first"
        faults.extend("newest_first", [(int(rows[1]), f"{says}; {SORTS}")], 1)
        return
    repeated = np.isin(times[wrong], times[~np.isin(np.arange(len(times)), wrong)])
    faults.add("repeated_time", wrong[repeated], rows, lambda at: _says_repeated(candles, at))
    faults.add(
        "not_rising",
        wrong[~repeated],
        rows,
        lambda at: (
            f"its time {utc(times[at])} is before that of row {rows[at - 1]}, {utc(times[at - 1])}; times "
            f"must rise from row to row; {SORTS}"
        ),
    )


def _says_repeated(candles: CandleRows, at: int) -> str:
    first = int(np.flatnonzero(candles.times == candles.times[at])[0])
    same = bool((candles.price_matrix()[first] == candles.price_matrix()[at]).all())
    return (
        f"it repeats the time {utc(candles.times[at])} of row {candles.rows[first]} with "
        f"{'the same' if same else 'other'} prices; each time may occur once"
    )

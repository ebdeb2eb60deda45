"""Candles that Hypothesis makes up: walks on a tick, with jumps between them, frozen stretches and empty volumes."""

from hypothesis import strategies as st

from autogrid.trading.candle import Candle

QUARTER_MS = 900_000
MOST = 400
"""Ticks that one candle may move."""


@st.composite
def candles(draw: st.DrawFn, most: int = 90) -> list[Candle]:
    """Up to `most` candles of 15 minutes, lows above zero."""
    tick = draw(st.sampled_from((1e-8, 0.01, 0.1, 0.25, 1000.0)))
    price = draw(st.integers(1, 10**7))
    move = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-MOST, MOST))
    volume = st.one_of(st.just(0.0), st.floats(0.00001, 1e6))
    rows = draw(st.lists(st.tuples(move, move, move, move, volume), min_size=1, max_size=most))
    made = []
    for at, (gap, body, wick, tail, traded) in enumerate(rows):
        opening = max(1, price + gap)
        close = max(1, opening + body)
        high = max(opening, close) + abs(wick)
        low = max(1, min(opening, close) - abs(tail))
        made.append(Candle(at * QUARTER_MS, opening * tick, high * tick, low * tick, close * tick, traded))
        price = close
    return made


frozen = st.builds(
    lambda price, volume, count: [Candle(at * QUARTER_MS, price, price, price, price, volume) for at in range(count)],
    st.sampled_from((0.0, 1e-8, 0.1, 212.61, 98765.4321, 1e12)),
    st.sampled_from((0.0, 1.5)),
    st.integers(1, 90),
)
"""Candles that never move, some at a price of zero."""

periods = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))

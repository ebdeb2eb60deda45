"""A cursor taken anywhere on a tape leads another feed to that very place, and on from there in the same way."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrid.backtesting.tape_feed import TapeFeed, UnableToFindPlace
from autogrid.trading.matching import Point
from tests.builders import MINUTE_MS, START_MS, D, tape_of, tape_through

TAPE = tape_of(
    [
        (1000, 1050, 950, 1020),
        (1020, 1020, 1020, 1020),
        (1100, 1100, 990, 1000),
        (1000, 1003, 1000, 1001),
        (900, 1010, 890, 1010),
    ]
)


def reached(feed: TapeFeed, chance: random.Random) -> Point | None:
    """The next point for bounds that somebody might wait for."""
    here = feed.here()
    price, at_ms = (here.price, here.at_ms) if here else (D(10), START_MS)
    floor = chance.choice([None, price - D(chance.randint(1, 90)) / 100])
    roof = chance.choice([None, price + D(chance.randint(1, 90)) / 100])
    until_ms = chance.choice([None, at_ms + chance.randint(1, MINUTE_MS)])
    return asyncio.run(feed.reach(floor, roof, until_ms, every=chance.random() < 0.5))


@given(st.integers(), st.booleans(), st.booleans(), st.booleans())
def test_a_cursor_leads_back_to_its_place(seed: int, clock: bool, skip: bool, backwards: bool) -> None:
    how: dict[str, Any] = {"clock": clock, "skip": skip, "backwards": backwards}
    chance, feed = random.Random(seed), TapeFeed(TAPE, **how)
    while True:
        again = TapeFeed(TAPE, **how)
        again.seek(feed.cursor())
        assert again.here() == feed.here()
        assert again.ended() == feed.ended()
        key = chance.random()
        point = reached(feed, random.Random(key))
        assert reached(again, random.Random(key)) == point
        assert again.cursor() == feed.cursor()
        if point is None:
            return


def test_no_cursor_is_the_beginning() -> None:
    feed = TapeFeed(TAPE)
    feed.seek("")
    assert feed.here() is None
    assert asyncio.run(feed.reach(None, None, None, every=True)) == Point(START_MS, D(10), False, None, 0)


@pytest.mark.parametrize("cursor", ["6:1020", "3:5000", "99:1000", "nowhere", "1:x", "-3:1000", "6:1020:1:2"])
def test_a_cursor_of_another_tape_is_refused(cursor: str) -> None:
    feed = TapeFeed(tape_through("100", "200", "100"))
    with pytest.raises(UnableToFindPlace, match="same file"):
        feed.seek(cursor)


def test_a_bound_beyond_every_price_is_never_met() -> None:
    async def walk() -> None:
        feed = TapeFeed(tape_of([(100, 110, 90, 105)] * 3, unit="0.0000000001"))
        assert await feed.reach(D("1e-30"), D("1e17"), None, every=False) is not None
        assert await feed.reach(D("1e-30"), D("1e17"), None, every=False) is not None
        assert feed.ended()

    asyncio.run(walk())

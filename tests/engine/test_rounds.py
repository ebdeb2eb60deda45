"""What an exchange is asked about an account: a round is shared by all who want one at about the same time."""

import asyncio
from typing import cast

import pytest

from autogrid.engine.lease import Hold, Lease
from autogrid.engine.rounds import Rounds
from autogrid.engine.timing import Timing
from autogrid.engine.venue import OwnOrder, Page, Venue

SYMBOL = "BTC/USDT"


class Asked:
    """An exchange on which nothing is open; it counts, and answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def open_orders(self, symbol: str) -> list[OwnOrder]:
        assert symbol == SYMBOL
        self.asked += 1
        self.was_asked.set()
        await self.may_answer.wait()
        return []

    async def trades_after(self, symbol: str, cursor: str) -> Page:
        assert symbol == SYMBOL
        return Page((), cursor)


def rounds_of(venue: Asked) -> Rounds:
    hold = Hold(Lease("main", "me", 1, 0), 0, lambda: 0)
    return Rounds(cast("Venue", venue), hold, Timing(gather_s=0.01), lambda _: (), lambda *_: None)


@pytest.mark.asyncio
async def test_bots_that_start_together_share_one_round() -> None:
    venue = Asked()
    rounds = rounds_of(venue)
    await asyncio.gather(*(rounds.rounded(SYMBOL) for _ in range(20)))
    assert venue.asked == 1


@pytest.mark.asyncio
async def test_who_comes_while_a_round_runs_gets_one_that_began_later() -> None:
    venue = Asked()
    rounds = rounds_of(venue)
    venue.may_answer.clear()
    first = asyncio.create_task(rounds.rounded(SYMBOL))
    await venue.was_asked.wait()
    late = [asyncio.create_task(rounds.rounded(SYMBOL)) for _ in range(5)]
    await asyncio.sleep(0)
    venue.may_answer.set()
    await asyncio.gather(first, *late)
    assert venue.asked == 2

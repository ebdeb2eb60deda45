"""What an exchange is asked about an account: a round is shared by all who want one at about the same time."""

import asyncio
from typing import cast

import pytest

from autogrid.engine.lease import Hold, Lease
from autogrid.engine.rounds import Rounds
from autogrid.engine.timing import Timing
from autogrid.engine.venue import Balance, OwnOrder, OwnTrade, Page, Venue
from tests.builders import D

SYMBOL = "BTC/USDT"


class Asked:
    """An exchange on which nothing is open; it counts, and answers when it may."""

    def __init__(self) -> None:
        self.asked = self.looked = 0
        self.pages: list[Page] = []
        self.cursors: list[str] = []
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
        self.cursors.append(cursor)
        return self.pages.pop(0) if self.pages else Page((), cursor)

    async def balances(self) -> dict[str, Balance]:
        self.asked += 1
        self.was_asked.set()
        await self.may_answer.wait()
        return {"USDT": Balance(D("5"), D("0"))}

    async def find_by_id(self, symbol: str, exchange_id: str) -> OwnOrder | None:
        """Both markets have an order of each number."""
        self.looked += 1
        name = f"{symbol[:3].lower()}-{exchange_id}"
        return OwnOrder(symbol, name, exchange_id, "buy", "open", D("1"), D("1"), D("0"), 0)


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


@pytest.mark.asyncio
async def test_trades_are_asked_for_again_only_where_there_may_be_more() -> None:
    first, second = (
        OwnTrade(SYMBOL, name, "1", "", "buy", D("1"), D("1"), D("0"), "BTC", True, 0) for name in ("1", "2")
    )
    venue = Asked()
    rounds = rounds_of(venue)
    venue.pages = [Page([first], "2", more=True), Page([second], "3")]
    found = await rounds.rounded(SYMBOL)
    assert (venue.cursors, found.trades, found.cursor) == (["", "2"], (first, second), "3")


@pytest.mark.asyncio
async def test_an_id_is_looked_up_once_and_is_another_order_on_another_market() -> None:
    venue = Asked()
    rounds = rounds_of(venue)
    pairs = [("BTC/USDT", "7"), ("ETH/USDT", "7"), ("BTC/USDT", "7"), ("BTC/USDT", "8")]
    found = [await rounds.owner_of(*pair) for pair in pairs]
    assert (found, venue.looked) == (["btc-7", "eth-7", "btc-7", "btc-8"], 3)


@pytest.mark.asyncio
async def test_who_asks_for_balances_shares_only_a_question_that_has_not_left() -> None:
    venue = Asked()
    rounds = rounds_of(venue)
    venue.may_answer.clear()
    early = [asyncio.create_task(rounds.balances()) for _ in range(9)]
    await venue.was_asked.wait()
    late = [asyncio.create_task(rounds.balances()) for _ in range(9)]
    await asyncio.sleep(0.05)
    venue.may_answer.set()
    found = await asyncio.gather(*early, *late)
    assert (venue.asked, {one["USDT"].free for one in found}) == (2, {D("5")})

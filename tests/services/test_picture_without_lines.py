"""The picture of a bot whose strategy has no lines: what it waits for and why, in sentences."""

import json
from decimal import Decimal
from typing import NamedTuple

import pytest

from autogrid.services.picture import Names, Picture, explained, picture_of, to_json
from autogrid.trading.bot import Bot
from autogrid.trading.event import FeedSilent, Filled, KillAsked, PauseAsked, Rejected
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.order import Order
from autogrid.trading.plan import Target, Wish
from autogrid.trading.risk import Limits, Trip
from autogrid.trading.strategies.strategy import RUNNING, Status, Strategy, Tally, View
from tests.builders import PLAIN_MARKET, Hand, market

D = Decimal


class Kept(NamedTuple):
    """What the strategy below remembers."""

    status: Status = RUNNING
    targets: tuple[Target, ...] = ()
    notices: tuple[str, ...] = ()


class Plain(Strategy[Kept]):
    """A strategy without lines, that wants and says what its memory has."""

    name = "plain"

    def start(self) -> Kept:
        return Kept()

    def look(self, memory: Kept, view: View) -> Kept:
        return memory

    def learn(self, memory: Kept, order: Order, fill: Filled | None, view: View) -> Kept:
        return memory

    def targets(self, memory: Kept, view: View) -> Wish:
        return Wish({target.slot: target for target in memory.targets})

    def tally(self, memory: Kept) -> Tally:
        return Tally(D(0), 0)

    def start_price(self, memory: Kept) -> Decimal | None:
        return D(10_000)

    def status(self, memory: Kept) -> Status:
        return memory.status

    def notices(self, memory: Kept) -> tuple[str, ...]:
        return memory.notices


REST = Target("1-base", "buy", D(9_000), D("0.1"), why="base order of deal 1: 900 USDT")


def plain(status: Status = RUNNING, *notices: str, targets: tuple[Target, ...] = (), at: Market = PLAIN_MARKET) -> Hand:
    """A bot without lines at a price of 10,000, its orders (if any) resting."""
    bot = Bot(at, Limits(D(10_000), breakers=False))
    first = bot.start(Plain({}, at, D(10_000)), opened(D(10_000)))
    hand = Hand(bot, first._replace(memory=Kept(status, targets, notices))).started()
    hand.price("10000")
    hand.accept_all()
    return hand


def seen(hand: Hand, at_ms: int | None = None) -> Picture:
    return picture_of(hand.bot, hand.state, (), None, Names("first"), at_ms)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            Status("waiting", "until the price reaches 9500"),
            "waiting, with no order out, until the price reaches 9500",
        ),
        (
            Status("waiting", "for the next anchor, 2026-01-01 00:00 UTC"),
            "waiting, with no order out, for the next anchor, 2026-01-01 00:00 UTC",
        ),
        (
            Status("waiting", "candles to warm up on: 3 of 100"),
            "waiting, with no order out: candles to warm up on: 3 of 100",
        ),
        (Status("waiting"), "waiting, with no order out"),
        (Status("opening"), "starting: buying its first coins"),
        (Status("running", "deal 3, 2 of 6 safety orders filled"), "running: deal 3, 2 of 6 safety orders filled"),
        (RUNNING, "running"),
        (Status("exiting", "take-profit of the last deal"), "ending: selling its coins (take-profit of the last deal)"),
        (Status("ended", "3 of 3 deals made"), "ended: 3 of 3 deals made"),
    ],
)
def test_the_state_of_a_strategy_without_lines_reads_as_a_sentence(status: Status, sentence: str) -> None:
    assert seen(plain(status)).state_words == sentence


def test_one_that_waits_with_an_order_out_does_not_claim_to_have_none() -> None:
    picture = seen(plain(Status("waiting", "until the price reaches 9500"), targets=(REST,)))
    assert picture.state_words == "waiting, with 1 order out, until the price reaches 9500"


def test_a_strategy_without_lines_says_what_it_waits_for_once() -> None:
    anchor = Status("waiting", "for the next anchor, 2026-01-01 00:00 UTC")
    assert seen(plain(anchor)).reasons == ("waiting, for the next anchor, 2026-01-01 00:00 UTC",)
    said = "no order for the next anchor, 2026-01-01 00:00 UTC, has been reckoned yet"
    assert seen(plain(anchor, said)).reasons == (said,)
    assert seen(plain()).reasons == ("no order: it wants none at this moment",)
    assert seen(plain(targets=(REST,))).reasons == ("every order it wants at this moment is out",)


def test_what_holds_a_strategy_without_lines_back_is_said_before_its_own_notices() -> None:
    hand = plain(RUNNING, "a notice")
    hand.tell(PauseAsked(hand.at_ms, False))
    assert seen(hand).reasons == ("no new order: the bot is paused", "a notice")
    hand.tell(KillAsked(hand.at_ms))
    assert seen(hand).reasons == ("no order: the kill switch is on", "a notice")
    hand = plain()
    hand.tell(FeedSilent(hand.at_ms))
    assert seen(hand).reasons == ("no new order: no price has come for too long",)
    hand = plain()
    hand.state = hand.state._replace(risk=hand.state.risk._replace(trip=Trip(hand.at_ms, "loss", "lost 600")))
    assert seen(hand).reasons == ("no new buy: the safety breaker is open (loss: lost 600) until 00:05:00 UTC",)
    assert seen(hand, at_ms=hand.at_ms + 300_000).reasons == ("no order: it wants none at this moment",)


def test_an_order_of_a_strategy_without_lines_that_was_refused_is_said_by_its_slot() -> None:
    hand = plain(targets=(REST,))
    hand.tell(Rejected(hand.at_ms, hand.order("1-base").id, "no"))
    assert seen(hand).reasons == ("no order for '1-base': refused once by the exchange; tried again at 00:00:01 UTC",)
    held = plain(targets=(REST,), at=market(max_orders=0))
    assert seen(held).reasons == (
        "no order for '1-base': held back by the rule 'market': the exchange allows 0 open orders",
    )


def test_each_order_bears_the_reason_it_was_placed_for() -> None:
    hand = plain(targets=(REST,))
    picture = explained(seen(hand), {hand.order("1-base").id: REST.why})
    assert [order.why for order in picture.orders] == [REST.why]
    assert [order["why"] for order in json.loads(json.dumps(to_json(picture)))["orders"]] == [REST.why]
    assert [order.why for order in explained(seen(hand), {}).orders] == [""]

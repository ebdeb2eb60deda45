"""Strategies on signals where something comes between: a late candle, a late fill, a refusal, a pause, two stops."""

import pytest

from autogrid.trading.bot import Bot
from autogrid.trading.candle import Candle
from autogrid.trading.event import (
    Cancelled,
    CandleClosed,
    EditAsked,
    Expired,
    Filled,
    PauseAsked,
    Rejected,
    ResumeAsked,
    SignalCame,
    StopAsked,
)
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.matching import Book, MatchingRules, Point
from autogrid.trading.money import ZERO
from autogrid.trading.plan import Place
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.signals.held import Positions
from autogrid.trading.strategies.signals.on_signals import OnSignals
from autogrid.trading.strategies.signals.ppp_vishva import Day, PppMemory
from tests.builders import MINUTE_MS, START_MS, D, Hand, market

HOUR_MS = 60 * MINUTE_MS
SPOT = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.0001"))
"""A least value of 5, no fees."""
CROSS = {"timeframe": "1h", "fast": "1", "slow": "2", "stop": "0.02", "target": "0.5", "max_position": "0.5"}


def hand_of(name: str, config: dict[str, str], on: Market = SPOT) -> Hand:
    """A bot with 1,000 that is led by the hand, started, at 100."""
    funds = D(1_000)
    bot = Bot(on, Limits(funds, breakers=False))
    hand = Hand(bot, bot.start(build(name, config, on, funds), opened(funds))).started()
    hand.price("100")
    return hand


def positions_of(hand: Hand) -> Positions:
    assert isinstance(hand.state.strategy, OnSignals)
    found = hand.state.memory.positions
    assert isinstance(found, Positions)
    return found


def signal(hand: Hand, name: str) -> None:
    hand.tell(SignalCame(hand.at_ms, name, "enter", None))


def candles(hand: Hand, *closes: float, first: int = 0) -> None:
    """Candles of an hour, the first `first` hours after the start, each told at its end."""
    for number, close in enumerate(closes, first):
        open_ms = START_MS + number * HOUR_MS
        hand.at_ms = max(hand.at_ms, open_ms + HOUR_MS)
        hand.tell(CandleClosed(open_ms + HOUR_MS, Candle(open_ms, close, close, close, close, 1.0)))


def orders(hand: Hand) -> dict[str, str]:
    """What stands and is not being cancelled."""
    return {
        slot: f"{order.side} {order.remaining.normalize():f}"
        for slot, order in hand.state.standing.items()
        if not order.cancel_asked
    }


def obey_cancels(hand: Hand) -> None:
    for order in [one for one in hand.state.standing.values() if one.cancel_asked]:
        hand.tell(Cancelled(hand.at_ms, order.id))


def held(config: dict[str, str]) -> Hand:
    """A signal bot that has bought at 100."""
    hand = hand_of("signal", {"size": "0.5", **config})
    signal(hand, "a")
    hand.fill("1-in")
    hand.accept_all()
    return hand


def refused_for(hand: Hand, seconds: int) -> int:
    """How many exits are sent in that time, at a price every second, to an exchange that refuses them all."""
    sent = 0
    for _ in range(seconds):
        if "1-out" in hand.state.standing:
            sent += 1
            hand.tell(Rejected(hand.at_ms, hand.order("1-out").id, "trading is halted"))
        hand.price("90", after_ms=1_000)
    return sent


# ---------------------------------------------------------------- candles that come late


def test_a_candle_older_than_the_last_price_leaves_the_price_and_is_heard_all_the_same() -> None:
    hand = hand_of("sma_cross", CROSS)
    candles(hand, 100.0, 99.0)
    hand.price("105", after_ms=HOUR_MS + 1_000)
    candles(hand, 100.0, first=2)
    assert hand.state.price == D(105)
    assert set(orders(hand)) == {"1-in"}


def test_a_stop_is_not_reached_by_a_close_from_before_the_purchase() -> None:
    hand = hand_of("sma_cross", CROSS)
    candles(hand, 100.0, 99.0, 100.0)
    hand.at_ms += MINUTE_MS // 2
    hand.fill("1-in", price=D(105))  # its stop is 102.9
    hand.tell(CandleClosed(START_MS + 3 * HOUR_MS, Candle(START_MS + 2 * HOUR_MS, 100.0, 100.0, 100.0, 100.0, 1.0)))
    assert hand.state.price == D(105)
    assert positions_of(hand).entries[0].phase == "open"


def test_many_candles_older_than_the_last_price_leave_the_price() -> None:
    hand = hand_of("sma_cross", CROSS)
    hand.price("150", after_ms=5 * HOUR_MS + 1_000)
    candles(hand, 90.0, 90.0, 90.0, first=1)
    assert hand.state.price == D(150)
    assert hand.state.at_ms == START_MS + 5 * HOUR_MS + 1_000


# ---------------------------------------------------------------- purchases that were held back


def test_what_a_candle_decided_before_a_long_pause_is_not_bought_after_it() -> None:
    hand = hand_of("sma_cross", CROSS)
    candles(hand, 100.0, 99.0)
    hand.tell(PauseAsked(hand.at_ms, cancel=False))
    candles(hand, 100.0, first=2)
    assert len(positions_of(hand).entries) == 1
    hand.price("130", after_ms=HOUR_MS // 2)
    hand.tell(ResumeAsked(hand.at_ms))
    assert orders(hand) == {}
    assert positions_of(hand).entries == ()


def test_what_a_candle_decided_less_than_a_minute_ago_is_bought_when_the_pause_ends() -> None:
    hand = hand_of("sma_cross", CROSS)
    candles(hand, 100.0, 99.0)
    hand.tell(PauseAsked(hand.at_ms, cancel=False))
    candles(hand, 100.0, first=2)
    hand.price("100", after_ms=MINUTE_MS - 1)
    hand.tell(ResumeAsked(hand.at_ms))
    assert set(orders(hand)) == {"1-in"}


# ---------------------------------------------------------------- exits


def test_an_exit_that_the_exchange_refuses_is_tried_less_and_less_often() -> None:
    hand = held({"stop_loss": "0.05"})
    hand.price("90", after_ms=1_000)
    assert 10 <= refused_for(hand, 600) <= 16


def test_an_exit_that_fills_in_part_is_tried_soon_again() -> None:
    hand = held({"stop_loss": "0.05"})
    hand.price("90", after_ms=1_000)
    refused_for(hand, 100)
    while "1-out" not in hand.state.standing:
        hand.price("90", after_ms=1_000)
    hand.fill("1-out", D(1))
    hand.tell(Expired(hand.at_ms, hand.order("1-out").id))
    hand.price("90", after_ms=1_000)
    assert orders(hand) == {"1-out": "sell 4"}


def test_a_fill_told_after_its_exits_end_lets_the_next_entry_be_made() -> None:
    hand = hand_of("sma_cross", {**CROSS, "max_position": "0.1"})
    candles(hand, 100.0, 99.0, 100.0)
    hand.fill("1-in")
    hand.accept_all()
    hand.price("97", after_ms=1_000)
    obey_cancels(hand)
    order = hand.order("1-out")
    late = hand.filled(order, D("0.96"))
    hand.tell(Expired(hand.at_ms, order.id))
    hand.tell(late)  # what is left is worth 3.88
    assert positions_of(hand).entries == ()
    assert positions_of(hand).round_trips == 1
    candles(hand, 97.0, 98.0, first=3)
    assert set(orders(hand)) == {"2-in"}


def test_the_coins_can_still_be_kept_after_a_stop_that_sells() -> None:
    hand = held({})
    hand.tell(StopAsked(hand.at_ms, sell=True))
    hand.tell(Rejected(hand.at_ms, hand.order("1-out").id, "trading is halted"))
    hand.tell(StopAsked(hand.at_ms, sell=False))
    assert hand.state.ended_why == "stopped"
    assert orders(hand) == {}
    assert hand.state.ledger.base == 5


def test_a_stop_that_sells_stays_one_where_it_is_asked_twice() -> None:
    hand = held({})
    for _ in range(2):
        hand.tell(StopAsked(hand.at_ms, sell=True))
    hand.fill("1-out")
    assert hand.state.ledger.base == 0
    assert hand.state.ended_why == "stopped"


# ---------------------------------------------------------------- all of the money, and the day's loss


@pytest.mark.parametrize("slippage", ["0", "0.0005", "0.004"])
def test_a_signal_for_all_of_the_money_is_bought_though_the_price_slips(slippage: str) -> None:
    hand = hand_of("signal", {"size": "1"})
    signal(hand, "a")
    assert orders(hand) == {"1-in": "buy 9.95"}
    book = Book(SPOT, MatchingRules("touch", D(slippage)), D(1_000), ZERO)
    book.at = Point(hand.at_ms, D(100), False, None, 0)
    answers = [
        one for command in hand.steps[-1].commands if isinstance(command, Place) for one in book.execute(command)
    ]
    answers += book.market_orders()
    assert any(isinstance(answer, Filled) for answer in answers)


def test_a_day_that_has_lost_too_much_stays_over_where_the_indicators_are_changed() -> None:
    hand = hand_of("ppp_vishva", {"timeframe": "1h", "max_daily_loss": "0.01"})
    memory = hand.state.memory
    assert isinstance(memory, PppMemory)
    day = Day(hand.at_ms // (24 * HOUR_MS), D(1_000), True)
    hand.state = hand.state._replace(memory=memory._replace(day=day))
    assert hand.tell(EditAsked(hand.at_ms, {"ema": "90"})).note == ""
    after = hand.state.memory
    assert isinstance(after, PppMemory)
    assert after.day == day
    assert after.seen.heard == 0

"""How large an entry is, when a further one is made, and when a day's loss forbids it."""

from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import pytest

from autogrid.trading.bot import Bot
from autogrid.trading.candle import MINUTE_MS, Candle, exact
from autogrid.trading.event import Cancelled, CandleClosed
from autogrid.trading.ledger import Ledger, opened
from autogrid.trading.money import ONE, ZERO, Price, Quantity
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.signals.held import Positions, Terms
from autogrid.trading.strategies.signals.ppp_vishva import PppMemory, PppVishva
from autogrid.trading.strategies.signals.sizing_by_risk import by_risk, capped
from autogrid.trading.strategies.strategy import View
from tests.builders import PLAIN_MARKET, START_MS, Hand, market
from tests.trading.test_ppp_rules import SMALL, random_candles

D = Decimal
RICH = opened(D(10_000))
TWO_AWAY = Terms(False, D(2), ONE, ZERO)
"""A stop 2 below the entry."""


def view(ledger: Ledger = RICH) -> View:
    return View(START_MS, D(100), PLAIN_MARKET, ledger)


@pytest.mark.parametrize(
    ("ledger", "risk", "most", "quantity", "by"),
    [
        (RICH, "0.005", "1", "25", "risk"),  # 50 are lost over 2
        (RICH, "0.05", "0.3", "30", "max_position"),
        (opened(D(5_000), D(50), D(100)), "0.05", "1", "49.5", "all of the equity"),  # 0.995 of 10,000, less 5,000
        (opened(D(5_000), D(50), D(100))._replace(fee_value=D(1_000)), "0.05", "1", "39.55", "all of the equity"),
        (opened(D(5_000), D(50), D(100))._replace(held_quote=D(2_000)), "0.05", "1", "29.85", "free quote"),
    ],
)
def test_the_least_of_four_rules_decides_a_size(ledger: Ledger, risk: str, most: str, quantity: str, by: str) -> None:
    assert by_risk(view(ledger), TWO_AWAY, D(risk), D(most)) == (D(quantity), by)


def test_a_size_leaves_room_for_a_fee_in_quote() -> None:
    on = market(fee_in="quote")
    size = capped(view()._replace(market=on), D(1_000), "risk", D(98), ONE)
    assert size == (D("99.40059"), "free quote")  # 9,950 / 100.1
    assert on.needed(size.quantity * 100) <= 10_000


def test_what_could_not_be_sold_at_its_stop_is_not_bought() -> None:
    assert capped(view(), D("0.051"), "risk", D(98), ONE).quantity == 0  # 0.050949 after the fee, worth 4.99 there
    assert capped(view(), D("0.0512"), "risk", D(98), ONE).quantity == D("0.0512")


# ---------------------------------------------------------------- entries in a row


class Added(NamedTuple):
    """A further entry as it was decided."""

    taken: int
    close: Price
    average: Price
    wanted: Quantity
    first: Quantity


def positions_of(hand: Hand) -> Positions:
    memory = hand.state.memory
    assert isinstance(memory, PppMemory)
    return memory.positions


def further_entries(seed: int, most: int) -> list[Added]:
    """All of a bot's over one tape; every order at market is filled at once, and no target ever is."""
    config = {**SMALL, "stoch_lookback": "30", "signal_window": "20", "max_entries": f"{most}", "max_position": "0.2"}
    config |= {"stop_atr": "3", "reward_risk": "5", "trailing": "no", "ema_exit": "0.1"}
    bot = Bot(PLAIN_MARKET, Limits(D(10_000), breakers=False), at_once=True)
    hand = Hand(bot, bot.start(PppVishva(config, PLAIN_MARKET, D(10_000)), RICH)).started()
    found = []
    for candle in random_candles(seed, 800):
        hand.price(str(candle.close), after_ms=MINUTE_MS)
        before = positions_of(hand)
        hand.tell(CandleClosed(hand.at_ms, candle))
        after = positions_of(hand)
        if after.given > before.given and before.average is not None:
            new = after.entries[-1]
            found.append(Added(before.taken, exact(candle.close), before.average, new.wanted, before.first))
        while market_orders := [
            one for one in hand.state.standing.values() if one.kind == "market" or one.cancel_asked
        ]:
            for order in market_orders:
                hand.tell(Cancelled(hand.at_ms, order.id) if order.cancel_asked else hand.filled(order))
    return found


@pytest.mark.parametrize("most", [2, 3])
def test_further_entries_are_halves_made_above_the_average_and_no_more_than_allowed(most: int) -> None:
    found = [added for seed in range(12) for added in further_entries(seed, most)]
    assert {added.taken for added in found} == set(range(1, most))
    for added in found:
        assert added.close > added.average
        assert added.wanted == PLAIN_MARKET.quantity(added.first / 2**added.taken)


# ---------------------------------------------------------------- the day's loss


def days(*ledgers: Ledger, first_ms: int = START_MS + MINUTE_MS) -> list[bool]:
    """Whether entries are held back, candle by candle, at 1,000 and with these ledgers."""
    bot = PppVishva({**SMALL, "max_daily_loss": "0.01"}, PLAIN_MARKET, D(10_000))
    memory, found = bot.start(), []
    for number, ledger in enumerate(ledgers):
        at_ms = first_ms + number * MINUTE_MS
        candle = Candle(at_ms - MINUTE_MS, 1000.0, 1001.0, 999.0, 1000.0, 1.0)
        memory = bot.hear(memory, candle, View(at_ms, D(1_000), PLAIN_MARKET, ledger))
        found.append(memory.day.halted)
    return found


def test_a_days_loss_is_one_of_the_equity_not_of_the_quote() -> None:
    bought = opened(D(7_500), D("2.5"), D(1_000))
    assert days(RICH, bought, bought._replace(base=D("2.401")), bought._replace(base=D("2.4"))) == [
        False,
        False,
        False,
        True,
    ]


def test_a_day_that_has_lost_too_much_stays_over_and_the_next_one_begins_at_midnight() -> None:
    poor = opened(D(9_000))
    late_ms = START_MS + 86_400_000 - 2 * MINUTE_MS
    found = days(RICH, poor, poor, first_ms=late_ms)
    assert found == [False, True, False]
    assert [after for before, after in pairwise(days(RICH, poor, RICH))] == [True, True]

"""Stops of entries at the exchange, led by the hand: beside the target or alone, and watched from behind."""

from decimal import Decimal

import pytest

from autogrid.trading.bot import Bot
from autogrid.trading.event import Cancelled, Rejected, SignalCame
from autogrid.trading.ledger import opened
from autogrid.trading.market import Stops
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.guard import GRACE_MS, PART_MS
from autogrid.trading.strategies.signals.held import HeldEntry, Positions, Terms
from autogrid.trading.strategies.signals.positions import watched, wished
from autogrid.trading.strategies.signals.preview import preview
from autogrid.trading.strategies.signals.signal import SignalMemory
from autogrid.trading.strategies.strategy import View
from tests.builders import Hand, market
from tests.trading.test_stops_at_exchange import FREE, cancelled, gone, placed, sells

D = Decimal
ONE_ENTRY = {"size": "0.1", "stop_loss": "0.05", "take_profit": "0.1"}
"""Of 1,000: buys 1 at 100, target 110, stop 95, its limit 94.05."""


def entered(config: dict[str, str] = ONE_ENTRY, stops: Stops = "oco") -> Hand:
    """An entry bought at 100, with everything it wants in the book."""
    on = market(stops=stops, **FREE)
    bot = Bot(on, Limits(D(1_000), breakers=False))
    hand = Hand(bot, bot.start(build("signal", config, on, D(1_000)), opened(D(1_000)))).started()
    hand.price("100")
    hand.tell(SignalCame(hand.at_ms, "a", "enter", None))
    hand.accept_all()
    hand.fill("1-in")
    hand.accept_all()
    return hand


def positions(hand: Hand) -> Positions:
    memory = hand.state.memory
    assert isinstance(memory, SignalMemory)
    return memory.positions


@pytest.mark.parametrize(
    ("stops", "changes", "found"),
    [
        ("none", {}, {"1-target": ("maker", "110.00", "1.000", None)}),
        ("oco", {}, {"1-target": ("oco", "110.00", "1.000", "95.00")}),
        ("oco", {"stop_at": "bot"}, {"1-target": ("maker", "110.00", "1.000", None)}),
        ("oco", {"take_profit": "none"}, {"1-stop": ("stop", "94.05", "1.000", "95.00")}),
        ("oco", {"stop_loss": "none"}, {"1-target": ("maker", "110.00", "1.000", None)}),
        ("stop", {}, {"1-stop": ("stop", "94.05", "1.000", "95.00")}),
        ("stop", {"max_slippage": "0.05"}, {"1-stop": ("stop", "90.25", "1.000", "95.00")}),
    ],
)
def test_what_rests_for_an_entry(stops: Stops, changes: dict[str, str], found: dict[str, object]) -> None:
    assert sells(entered({**ONE_ENTRY, **changes}, stops)) == found


@pytest.mark.parametrize(("stops", "slot"), [("oco", "1-target"), ("stop", "1-stop")])
def test_the_exchange_sells_and_the_entry_is_closed_without_an_order_of_the_bot(stops: Stops, slot: str) -> None:
    hand = entered(stops=stops)
    assert hand.price("95").commands == ()
    assert hand.fill(slot, price=D("94.5")).commands == ()
    assert positions(hand).entries == ()
    assert positions(hand).profit == D("-5.5")
    assert positions(hand).round_trips == 1


def test_a_target_that_trades_in_part_gets_a_stop_for_what_is_left() -> None:
    hand = entered()
    hand.fill("1-target", D("0.4"))
    step = hand.price("105", after_ms=PART_MS)
    assert cancelled(step) == ["1-target"]
    assert placed(gone(hand, "1-target")) == ["1-target"]
    assert sells(hand) == {"1-target": ("oco", "110.00", "0.600", "95.00")}


def test_a_fall_through_the_limit_is_sold_at_market_once_the_stop_is_out_of_the_book() -> None:
    for stops, slot in (("oco", "1-target"), ("stop", "1-stop")):
        hand = entered(stops=stops)  # type: ignore[arg-type]
        step = hand.price("94")
        assert (cancelled(step), placed(step)) == ([slot], [])
        assert placed(gone(hand, slot)) == ["1-out"]


def test_what_the_stop_sold_while_its_cancel_was_under_way_is_booked_once() -> None:
    hand = entered()
    hand.price("94")
    fill = hand.filled(hand.order("1-target"), D("0.7"), D("94.05"))
    hand.tell(fill)
    assert hand.tell(fill).commands == ()
    gone(hand, "1-target")
    assert hand.order("1-out").quantity == D("0.3")
    assert hand.state.ledger.base == D("0.3")


def test_a_stop_that_has_not_sold_in_time_is_taken_out_and_all_is_sold_at_market() -> None:
    hand = entered()
    hand.price("95")
    assert hand.price("94.5", after_ms=GRACE_MS - 1).commands == ()
    assert cancelled(hand.price("94.5", after_ms=1)) == ["1-target"]


def test_a_stop_that_sells_in_part_is_left_to_sell_the_rest_for_some_time() -> None:
    hand = entered(stops="stop")
    assert hand.fill("1-stop", D("0.3"), D("94.8")).commands == ()
    assert positions(hand).entries[0].phase == "leaving"
    assert cancelled(hand.price("94.9", after_ms=GRACE_MS)) == ["1-stop"]
    gone(hand, "1-stop")
    assert hand.order("1-out").quantity == D("0.7")


def test_a_signal_to_leave_takes_the_stop_out_before_it_sells() -> None:
    for stops, slot in (("oco", "1-target"), ("stop", "1-stop")):
        hand = entered(stops=stops)  # type: ignore[arg-type]
        step = hand.tell(SignalCame(hand.at_ms, "b", "leave", None))
        assert (cancelled(step), placed(step)) == ([slot], [])
        assert placed(gone(hand, slot)) == ["1-out"]


def test_the_stop_holds_the_coins_until_the_target_is_reached() -> None:
    hand = entered(stops="stop")
    assert cancelled(hand.price("110")) == ["1-stop"]
    assert placed(gone(hand, "1-stop")) == ["1-target"]
    hand.accept_all()
    assert cancelled(hand.price("105")) == ["1-target"]
    gone(hand, "1-target")
    assert sells(hand) == {"1-stop": ("stop", "94.05", "1.000", "95.00")}


def test_stops_that_are_refused_three_times_are_left_to_the_bot() -> None:
    hand = entered()
    hand.tell(Cancelled(hand.at_ms, hand.order("1-target").id))
    for _ in range(3):
        assert hand.order("1-target").kind == "oco"
        hand.tell(Rejected(hand.at_ms, hand.order("1-target").id, "no such type of order here"))
        hand.price("100", after_ms=10_000)
    assert sells(hand) == {"1-target": ("maker", "110.00", "1.000", None)}
    assert any("watches the price itself" in one for one in hand.state.strategy.notices(hand.state.memory))


def test_a_trailing_line_is_followed_in_steps_of_the_stop() -> None:
    on = market(stops="oco", **FREE)
    terms = Terms(False, D(5), D(4), D(3), True, D("0.01"))
    entry = HeldEntry(1, "open", terms, D(100), D(1), 0, "", D(1), D(100), stock=D(1), stop=D(95), target=D(120))
    held = Positions((entry._replace(line=D(95), middle=D(110)),), given=1)
    triggers = []
    for price in ("109", "110", "110.1", "110.3", "111"):
        view = View(1, D(price), on, opened(D(1_000)))
        held = watched(held, view)
        (target,) = wished(held, view).targets.values()
        triggers.append((held.entries[0].line, target.trigger))
    assert triggers == [
        (95, 95),
        (107, D("106.97")),
        (D("107.1"), D("106.97")),
        (D("107.3"), D("107.16")),
        (108, D("107.92")),
    ]


def test_entries_bought_before_an_edit_keep_their_stop_where_it_was() -> None:
    hand = entered()
    strategy, memory = hand.state.strategy.edited(
        hand.state.memory, {"stop_at": "bot"}, View(hand.at_ms, D(100), hand.bot.market, hand.state.ledger)
    )
    assert (
        strategy.targets(
            memory, View(hand.at_ms, D(100), hand.bot.market, hand.state.ledger, standing=hand.state.standing)
        )
        .targets["1-target"]
        .kind
        == "oco"
    )


@pytest.mark.parametrize(
    ("stops", "changes", "words"),
    [
        ("none", {}, "While the computer sleeps or is off, there is no stop."),
        ("oco", {"stop_at": "bot"}, "While the computer sleeps or is off, there is no stop."),
        ("oco", {}, "holds while the computer sleeps or is off"),
        ("stop", {}, "The take-profit is watched by the bot"),
    ],
)
@pytest.mark.parametrize("name", ["signal", "ppp_vishva", "sma_cross", "rsi"])
def test_the_preview_says_in_plain_words_where_the_stop_is(
    name: str, stops: Stops, changes: dict[str, str], words: str
) -> None:
    config = {**(ONE_ENTRY if name == "signal" else {}), **changes}
    strategy = build(name, config, market(stops=stops, **FREE), D(1_000))
    assert any(words in warning for warning in preview(strategy, D(100)).warnings)  # type: ignore[arg-type]

import json
from dataclasses import fields
from decimal import Decimal

import pytest

from autogrid.services.picture import Names, Picture, fill_of, picture_of, to_json
from autogrid.services.picture_words import ORDERS, STATES
from autogrid.trading.event import (
    Accepted,
    Cancelled,
    FeedSilent,
    KillAsked,
    PauseAsked,
    Rejected,
    ResumeAsked,
    StopAsked,
)
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.order import OPEN
from autogrid.trading.risk import Limits, Trip
from autogrid.trading.strategies.grid.grid import Grid
from tests.builders import FOUR_CELLS, PLAIN_MARKET, START_MS, Hand, bot_of, market

D = Decimal
NAMES = Names("first", "paper")


def opened_at(price: str = "10000", on: Market = PLAIN_MARKET, **more: str) -> Hand:
    """A grid of four cells from 8,000 to 12,000 that has bought its coins at `price`, its orders resting."""
    hand = Hand(*bot_of(FOUR_CELLS | more, on)).started()
    hand.price(price)
    if any(slot.startswith("open") for slot in hand.state.standing):
        hand.fill("open-0")
    hand.accept_all()
    return hand


def seen(hand: Hand, price: str | None = None, at_ms: int | None = None) -> Picture:
    return picture_of(hand.bot, hand.state, (), None if price is None else D(price), NAMES, at_ms)


def reason(picture: Picture, words: str) -> str:
    """The one reason that has `words` in it."""
    found = [one for one in picture.reasons if words in one]
    assert len(found) == 1, picture.reasons
    return found[0]


def test_a_running_grid_shows_its_cells_from_the_top_with_their_orders() -> None:
    picture = seen(opened_at())
    assert [(rung.floor, rung.roof, rung.phase) for rung in picture.rungs] == [
        (D(11_000), D(12_000), "full"),
        (D(10_000), D(11_000), "full"),
        (D(9_000), D(10_000), "empty"),
        (D(8_000), D(9_000), "empty"),
    ]
    orders = [rung.order for rung in picture.rungs]
    assert [(o.side, o.price, o.words) for o in orders if o] == [
        ("sell", D(12_000), "resting"),
        ("sell", D(11_000), "resting"),
        ("buy", D(9_000), "resting"),
        ("buy", D(8_000), "resting"),
    ]
    assert [order.price for order in picture.orders] == [12_000, 11_000, 9_000, 8_000]
    assert (picture.symbol, picture.state, picture.state_words) == ("BTC/USDT", "running", "running")


def test_the_price_stands_in_one_cell_and_the_others_lie_above_or_below_it() -> None:
    hand = opened_at()
    assert [rung.place for rung in seen(hand, "10400").rungs] == ["above", "here", "below", "below"]
    assert [rung.place for rung in seen(hand, "9000").rungs] == ["above", "above", "above", "here"]
    assert [rung.place for rung in seen(hand, "13000").rungs] == ["below"] * 4
    assert [rung.place for rung in seen(hand, "7000").rungs] == ["above"] * 4


def test_the_move_is_measured_from_the_price_at_the_start() -> None:
    picture = seen(opened_at(), "10400")
    assert (picture.start_price, picture.move) == (D(10_000), D("0.04"))


def test_profit_is_split_so_that_the_books_close() -> None:
    hand = opened_at()
    hand.price("9000")
    hand.fill("1-0b")
    hand.accept_all()
    hand.price("10000")
    hand.fill("1-0s")
    picture = seen(hand, "10000")
    ledger = hand.state.ledger
    assert picture.round_trips == 1
    assert picture.grid_profit == hand.state.memory.profit > 0
    assert picture.equity == ledger.quote + ledger.base * D(10_000)
    assert picture.total_profit == picture.equity - D(10_000)
    assert picture.total_profit == picture.grid_profit + picture.trend_profit
    assert picture.fees == {"BTC": ledger.fee_base, "USDT": ledger.fee_quote}


def test_holding_is_all_of_it_bought_at_the_start_with_the_fee_on_the_lot() -> None:
    picture = seen(opened_at(), "11000")
    assert picture.hold_profit == D("0.999") * 11_000 - 10_000
    own = bot_of({**FOUR_CELLS, "start": "own", "own_base": "0.5"})
    hand = Hand(*own).started()
    hand.price("10000")
    assert seen(hand, "11000").hold_profit == D("0.999") * 11_000 - 10_000 + D("0.5") * 1_000


def test_a_bot_without_a_price_shows_what_was_put_in_and_waits() -> None:
    picture = seen(Hand(*bot_of()))
    assert (picture.state, picture.price, picture.move) == ("new", None, None)
    assert [picture.equity, picture.total_profit, picture.hold_profit] == [D(10_000), D(0), D(0)]
    assert (picture.rungs, picture.orders, picture.reasons) == ((), (), ())


def test_the_free_line_is_named() -> None:
    assert "no order at 10000: one line always stays free" in reason(seen(opened_at()), "free")
    hand = opened_at()
    hand.price("9000")
    hand.fill("1-0b")
    assert "no order at 9000:" in reason(seen(hand), "free")
    hand.price("8000")
    hand.fill("0-0b")
    assert "no order at 8000:" in reason(seen(hand), "free")


def test_a_bot_that_waits_for_its_trigger_says_at_which_price() -> None:
    hand = Hand(*bot_of({**FOUR_CELLS, "trigger_price": "9500"})).started()
    hand.price("10000")
    picture = seen(hand)
    assert picture.state == "waiting"
    assert "9500" in picture.state_words
    assert picture.reasons == ("no order yet: the bot waits until the price reaches 9500",)


def test_while_it_buys_its_first_coins_the_sells_are_said_to_come() -> None:
    hand = Hand(*bot_of()).started()
    hand.price("10000")
    picture = seen(hand)
    assert picture.state == "opening"
    assert "no sell at 12000 yet: its coins are being bought" in picture.reasons
    assert next(o for o in picture.orders if o.slot == "open-0").words == "on its way"


@pytest.mark.parametrize(("price", "state", "where"), [("12000.01", "above", "top"), ("7999.99", "below", "bottom")])
def test_out_of_range_it_says_that_it_stays_and_sends_nothing(price: str, state: str, where: str) -> None:
    picture = seen(opened_at(), price)
    assert picture.state == state
    assert "the bot stays and sends nothing" in picture.state_words
    said = reason(picture, "of the range")
    assert price in said
    assert where in said
    assert "8000 to 12000" in said


@pytest.mark.parametrize("price", ["8000", "12000"])
def test_on_its_outermost_lines_the_price_is_still_in_range(price: str) -> None:
    assert seen(opened_at(), price).state == "running"


def test_cells_that_wait_for_a_rise_say_so() -> None:
    picture = seen(opened_at(start="wait"))
    assert "no buy at 11000 yet: it is placed once the price rises above 11000" in picture.reasons
    assert [rung.phase for rung in picture.rungs][:2] == ["waiting", "waiting"]


def test_a_paused_bot_counts_what_still_rests_and_says_why_nothing_follows() -> None:
    hand = opened_at()
    hand.tell(PauseAsked(hand.at_ms, False))
    assert seen(hand).state_words == "paused: no new order is placed; 4 orders still rest"
    hand.fill("1-0b")
    picture = seen(hand)
    assert "paused" in picture.state
    assert "no sell at 10000: the bot is paused" in picture.reasons
    hand.tell(ResumeAsked(hand.at_ms))
    assert seen(hand).state == "running"


def test_the_kill_switch_is_said_at_every_line_whose_order_is_gone() -> None:
    hand = opened_at()
    hand.tell(KillAsked(hand.at_ms))
    assert {order.words for order in seen(hand).orders} == {"being taken out"}
    for order in list(hand.state.standing.values()):
        hand.tell(Cancelled(hand.at_ms, order.id))
    picture = seen(hand)
    assert picture.state == "killed"
    assert "no sell at 12000: the kill switch is on" in picture.reasons
    assert "no buy at 8000: the kill switch is on" in picture.reasons


def test_a_silent_feed_is_said() -> None:
    hand = opened_at()
    hand.tell(FeedSilent(hand.at_ms))
    hand.fill("1-0b")
    picture = seen(hand)
    assert picture.state == "silent"
    assert "no sell at 10000: no price has come for too long" in picture.reasons


def test_an_order_that_the_exchange_refused_is_said_to_be_tried_again_and_when() -> None:
    hand = opened_at()
    hand.fill("1-0b")
    order = hand.order("1-0s")
    hand.tell(Rejected(hand.at_ms, order.id, "post-only order would trade at once"))
    said = reason(seen(hand), "refused")
    assert said == "no sell at 10000: refused by the exchange; tried again at 00:00:01 UTC"
    hand.price("10000.01", after_ms=1_000)
    hand.tell(Rejected(hand.at_ms, hand.order("1-0s").id, "again"))
    said = reason(seen(hand), "refused")
    assert said == "no sell at 10000: refused 2 times by the exchange; tried again at 00:00:03 UTC"


def test_an_order_that_a_rule_held_back_is_said_with_the_rule_and_its_numbers() -> None:
    grid = Grid(FOUR_CELLS, market(max_orders=3), D(10_000))
    hand = Hand(*bot_of(on=grid.market)).started()
    hand.price("10000")
    hand.fill("open-0")
    said = [one for one in seen(hand).reasons if "held back" in one]
    assert said == ["no sell at 12000: held back by the rule 'market': the exchange allows 3 open orders"]


def test_an_open_breaker_is_said_with_its_rule_and_the_time_it_opens_again() -> None:
    limits = Limits(D(10_000), breakers=True, cooldown_ms=300_000)
    hand = Hand(*bot_of(limits=limits)).started()
    hand.price("10000")
    hand.fill("open-0")
    hand.accept_all()
    trip = Trip(START_MS, "loss", "lost 600 within 60 min, allowed are 500")
    hand.state = hand.state._replace(risk=hand.state.risk._replace(trip=trip))
    hand.tell(Cancelled(START_MS, hand.order("1-0b").id))
    picture = seen(hand)
    assert picture.state == "breaker"
    assert "loss: lost 600 within 60 min, allowed are 500" in picture.state_words
    said = reason(picture, "no buy at 9000")
    assert "the safety breaker is open (loss: lost 600 within 60 min, allowed are 500) until 00:05:00 UTC" in said
    assert seen(hand, at_ms=START_MS + 300_000).state == "trial"


def test_an_ended_bot_says_why() -> None:
    hand = opened_at(stop_loss="7000", on_exit="hold")
    hand.price("7000")
    for order in list(hand.state.standing.values()):
        hand.tell(Cancelled(hand.at_ms, order.id))
    picture = seen(hand)
    assert (picture.state, picture.state_words) == ("ended", "ended: stop-loss at 7000")
    assert picture.reasons == ("no orders: the bot has ended (stop-loss at 7000)",)


def test_a_bot_that_sells_its_coins_to_end_says_so() -> None:
    hand = opened_at()
    hand.tell(StopAsked(hand.at_ms, True))
    picture = seen(hand)
    assert (picture.state, picture.reasons) == ("ending", ("no new orders: the bot is selling its coins (stopped)",))


def test_a_part_filled_order_shows_how_much() -> None:
    hand = opened_at()
    hand.fill("1-0b", D("0.1"))
    order = next(one for one in seen(hand).orders if one.slot == "1-0b")
    assert (order.status, order.words, order.filled) == ("partial", "part filled", D("0.1"))


def test_a_fill_bears_the_profit_of_the_round_trip_it_closed_and_no_other() -> None:
    hand = opened_at()
    before = hand.state
    bought = fill_of(before, hand.fill("1-0b"))
    assert bought is not None
    assert (bought.side, bought.price, bought.profit) == ("buy", D(9_000), None)
    before = hand.state
    part = fill_of(before, hand.fill("1-0s", D("0.1")))
    assert part is not None
    assert part.profit is None
    before = hand.state
    sold = fill_of(before, hand.fill("1-0s"))
    assert sold is not None
    assert (sold.side, sold.profit) == ("sell", hand.state.memory.profit)


def test_a_fill_that_comes_twice_is_one_fill() -> None:
    hand = opened_at()
    event = hand.filled(hand.order("1-0b"))
    before = hand.state
    assert fill_of(before, hand.tell(event)) is not None
    before = hand.state
    assert fill_of(before, hand.tell(event)) is None
    assert fill_of(before, hand.tell(Accepted(hand.at_ms, hand.order("1-0s").id))) is None


def test_the_json_has_the_fields_of_the_contract_with_money_as_plain_text() -> None:
    hand = opened_at()
    before = hand.state
    fill = fill_of(before, hand.fill("1-0b"))
    assert fill is not None
    picture = picture_of(hand.bot, hand.state, (fill,), D("10400.10"), NAMES)
    shown = json.loads(json.dumps(to_json(picture)))
    contract = {
        "base", "quote", "equity", "total_profit", "grid_profit", "trend_profit", "hold_profit", "fees", "orders",
        "fills", "state", "reasons",
    }  # fmt: skip
    assert contract <= set(shown)
    assert (shown["name"], shown["account"], shown["symbol"]) == ("first", "paper", "BTC/USDT")
    assert shown["price"] == "10400.1"
    for key in ("base", "quote", "equity", "total_profit", "grid_profit", "trend_profit", "hold_profit"):
        assert D(shown[key]) == getattr(picture, key)
        assert "E" not in shown[key]
    assert shown["fills"][0] | {"fee": ""} == {
        "time": "2025-05-20T00:00:00.000Z",
        "side": "buy",
        "price": "9000",
        "quantity": shown["fills"][0]["quantity"],
        "fee": "",
        "fee_asset": "BTC",
        "slot": "1-0b",
        "profit": None,
        "why": "",
    }
    assert {order["id"] for order in shown["orders"]} == {cell["order"] for cell in shown["cells"]}


def test_every_status_of_an_open_order_and_every_state_has_its_words() -> None:
    assert set(ORDERS) == OPEN
    assert all(words for words in STATES.values())


def test_a_picture_is_frozen() -> None:
    picture = seen(opened_at())
    for field in fields(picture):
        with pytest.raises(AttributeError):
            setattr(picture, field.name, None)


def test_a_ledger_in_quote_fees_shows_them_in_quote() -> None:
    hand = opened_at(on=market(fee_in="quote"))
    assert seen(hand).fees["BTC"] == 0
    assert seen(hand).fees["USDT"] > 0
    assert opened(D(1)).fees(hand.bot.market) == {"BTC": 0, "USDT": 0}

"""The simulated book's stops: when they wake, at what price they sell, and what an exchange would refuse."""

import pytest

from autogrid.trading.event import Accepted, Cancelled, Filled, OrderEvent, Rejected
from autogrid.trading.market import Stops
from autogrid.trading.matching import TOUCH, Book, MatchingRules, Point
from autogrid.trading.money import ZERO
from autogrid.trading.order import Order, apply
from autogrid.trading.plan import Cancel, Place
from tests.builders import D, market, new_order
from tests.trading.test_matching import move


def book_at(price: str, rules: MatchingRules = TOUCH, stops: Stops = "oco") -> Book:
    book = Book(market(maker_fee=ZERO, taker_fee=D("0.001"), fee_in="quote", stops=stops), rules, D(10_000), D(2))
    move(book, price)
    return book


def stop(trigger: str = "95", limit: str = "94", quantity: str = "1", number: int = 1) -> Order:
    order = new_order("sell", limit, quantity, slot="1-stop", kind="stop", order_id=f"n-{number}-1-stop")
    return order._replace(trigger=D(trigger))


def oco(price: str = "110", trigger: str = "95", limit: str = "94", quantity: str = "1") -> Order:
    order = new_order("sell", price, quantity, slot="1-t1", kind="oco", order_id="n-2-1-t1")
    return order._replace(trigger=D(trigger), stop_price=D(limit))


def place(book: Book, order: Order) -> list[OrderEvent]:
    return list(book.execute(Place(order)))


def sold(fills: list[Filled]) -> list[tuple[str, str, bool]]:
    return [(str(fill.price), str(fill.quantity), fill.maker) for fill in fills]


def test_a_stop_sleeps_above_its_trigger_and_sells_at_the_market_when_it_is_touched() -> None:
    book = book_at("100")
    assert [type(event) for event in place(book, stop())] == [Accepted]
    assert book.floor == 95
    assert book.roof is None
    assert move(book, "95.01") == []
    assert sold(move(book, "95")) == [("95", "1", False)]
    assert book.free_base == 1
    assert book.floor is None


def test_it_holds_the_coins_that_it_would_sell_and_gives_them_back_when_it_is_taken_out() -> None:
    book = book_at("100")
    place(book, stop(quantity="1.5"))
    assert book.free_base == D("0.5")
    assert [type(event) for event in place(book, oco())] == [Rejected]
    assert [type(event) for event in book.execute(Cancel("n-1-1-stop"))] == [Cancelled]
    assert book.free_base == 2
    assert book.floor is None
    assert move(book, "90") == []


def test_slippage_makes_it_worse_and_never_worse_than_its_limit() -> None:
    for slippage, price in (("0.005", "94.52"), ("0.05", "94.00")):
        book = book_at("100", MatchingRules(slippage=D(slippage)))
        place(book, stop())
        (fill,) = move(book, "95")
        assert fill.price == D(price)


def test_a_price_below_its_limit_jumps_over_it_and_it_rests_there_until_the_price_is_back() -> None:
    book = book_at("100")
    place(book, stop())
    assert move(book, "93") == []
    assert book.roof == 94
    assert sold(move(book, "94")) == [("94", "1", True)]


def test_one_that_wakes_inside_a_jump_fills_at_the_jumps_end_if_its_limit_allows() -> None:
    for end, found in (("94.5", [("94.5", "1", False)]), ("93", [])):
        book = book_at("100")
        place(book, stop())
        assert move(book, "95", in_jump=True) == []
        assert book.waiting == ["n-1-1-stop"]
        book.at = Point(2, D(end), False, None, 1)
        assert sold([event for event in book.market_orders() if isinstance(event, Filled)]) == found
        assert (book.roof == 94) is (end == "93")


def test_one_that_is_taken_out_while_it_waits_for_the_end_of_a_jump_sells_nothing() -> None:
    book = book_at("100")
    place(book, stop())
    move(book, "95", in_jump=True)
    book.execute(Cancel("n-1-1-stop"))
    book.at = Point(2, D("94.5"), False, None, 1)
    assert book.market_orders() == []
    assert book.free_base == 2


def test_an_oco_sells_at_its_take_profit_and_its_stop_is_gone() -> None:
    book = book_at("100")
    place(book, oco())
    assert book.floor == 95
    assert book.roof == 110
    assert sold(move(book, "110")) == [("110", "1", True)]
    assert move(book, "90") == []


def test_an_oco_sells_by_its_stop_and_its_take_profit_is_gone() -> None:
    book = book_at("100")
    place(book, oco())
    assert sold(move(book, "95")) == [("95", "1", False)]
    assert move(book, "120") == []
    assert (book.floor, book.roof) == (None, None)


def test_a_take_profit_that_trades_in_part_loses_its_stop_and_rests_on_with_the_rest() -> None:
    book = book_at("100")
    place(book, oco())
    book.allowance = D("0.4")
    assert sold(move(book, "110")) == [("110", "0.40000", True)]
    assert book.floor is None
    book.allowance = D(1)
    assert move(book, "90") == []
    assert sold(move(book, "110")) == [("110", "0.60000", True)]


def test_a_stop_that_trades_in_part_rests_at_its_limit_and_the_take_profit_stays_gone() -> None:
    book = book_at("100")
    place(book, oco())
    book.allowance = D("0.4")
    assert sold(move(book, "95")) == [("95", "0.40000", False)]
    assert book.roof == 94
    book.allowance = D(5)
    assert sold(move(book, "96")) == [("94", "0.60000", True)]


def test_at_one_price_stops_come_before_what_rests_and_the_higher_trigger_first() -> None:
    book = book_at("100")
    place(book, new_order("buy", "95", "1", slot="1-s1", order_id="n-9-1-s1"))
    place(book, stop("95", "94", number=1))
    place(book, stop("96", "94", number=3))
    assert [fill.order_id for fill in move(book, "95")] == ["n-3-1-stop", "n-1-1-stop", "n-9-1-s1"]


@pytest.mark.parametrize(
    ("order", "stops", "words"),
    [
        (stop("100", "99"), "oco", "reached at once"),
        (stop("101", "99"), "oco", "reached at once"),
        (oco("100"), "oco", "would trade at once"),
        (oco(), "stop", "takes no oco"),
        (stop(), "none", "takes no stop"),
        (stop("95.005", "94"), "oco", "not a multiple of the tick"),
        (oco(limit="94.005"), "oco", "not a multiple of the tick"),
        (oco(quantity="0.05", limit="94"), "oco", "below the least value"),
        (new_order("buy", "94", "1", kind="stop")._replace(trigger=D(95)), "oco", "to buy"),
    ],
)
def test_what_the_exchange_would_refuse(order: Order, stops: Stops, words: str) -> None:
    (answer,) = place(book_at("100", stops=stops), order)
    assert isinstance(answer, Rejected)
    assert words in answer.reason


def part_of(order: Order, book: Book, price: str, quantity: str) -> Order:
    """The order after a part of it was traded in the book."""
    book.allowance = D(quantity)
    (fill,) = move(book, price)
    book.allowance = None
    return apply(apply(order, Accepted(1, order.id), book.market), fill, book.market)


@pytest.mark.parametrize(
    ("price", "then", "found"),
    [
        ("110", "90", []),
        ("110", "111", [("110", "0.60000", True)]),
        ("95", "96", [("94", "0.60000", True)]),
        ("95", "93", []),
    ],
)
def test_an_oco_that_traded_in_part_is_put_back_as_it_was(price: str, then: str, found: list[object]) -> None:
    book = book_at("100")
    order = oco()
    place(book, order)
    again = Book(book.market, TOUCH, D(10_000), D("1.6"))
    again.restore(part_of(order, book, price, "0.4"))
    for one in (book, again):
        assert sold(move(one, then)) == found
        assert one.free_base == 1


def test_a_stop_that_was_reached_and_not_told_is_reached_again_once_it_is_put_back() -> None:
    book = book_at("95")
    book.restore(stop()._replace(status="working"))
    assert sold(move(book, "95")) == [("95", "1", False)]

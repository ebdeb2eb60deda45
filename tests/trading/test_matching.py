"""The simulated market, order by order: what fills, at what price, in what order, and what is refused."""

from decimal import Decimal

import pytest

from autogrid.trading.event import Accepted, Cancelled, Expired, Filled, OrderEvent, Rejected
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.matching import TOUCH, Book, MatchingRules, Point
from autogrid.trading.money import ZERO
from autogrid.trading.order import Kind, Order, Side, apply
from autogrid.trading.plan import Cancel, Place
from tests.builders import FOUR_CELLS, D, market, new_order, play, tape_through

FREE = market(maker_fee=ZERO, taker_fee=ZERO)


def book_at(price: str, on: Market = FREE, rules: MatchingRules = TOUCH, quote: str = "10000") -> Book:
    book = Book(on, rules, D(quote), D(100))
    move(book, price)
    return book


def move(book: Book, price: str, *, in_jump: bool = False) -> list[Filled]:
    """The price stands at `price`: what fills there."""
    book.at = Point(1, D(price), in_jump, None, 0)
    found = []
    while (fill := book.touched()) is not None:
        found.append(fill)
    return found


def send(
    book: Book, side: Side, price: str, quantity: str = "1", *, kind: Kind = "limit", number: int = 1
) -> list[OrderEvent]:
    slot = f"{number}-0{side[0]}"
    order = new_order(side, price, quantity, slot=slot, kind=kind, order_id=f"n-{number}-{slot}")
    return list(book.execute(Place(order)))


def names(fills: list[Filled]) -> list[str]:
    return [fill.order_id for fill in fills]


def test_a_resting_order_fills_whole_at_its_own_price_as_maker_when_it_is_touched() -> None:
    book = book_at("110")
    assert [type(event) for event in send(book, "buy", "100")] == [Accepted]
    assert move(book, "100.01") == []
    (fill,) = move(book, "100")
    assert (fill.price, fill.quantity, fill.maker) == (D(100), D(1), True)
    assert move(book, "90") == []


def test_with_through_it_fills_one_tick_beyond_at_its_own_price() -> None:
    book = book_at("110", rules=MatchingRules("through"))
    send(book, "buy", "100")
    assert move(book, "100") == []
    (fill,) = move(book, "99.99")
    assert fill.price == 100


def test_buys_fill_in_falling_order_of_price_and_equal_prices_by_age() -> None:
    book = book_at("110")
    for number, price in enumerate(("99", "100", "99", "100", "98")):
        send(book, "buy", price, number=number)
    assert names(move(book, "98.5")) == ["n-1-1-0b", "n-3-3-0b", "n-0-0-0b", "n-2-2-0b"]


def test_sells_fill_in_rising_order_of_price_and_equal_prices_by_age() -> None:
    book = book_at("110")
    for number, price in enumerate(("121", "120", "121", "120", "122")):
        send(book, "sell", price, number=number)
    assert names(move(book, "121.5")) == ["n-1-1-0s", "n-3-3-0s", "n-0-0-0s", "n-2-2-0s"]


@pytest.mark.parametrize(("side", "limit"), [("buy", "111"), ("buy", "110"), ("sell", "109"), ("sell", "110")])
def test_an_order_that_could_trade_at_once_fills_at_the_markets_price_as_taker(side: Side, limit: str) -> None:
    accepted, fill = send(book_at("110"), side, limit)
    assert isinstance(accepted, Accepted)
    assert isinstance(fill, Filled)
    assert (fill.price, fill.maker) == (D(110), False)


def test_a_post_only_order_that_could_trade_at_once_is_refused() -> None:
    (event,) = send(book_at("110"), "buy", "110", kind="maker")
    assert isinstance(event, Rejected)
    assert "post-only" in event.reason


@pytest.mark.parametrize(("side", "price"), [("buy", "110.34"), ("sell", "109.66")])
def test_slippage_is_worse_for_us_and_lies_on_the_tick(side: Side, price: str) -> None:
    book = book_at("110", rules=MatchingRules(slippage=D("0.003051")))
    fill = send(book, side, "110", kind="market")[1]
    assert isinstance(fill, Filled)
    assert fill.price == D(price)


def test_a_market_order_inside_a_jump_fills_at_its_end() -> None:
    book = book_at("110")
    book.at = Point(1, D(105), True, None, 1)
    assert [type(event) for event in send(book, "sell", "105", kind="market")] == [Accepted]
    book.at = Point(1, D(95), False, None, 1)
    (fill,) = book.market_orders()
    assert isinstance(fill, Filled)
    assert (fill.price, fill.maker) == (D(95), False)


def test_an_order_without_free_funds_is_refused_as_the_exchange_would() -> None:
    book = book_at("110", quote="150")
    assert isinstance(send(book, "buy", "100", number=1)[0], Accepted)
    (event,) = send(book, "buy", "100", number=2)
    assert isinstance(event, Rejected)
    assert event.reason == "not enough free funds"
    (event,) = send(book, "sell", "120", "101", number=3)
    assert isinstance(event, Rejected)


def test_a_cancel_sets_free_what_the_order_held() -> None:
    book = book_at("110", quote="100")
    send(book, "buy", "100", number=1)
    assert list(book.execute(Cancel("n-1-1-0b"))) == [Cancelled(1, "n-1-1-0b")]
    assert isinstance(send(book, "buy", "100", number=2)[0], Accepted)


def test_the_markets_rules_are_kept() -> None:
    capped = market(max_orders=1)
    book = book_at("110", capped)
    assert isinstance(send(book, "buy", "100", number=1)[0], Accepted)
    for price, quantity in (("100", "1"), ("100.001", "1"), ("100", "0.000001"), ("100", "0.01")):
        (event,) = send(book, "buy", price, quantity, number=2)
        assert isinstance(event, Rejected)


def test_only_a_share_of_the_candles_volume_fills_and_the_rest_stays() -> None:
    book = book_at("110", rules=MatchingRules(participation=D("0.1")))
    send(book, "buy", "100", "1")
    book.allowance = D("0.4")
    (part,) = move(book, "99")
    assert part.quantity == D("0.4")
    assert move(book, "98") == []
    book.allowance = D(5)
    (rest,) = move(book, "98")
    assert rest.quantity == D("0.6")
    assert part.fill_id != rest.fill_id


def test_what_a_market_order_cannot_fill_expires() -> None:
    book = book_at("110", rules=MatchingRules(participation=D("0.1")))
    book.allowance = D("0.4")
    events = send(book, "sell", "110", "1", kind="market")
    assert [type(event) for event in events] == [Accepted, Filled, Expired]


@pytest.mark.parametrize("fee_in", ["received", "quote", ThirdAsset("BNB", D("0.37"))])
@pytest.mark.parametrize("parts", [[D("0.3"), D("0.3"), D("0.4")], [D(1)], [D("0.00001"), D("0.99999")]])
def test_the_fee_of_an_order_does_not_depend_on_its_parts(fee_in: str, parts: list[Decimal]) -> None:
    on = market(maker_fee=D("0.00077"), fee_in=fee_in)
    book = book_at("110", on, MatchingRules(participation=D(1)))
    send(book, "buy", "99.97", "1")
    fees = ZERO
    for part in parts:
        book.allowance = part
        fees += sum((fill.fee for fill in move(book, "99")), ZERO)
    whole = book_at("110", on)
    send(whole, "buy", "99.97", "1")
    assert fees == move(whole, "99")[0].fee


def test_a_fee_in_a_third_asset_is_rounded_up_once() -> None:
    on = market(maker_fee=D("0.0033"), fee_in=ThirdAsset("BNB", D(600)))
    book = book_at("80", on)
    send(book, "sell", "83.86")
    (fill,) = move(book, "83.86")
    assert fill.fee == D("0.00046123")  # 83.86 x 0.0033 / 600, without a rest
    assert fill.fee_value == D("0.276738")


def test_a_book_that_is_put_back_goes_on_as_the_first_would_have() -> None:
    on = market(maker_fee=D("0.00077"), fee_in=ThirdAsset("BNB", D("0.37")))
    first = book_at("110", on, MatchingRules(participation=D(1)))
    send(first, "buy", "99.97", "1")
    first.allowance = D("0.3")
    (part,) = move(first, "99")
    order: Order = apply(new_order("buy", "99.97", "1", slot="1-0b", order_id="n-1-1-0b"), part, on)
    second = Book(on, MatchingRules(participation=D(1)), D(10_000) - D("0.3") * D("99.97"), D("100.3"))
    second.restore(order)
    first.allowance = second.allowance = D(1)
    assert move(second, "99") == move(first, "99")
    assert (second.free_quote, second.free_base) == (first.free_quote, first.free_base)


def test_fees_in_quote_that_are_rounded_up_never_take_more_than_there_is() -> None:
    """The rate alone would use the investment up to the last unit; four fees are rounded up."""
    on = market(fee_in="quote", maker_fee=D("0.00123"), taker_fee=D("0.00123"), lot=D("0.00000001"))
    exact = D("0.12345679") * (8_000 + 9_000 + 10_000 + 11_000) * D("1.00123")
    played = play({**FOUR_CELLS, "reserve": "0"}, tape_through("12500", "7900"), on, investment=exact)
    assert [fill.quantity for fill in played.fills] == [D("0.12345678")] * 4
    assert not [row for row in played.rows if row.refused]
    assert played.ledger.quote >= 0


def test_an_order_whose_fee_is_not_covered_once_it_is_rounded_up_is_refused() -> None:
    on = market(fee_in="quote", maker_fee=D("0.00123"), taker_fee=D("0.00123"), lot=D("0.00000001"))
    exact = D("0.12345679") * 8_000 * D("1.00123")
    (event,) = send(book_at("9000", on, quote=str(exact)), "buy", "8000", "0.12345679")
    assert isinstance(event, Rejected)
    (event,) = send(book_at("9000", on, quote=str(exact + D("0.00000001"))), "buy", "8000", "0.12345679")
    assert isinstance(event, Accepted)

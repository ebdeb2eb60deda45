"""The simulated world: how orders live there, one rule at a time."""

from decimal import Decimal

import pytest

from autogrid.simulator.records import (
    CreditNews,
    Holding,
    OrderNews,
    Print,
    SimOrder,
    UnableToTrade,
    WalletNews,
    Wanted,
    WorldNews,
)
from autogrid.simulator.world import World
from autogrid.trading.market import Market, ThirdAsset
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import ZERO

BTC, ETH = "BTC/USDT", "ETH/USDT"
ANNA, BERT = "anna", "bert"


def d(text: str) -> Decimal:
    return Decimal(text)


def market(base: str, **rules: object) -> Market:
    usual: dict[str, object] = {
        "tick": d("0.01"),
        "lot": d("0.001"),
        "min_notional": d("5"),
        "maker_fee": d("0.001"),
        "taker_fee": d("0.002"),
    }
    return Market(base, "USDT", **(usual | rules))  # type: ignore[arg-type]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


def world(clock: Clock | None = None, *, client_ids_once: bool = False, **rules: object) -> World:
    found = World({BTC: market("BTC", **rules), ETH: market("ETH")}, clock or Clock(), client_ids_once=client_ids_once)
    found.add_account(ANNA, {"USDT": d("1000"), "BTC": d("2")})
    found.add_account(BERT, {"USDT": d("1000")})
    found.move(BTC, d("100"))
    found.move(ETH, d("10"))
    return found


def buy(price: str, quantity: str, name: str = "", **more: object) -> Wanted:
    return Wanted(BTC, "buy", "limit", name, d(price), d(quantity))._replace(**more)  # type: ignore[arg-type]


def sell(price: str, quantity: str, name: str = "", **more: object) -> Wanted:
    return buy(price, quantity, name, side="sell", **more)


def refusal(sim: World, wanted: Wanted) -> str:
    before = (sim.wallet(ANNA), len(sim.orders(ANNA)))
    with pytest.raises(UnableToTrade) as refused:
        sim.place(ANNA, wanted)
    assert (sim.wallet(ANNA), len(sim.orders(ANNA))) == before
    return refused.value.why


def heard(sim: World) -> list[WorldNews]:
    news: list[WorldNews] = []
    sim.listen(news.append)
    return news


def causes(news: list[WorldNews]) -> list[tuple[int, str]]:
    return [(one.order.exchange_id, one.cause) for one in news if isinstance(one, OrderNews)]


def test_a_resting_buy_holds_its_value_and_fills_as_maker_at_its_own_price() -> None:
    sim = world()
    order = sim.place(ANNA, buy("90", "2"))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("820"), d("180"))
    sim.move(BTC, d("80"))
    assert (order.status, order.filled, order.value) == ("filled", d("2"), d("180"))
    (trade,) = sim.trades(ANNA)
    assert (trade.price, trade.fee, trade.fee_asset, trade.maker) == (d("90"), d("0.002"), "BTC", True)
    assert sim.wallet(ANNA)["BTC"] == Holding(d("3.998"), ZERO)
    assert sim.wallet(ANNA)["USDT"] == Holding(d("820"), ZERO)


def test_markets_with_one_quote_asset_share_its_funds() -> None:
    sim = world()
    sim.place(ANNA, buy("90", "10"))
    assert refusal(sim, Wanted(ETH, "buy", "limit", "", d("9"), d("20"))) == "funds"
    sim.place(ANNA, Wanted(ETH, "buy", "limit", "", d("9"), d("10")))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("10"), d("990"))


def test_accounts_do_not_touch_one_another() -> None:
    sim = world()
    sim.place(BERT, buy("90", "1"))
    assert sim.open_orders(ANNA) == []
    with pytest.raises(UnableToTrade, match="no open order"):
        sim.cancel(ANNA, BTC, exchange_id=1)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (buy("90.001", "1"), "tick"),
        (buy("90", "0.0001"), "least-quantity"),
        (buy("90", "1.0001"), "lot"),
        (buy("90", "6"), "most-quantity"),
        (buy("90", "0.05"), "least-value"),
        (buy("40", "1"), "price-band"),
        (sell("160", "1"), "price-band"),
        (buy("101", "1", type="maker"), "would-trade"),
        (buy("100", "1", type="maker"), "would-trade"),
        (sell("101", "3"), "funds"),
        (buy("90", "1", symbol="X/USDT"), "unknown-symbol"),
        (buy("90", "1")._replace(price=None), "bad-request"),
        (buy("90", "1")._replace(quantity=None), "bad-request"),
        (sell("95", "1", type="stop_limit"), "bad-request"),
        (sell("95", "1", type="stop_limit", trigger=d("100")), "would-trigger"),
        (buy("95", "1", type="stop", trigger=d("99")), "would-trigger"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(wanted: Wanted, why: str) -> None:
    sim = world(max_quantity=d("5"), least_share=d("0.5"), most_share=d("1.5"), min_quantity=d("0.002"))
    assert refusal(sim, wanted) == why


def test_no_more_orders_than_the_market_allows() -> None:
    sim = world(max_orders=2)
    sim.place(ANNA, buy("90", "1"))
    sim.place(ANNA, sell("80", "1", type="stop_limit", trigger=d("85")))
    assert refusal(sim, buy("91", "1")) == "max-orders"


def test_a_client_id_is_free_again_once_its_order_is_done() -> None:
    sim = world()
    first = sim.place(ANNA, buy("90", "1", "one"))
    assert refusal(sim, buy("91", "1", "one")) == "duplicate-client-id"
    sim.cancel(ANNA, BTC, client_id="one")
    second = sim.place(ANNA, buy("91", "1", "one"))
    assert sim.find(ANNA, BTC, client_id="one") is second
    assert sim.find(ANNA, BTC, exchange_id=first.exchange_id) is first


def test_where_client_ids_serve_once_a_used_one_is_refused_for_ever() -> None:
    sim = world(client_ids_once=True)
    sim.place(ANNA, buy("90", "1", "one"))
    sim.cancel(ANNA, BTC, client_id="one")
    assert refusal(sim, buy("91", "1", "one")) == "duplicate-client-id"


def test_a_cancelled_order_frees_its_funds_and_cannot_be_cancelled_again() -> None:
    sim = world()
    order = sim.place(ANNA, buy("90", "2"))
    assert sim.cancel(ANNA, BTC, exchange_id=order.exchange_id).status == "cancelled"
    assert sim.wallet(ANNA)["USDT"] == Holding(d("1000"), ZERO)
    with pytest.raises(UnableToTrade) as refused:
        sim.cancel(ANNA, BTC, exchange_id=order.exchange_id)
    assert refused.value.why == "unknown-order"


def test_a_move_may_fill_only_a_part() -> None:
    sim = world()
    order = sim.place(ANNA, buy("90", "2"))
    sim.move(BTC, d("90"), most=d("0.5"))
    assert (order.status, order.filled) == ("partial", d("0.5"))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("820"), d("135"))
    sim.cancel(ANNA, BTC, exchange_id=order.exchange_id)
    assert (order.status, order.filled) == ("cancelled", d("0.5"))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("955"), ZERO)


def test_what_an_immediate_order_cannot_trade_at_once_expires() -> None:
    sim = world()
    sim.set_depth(BTC, d("0.4"))
    order = sim.place(ANNA, buy("101", "1", type="ioc"))
    assert (order.status, order.filled) == ("expired", d("0.4"))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("960"), ZERO)
    away = sim.place(ANNA, buy("99", "1", type="ioc"))
    assert (away.status, away.filled) == ("expired", ZERO)


def test_an_order_that_must_trade_whole_does_or_expires() -> None:
    sim = world()
    assert sim.place(ANNA, buy("101", "1", type="fok")).status == "filled"
    sim.set_depth(BTC, d("0.4"))
    order = sim.place(ANNA, buy("101", "1", type="fok"))
    assert (order.status, order.filled) == ("expired", ZERO)


def test_a_market_order_may_name_what_to_spend() -> None:
    sim = world()
    order = sim.place(ANNA, Wanted(BTC, "buy", "market", "", quote_quantity=d("55.55")))
    assert (order.status, order.quantity, order.value) == ("filled", d("0.555"), d("55.5"))
    assert sim.trades(ANNA)[0].fee == d("0.00111")
    assert sim.trades(ANNA)[0].maker is False


def test_a_market_order_pays_the_slippage_of_the_rules() -> None:
    sim = World({BTC: market("BTC")}, Clock(), MatchingRules(slippage=d("0.01")))
    sim.add_account(ANNA, {"USDT": d("1000"), "BTC": ZERO})
    sim.move(BTC, d("100"))
    assert sim.place(ANNA, Wanted(BTC, "buy", "market", "", quantity=d("1"))).value == d("101")
    assert refusal(sim, Wanted(BTC, "buy", "market", "", quantity=d("9"))) == "funds"


def test_a_limit_order_that_crosses_trades_at_the_better_price_as_taker() -> None:
    sim = world()
    order = sim.place(ANNA, buy("105", "1"))
    assert (order.status, order.value) == ("filled", d("100"))
    assert sim.trades(ANNA)[0].fee == d("0.002")


def test_a_stop_waits_with_its_coins_held_and_sells_at_the_market_when_triggered() -> None:
    sim = world()
    news = heard(sim)
    order = sim.place(ANNA, Wanted(BTC, "sell", "stop", "", quantity=d("1"), trigger=d("95")))
    assert order.waiting
    assert sim.wallet(ANNA)["BTC"] == Holding(d("1"), d("1"))
    sim.move(BTC, d("95.01"))
    assert order.waiting
    sim.move(BTC, d("94"))
    assert (order.status, order.value, order.waiting) == ("filled", d("94"), False)
    assert causes(news) == [(1, "new"), (1, "triggered"), (1, "trade")]


def test_a_stop_limit_rests_at_its_limit_where_the_market_has_passed_it() -> None:
    sim = world()
    order = sim.place(ANNA, sell("95", "1", type="stop_limit", trigger=d("96")))
    sim.move(BTC, d("90"))
    assert (order.status, order.waiting) == ("new", False)
    assert sim.wallet(ANNA)["BTC"] == Holding(d("1"), d("1"))
    sim.move(BTC, d("95"))
    assert (order.status, order.value) == ("filled", d("95"))


def test_a_stop_to_buy_holds_its_limit_and_is_freed_by_a_cancel() -> None:
    sim = world()
    order = sim.place(ANNA, buy("111", "2", type="stop_limit", trigger=d("110")))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("778"), d("222"))
    sim.cancel(ANNA, BTC, exchange_id=order.exchange_id)
    assert sim.wallet(ANNA)["USDT"] == Holding(d("1000"), ZERO)


def test_a_stop_to_buy_that_its_funds_do_not_cover_any_more_expires() -> None:
    sim = world()
    order = sim.place(ANNA, Wanted(BTC, "buy", "stop", "", quantity=d("9"), trigger=d("110")))
    sim.move(BTC, d("120"))
    assert (order.status, order.filled) == ("expired", ZERO)
    assert sim.wallet(ANNA)["USDT"] == Holding(d("1000"), ZERO)


def oco(sim: World) -> tuple[SimOrder, SimOrder]:
    return sim.place_list(
        ANNA, sell("110", "2", "up", type="maker"), sell("89", "2", "down", type="stop_limit", trigger=d("90"))
    )


def test_a_list_of_two_holds_the_coins_once() -> None:
    sim = world()
    oco(sim)
    assert sim.wallet(ANNA)["BTC"] == Holding(ZERO, d("2"))


def test_the_first_part_fill_of_one_order_of_a_list_ends_the_other() -> None:
    sim = world()
    up, down = oco(sim)
    sim.move(BTC, d("110"), most=d("0.5"))
    assert (up.status, down.status) == ("partial", "expired")
    assert sim.wallet(ANNA)["BTC"] == Holding(ZERO, d("1.5"))
    assert sim.lists[1].is_open
    sim.move(BTC, d("110"))
    assert not sim.lists[1].is_open


def test_a_triggered_order_of_a_list_ends_the_other_and_sells_once() -> None:
    sim = world()
    news = heard(sim)
    up, down = oco(sim)
    sim.move(BTC, d("90"))
    assert (up.status, down.status, down.value) == ("expired", "filled", d("180"))
    assert sim.wallet(ANNA)["BTC"] == Holding(ZERO, ZERO)
    assert causes(news)[2:] == [(1, "expired"), (2, "triggered"), (2, "trade")]


def test_a_cancel_of_one_order_of_a_list_ends_both() -> None:
    sim = world()
    up, down = oco(sim)
    sim.cancel(ANNA, BTC, client_id="down")
    assert (up.status, down.status) == ("cancelled", "cancelled")
    assert sim.wallet(ANNA)["BTC"] == Holding(d("2"), ZERO)


def test_a_list_that_buys_holds_the_dearer_of_its_two_prices() -> None:
    sim = world()
    limit, stop = buy("90", "2", type="maker"), buy("111", "2", type="stop_limit", trigger=d("110"))
    up, down = sim.place_list(ANNA, limit, stop)
    assert sim.wallet(ANNA)["USDT"] == Holding(d("778"), d("222"))
    sim.move(BTC, d("90"))
    assert (up.status, down.status) == ("filled", "expired")
    assert sim.wallet(ANNA)["USDT"] == Holding(d("820"), ZERO)


def test_a_list_on_the_wrong_side_of_the_market_is_refused_whole() -> None:
    sim = world()
    with pytest.raises(UnableToTrade) as refused:
        sim.place_list(ANNA, sell("99", "1", type="maker"), sell("89", "1", type="stop_limit", trigger=d("90")))
    assert refused.value.why == "would-trade"
    with pytest.raises(UnableToTrade) as refused:
        sim.place_list(ANNA, sell("110", "1", type="maker"), sell("101", "1", type="stop_limit", trigger=d("101")))
    assert refused.value.why == "would-trigger"
    assert (sim.orders(ANNA), sim.lists) == ([], {})
    assert sim.wallet(ANNA)["BTC"] == Holding(d("2"), ZERO)


def test_a_halted_market_takes_nothing_and_moves_nowhere_but_cancels() -> None:
    sim = world()
    order = sim.place(ANNA, buy("90", "1"))
    sim.halt(BTC)
    assert refusal(sim, buy("91", "1")) == "halted"
    sim.move(BTC, d("80"))
    assert (order.status, sim.price(BTC)) == ("new", d("100"))
    sim.cancel(ANNA, BTC, exchange_id=order.exchange_id)
    sim.resume(BTC)
    assert sim.place(ANNA, buy("91", "1")).status == "new"


def test_a_market_without_a_price_takes_no_orders() -> None:
    sim = World({BTC: market("BTC")}, Clock())
    sim.add_account(ANNA, {"USDT": d("1000")})
    with pytest.raises(UnableToTrade) as refused:
        sim.place(ANNA, buy("90", "1"))
    assert refused.value.why == "halted"


def test_new_rules_hold_for_new_orders() -> None:
    sim = world()
    resting = sim.place(ANNA, buy("90.5", "1"))
    sim.set_market(BTC, market("BTC", tick=d("1")))
    assert refusal(sim, buy("90.5", "1")) == "tick"
    sim.move(BTC, d("90"))
    assert resting.status == "filled"


def test_a_fee_in_a_third_asset_is_taken_from_what_there_is_of_it() -> None:
    sim = world(fee_in=ThirdAsset("BNB", d("500")))
    sim.credit(ANNA, "BNB", d("0.0003"))
    sim.place(ANNA, buy("105", "1"))
    (trade,) = sim.trades(ANNA)
    assert (trade.fee, trade.fee_asset) == (d("0.0003"), "BNB")
    assert sim.wallet(ANNA)["BNB"] == Holding(ZERO, ZERO)
    assert sim.wallet(ANNA)["BTC"].free == d("3")


def test_a_deposit_is_told_and_a_withdrawal_cannot_take_what_is_held() -> None:
    sim = world()
    news = heard(sim)
    sim.credit(BERT, "USDT", d("5"))
    assert [type(one) for one in news] == [CreditNews, WalletNews]
    sim.place(BERT, buy("90", "11"))
    with pytest.raises(UnableToTrade, match="free"):
        sim.credit(BERT, "USDT", d("-16"))


def test_news_tell_the_print_then_the_order_then_the_wallet() -> None:
    sim = world()
    sim.place(ANNA, buy("90", "1"))
    news = heard(sim)
    sim.move(BTC, d("90"))
    kinds = [type(one) for one in news]
    assert kinds == [Print, OrderNews, WalletNews, WalletNews]


def test_who_stopped_listening_hears_nothing() -> None:
    sim = world()
    news: list[WorldNews] = []
    stop = sim.listen(news.append)
    stop()
    sim.move(BTC, d("90"))
    assert news == []


def test_ids_of_orders_and_trades_rise() -> None:
    sim = world()
    for price in ("99", "98", "97"):
        sim.place(ANNA, buy(price, "1"))
    sim.move(BTC, d("97"))
    ids = [trade.id for trade in sim.trades(ANNA)]
    assert [order.exchange_id for order in sim.orders(ANNA)] == [1, 2, 3]
    assert ids == sorted(ids)
    assert [trade.id for trade in sim.trades(ANNA, BTC, from_id=ids[1])] == ids[1:]
    assert [trade.id for trade in sim.trades(ANNA, BTC, limit=2)] == ids[:2]
    assert not {trade.id for trade in sim.trades(ANNA)} & {one.id for one in sim.prints(BTC)}


def test_candles_are_built_from_prints_behind_the_history() -> None:
    clock = Clock()
    clock.ms = 1_700_000_040_000
    sim = world(clock)
    for minutes, price in ((0, "101"), (1, "99"), (5, "105")):
        clock.ms = 1_700_000_040_000 + minutes * 60_000
        sim.move(BTC, d(price), d("2"))
    minutes_found = sim.candles(BTC, 60_000, None, None, 10)
    assert [(one.open, one.high, one.low, one.close, one.volume) for one in minutes_found] == [
        (100.0, 101.0, 100.0, 101.0, 3.0),
        (99.0, 99.0, 99.0, 99.0, 2.0),
        (105.0, 105.0, 105.0, 105.0, 2.0),
    ]
    assert sim.candles(BTC, 60_000, None, None, 1) == minutes_found[-1:]
    assert sim.candles(BTC, 60_000, minutes_found[1].open_ms, None, 1) == [minutes_found[1]]
    assert sim.candles(BTC, 60_000, None, minutes_found[1].open_ms, 10) == minutes_found[:2]
    (hour, *_) = sim.candles(BTC, 3_600_000, None, None, 5)
    assert (hour.open, hour.low) == (100.0, 99.0)
    sim.hand_history(BTC, [minutes_found[0]._replace(open_ms=minutes_found[0].open_ms - 60_000)], 60_000)
    assert len(sim.candles(BTC, 60_000, None, None, 10)) == 4


def test_an_order_that_is_kept_as_rejected_is_found_and_not_open() -> None:
    sim = world()
    order = sim.keep_rejected(ANNA, buy("101", "1", "one", type="maker"), "would trade")
    assert sim.find(ANNA, BTC, client_id="one") is order
    assert sim.open_orders(ANNA) == []
    assert sim.wallet(ANNA)["USDT"] == Holding(d("1000"), ZERO)


def test_a_list_that_sells_holds_no_money_whatever_its_stop_asks() -> None:
    sim = world()
    sim.place_list(ANNA, sell("110", "2", type="maker"), sell("120", "2", type="stop_limit", trigger=d("90")))
    assert sim.wallet(ANNA)["USDT"] == Holding(d("1000"), ZERO)


def test_a_wallet_that_did_not_change_is_not_told() -> None:
    sim = world()
    news = heard(sim)
    sim.place(ANNA, buy("99", "1", type="fok"))
    assert [type(one) for one in news] == [OrderNews, OrderNews]


def test_one_move_fills_what_rests_and_triggers_what_waits() -> None:
    sim = world()
    resting = sim.place(ANNA, buy("95", "1"))
    waiting = sim.place(ANNA, Wanted(BTC, "sell", "stop", "", quantity=d("1"), trigger=d("92")))
    sim.move(BTC, d("90"))
    assert (resting.status, resting.value) == ("filled", d("95"))
    assert (waiting.status, waiting.value) == ("filled", d("90"))

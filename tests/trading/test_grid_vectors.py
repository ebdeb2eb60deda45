"""The grid's arithmetic against every figure that exchanges and their vendors print, and against the worked numbers.

The printed ones stand in `../shared/vectors/grid.json`; the worked ones stand here, so that they mean something alone.
"""

import json
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from autogrid.trading.event import Cancelled, Filled
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, fee_due, text
from autogrid.trading.order import decided
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.config import GridSettings, read_settings
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import GridMemory, after_buy, after_sell, new_cell
from autogrid.trading.strategies.grid.sizing import (
    break_even_step,
    check_profit,
    empty_line,
    largest_count,
    least_for,
    least_investment,
    lines_of,
    net_profit,
    profit_range,
    sizes_at,
    sold_of,
)
from tests.builders import FOUR_CELLS, Hand, bot_of, market, play, tape_through

D = Decimal
Given = Mapping[str, Any]


def settings_of(given: Given) -> GridSettings:
    config = {key: str(given[key]) for key in ("lower", "upper", "grids", "spacing", "reserve") if key in given}
    return read_settings(config)


def market_of(given: Given) -> Market:
    fee = D(given.get("fee", "0"))
    return market(
        tick=D(given.get("tick", "0.01")),
        lot=D(given.get("lot", "0.00000001")),
        min_notional=D(given.get("min_notional", "0")),
        maker_fee=fee,
        taker_fee=fee,
        fee_in=given.get("fee_in", "received"),
    )


def lines(given: Given, expect: Given) -> None:
    assert lines_of(settings_of(given), market_of(given)) == tuple(map(D, expect["lines"]))


def start(given: Given, expect: Given) -> None:
    config = {key: str(given[key]) for key in ("lower", "upper", "grids", "spacing")}
    hand = Hand(*bot_of(config, market_of(given), investment="100000")).started()
    hand.price(given["price"])
    hand.fill("open-0", price=D(given["price"]))
    orders = sorted(hand.state.standing.values(), key=lambda order: order.price)
    buys = [order.price for order in orders if order.side == "buy"]
    sells = [order.price for order in orders if order.side == "sell"]
    assert buys[::-1] == [D(price) for price in expect["buys"]]
    assert sells == [D(price) for price in expect["sells"]]
    all_lines = lines_of(settings_of(given), market_of(given))
    assert set(all_lines) - {order.price for order in orders} == {D(expect["empty"])}


def quantity(given: Given, expect: Given) -> None:
    settings, on = settings_of(given), market_of(given)
    sizes = sizes_at(settings, lines_of(settings, on), on, D(given["investment"]), D(given["price"]))
    assert sizes.opening == D(expect["quantity"])
    assert set(sizes.buys) == {D(expect["quantity"])}
    assert sold_of(sizes.opening, on) == D(expect["sell_quantity"])


def least(given: Given, expect: Given) -> None:
    settings, on = settings_of(given), market_of(given)
    found = least_investment(settings, lines_of(settings, on), on, D(given["price"]))
    assert found == (D(expect["quantity"]), D(expect["investment"]))


def profit_per_grid(given: Given, expect: Given) -> None:
    lowest, highest = profit_range(lines_of(settings_of(given), market_of(given)), D(given["fee"]))
    assert abs(lowest - D(expect["lowest"])) <= D(expect["tolerance"])
    assert abs(highest - D(expect["highest"])) <= D(expect["tolerance"])


def break_even(given: Given, expect: Given) -> None:
    assert abs(break_even_step(D(given["fee"])) - D(expect["step"])) <= D(expect["tolerance"])


def round_trip(given: Given) -> GridMemory:
    """One cell bought and sold, with the fees that are given or follow from the rate."""
    on = market(lot=D("0.00000001"))
    bought, sold = D(given["buy_quantity"]), D(given["sell_quantity"])
    buy_price, sell_price = D(given["buy_price"]), D(given["sell_price"])
    rate = D(given.get("fee", "0"))
    in_base = D(given.get("buy_fee_base") or fee_due(bought, rate, ZERO))
    in_quote = D(given.get("sell_fee_quote") or fee_due(sold * sell_price, rate, ZERO))
    cell = new_cell("0", buy_price, sell_price, bought, "empty")
    memory = Grid(FOUR_CELLS, on, D(10_000)).start()._replace(cells={"0": cell})
    buy = Filled(0, "b", "1", buy_price, bought, in_base, on.base, ZERO, True)
    memory = after_buy(memory, cell, buy, on)
    cell = memory.cells["0"]
    assert cell.phase == "full"
    assert cell.stock == sold
    sell = Filled(0, "s", "1", sell_price, sold, in_quote, on.quote, ZERO, True)
    return after_sell(memory, cell, sell, on)


def cycle(given: Given, expect: Given) -> None:
    memory = round_trip(given)
    step = ONE.scaleb(-expect["places"])
    assert memory.profit.quantize(step, ROUND_HALF_EVEN) == D(expect["profit"])
    assert memory.round_trips == 1
    if "dust" in expect:
        assert memory.pool == (D(expect["dust"]), D(expect["dust_cost"]))


def sell_size(given: Given, expect: Given) -> None:
    assert sold_of(D(given["bought"]), market_of(given)) == D(expect["sell"])


def refused(given: Given, expect: Given) -> None:
    with pytest.raises(UnableToConfigure) as caught:
        check_profit(lines_of(settings_of(given), market_of(given)), market_of(given))
    assert caught.value.rule == expect["rule"]


def trailing_up(given: Given, expect: Given) -> None:
    config = {key: str(given[key]) for key in ("lower", "upper", "grids", "spacing")} | {"trailing_up": "yes"}
    hand = Hand(*bot_of(config, market_of(given), investment="100000")).started()
    hand.price(given["upper"])
    hand.accept_all()
    old = next(order for order in hand.state.standing.values() if order.price == D(expect["cancel_buy"]))
    step = hand.price(given["price"], after_ms=1_000)
    assert step.commands == (Cancel(old.id),)
    placed = hand.tell(Cancelled(hand.at_ms, old.id)).commands
    assert [(c.order.side, c.order.price) for c in placed if isinstance(c, Place)] == [("buy", D(expect["place_buy"]))]


def infinity(given: Given, expect: Given) -> None:
    config = {"lower": given["floor"], "upper": "none", "step": "0.05", "reserve": "0"}
    played = play(
        config, tape_through(given["price"], given["price"]), market_of(given), investment=given["investment"]
    )
    assert played.ledger.base * D(given["price"]) == D(expect["working"])
    assert played.ledger.quote == D(expect["reserved"])


KINDS: Final[dict[str, Callable[[Given, Given], None]]] = {
    "lines": lines,
    "start": start,
    "quantity": quantity,
    "least_investment": least,
    "profit_per_grid": profit_per_grid,
    "break_even": break_even,
    "cycle": cycle,
    "sell_size": sell_size,
    "refused": refused,
    "trailing_up": trailing_up,
    "infinity": infinity,
}

SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "grid.json"


def vectors() -> list[Any]:
    """All of the file's; one stand-in, to be skipped with a reason, where there is no file."""
    found = json.loads(SHARED.read_text(encoding="utf-8")) if SHARED.is_file() else [{"name": "all", "kind": None}]
    return [pytest.param(one, id=one["name"]) for one in found]


@pytest.mark.parametrize("vector", vectors())
def test_a_printed_figure_is_met(vector: Given, shared_data: Path) -> None:
    assert vector["kind"] in KINDS, f"no test knows the kind {vector['kind']}"
    KINDS[vector["kind"]](vector["input"], vector["expect"])


def test_every_kind_of_the_file_occurs(shared_data: Path) -> None:
    kinds = {one["kind"] for one in json.loads((shared_data / "vectors" / "grid.json").read_text(encoding="utf-8"))}
    assert kinds == set(KINDS)


# ---------------------------------------------------------------- the worked numbers of the rules, by heart


def arithmetic(lower: str, upper: str, grids: int, **more: str) -> dict[str, str]:
    return {"lower": lower, "upper": upper, "grids": str(grids), "spacing": "arithmetic", **more}


def geometric(lower: str, upper: str, grids: int, **more: str) -> dict[str, str]:
    return {"lower": lower, "upper": upper, "grids": str(grids), "spacing": "geometric", **more}


BYBIT = arithmetic("45000", "65000", 5, reserve="0.05")
FINE = market(lot=D("0.00000001"))


@pytest.mark.parametrize(
    ("config", "tick", "expected"),
    [
        (arithmetic("8000", "12000", 4), "0.01", "8000 9000 10000 11000 12000"),
        (geometric("20000", "30000", 5), "0.01", "20000 21689.44 23521.58 25508.49 27663.24 30000"),
        (geometric("1000", "1464.1", 4), "0.1", "1000 1100 1210 1331 1464.1"),
        (geometric("1", "1000000", 2), "0.01", "1 1000 1000000"),
        (arithmetic("1", "2", 4), "0.1", "1 1.2 1.5 1.8 2"),  # 1.25 and 1.75 go to the even tick
    ],
)
def test_the_lines_of_the_rules(config: dict[str, str], tick: str, expected: str) -> None:
    assert lines_of(read_settings(config), market(tick=D(tick))) == tuple(map(D, expected.split()))


def test_geometric_is_the_default() -> None:
    assert read_settings({"lower": "1", "upper": "2", "grids": "2"}).spacing == "geometric"
    assert read_settings({"lower": "1", "upper": "2", "grids": "2"}).reserve == D("0.02")


@pytest.mark.parametrize(
    ("config", "price", "empty"),
    [
        (BYBIT, "54000", "57000"),
        (arithmetic("25000", "30000", 5), "26500", "27000"),
        (arithmetic("8000", "12000", 4), "10000", "10000"),
        (arithmetic("8000", "12000", 4), "12000.01", "12000"),
        (arithmetic("8000", "12000", 4), "7999.99", "8000"),
    ],
)
def test_the_line_that_starts_without_an_order(config: dict[str, str], price: str, empty: str) -> None:
    all_lines = lines_of(read_settings(config), FINE)
    assert all_lines[empty_line(all_lines, D(price))] == D(empty)


def test_bybits_quantity_buys_0_08795882_and_sells_0_08787086() -> None:
    settings = read_settings(BYBIT)
    sizes = sizes_at(settings, lines_of(settings, FINE), FINE, D(23610), D(54000))
    assert sizes.opening == D("0.08795882")
    assert sizes.buys == (D("0.08795882"),) * 5
    assert sold_of(sizes.opening, FINE) == D("0.08787086")


def test_bybits_grid_places_these_very_orders() -> None:
    hand = Hand(*bot_of(BYBIT, FINE, investment="23610")).started()
    hand.price("54000")
    hand.fill("open-0", price=D(54000))
    found = {(o.side, text(o.price), text(o.quantity)) for o in hand.state.standing.values()}
    # Two cells bought at once, 0.17591764 less 0.00017592 of fee: 0.17574172, halved without a rest.
    assert found == {
        ("buy", "45000", "0.08795882"),
        ("buy", "49000", "0.08795882"),
        ("buy", "53000", "0.08795882"),
        ("sell", "61000", "0.08787086"),
        ("sell", "65000", "0.08787086"),
    }


@pytest.mark.parametrize(
    ("grids", "lot", "fee", "base", "investment"),
    [
        (5, "0.000001", "0", "0.000112", "28.56"),
        (20, "0.000001", "0", "0.000112", "115.92"),
        (50, "0.000001", "0", "0.000112", "290.56"),
        (100, "0.000001", "0", "0.000112", "581.62"),
        (50, "0.00001", "0.001", "0.00013", "337.25"),
    ],
)
def test_the_least_investments_of_the_rules(grids: int, lot: str, fee: str, base: str, investment: str) -> None:
    on = market(lot=D(lot), maker_fee=D(fee), taker_fee=D(fee))
    settings = read_settings(arithmetic("45000", "65000", grids, reserve="0"))
    assert least_investment(settings, lines_of(settings, on), on, D(54000)) == (D(base), D(investment))


def test_a_buy_whose_sell_would_stick_under_the_least_value_is_a_lot_larger() -> None:
    on = market(lot=D("0.00001"))
    assert D("0.00011") * 45_400 < 5 < D("0.00012") * 45_000
    assert least_for(D(45_000), D(45_400), on) == D("0.00013")


def test_a_dearer_takers_fee_counts_for_what_a_full_cell_can_sell() -> None:
    on = market(lot=D("0.00001"), maker_fee=ZERO, taker_fee=D("0.05"))
    assert least_for(D(45_000), D(45_400), on) == D("0.00013")


def test_profit_per_grid_and_break_even_of_the_rules() -> None:
    low, high = profit_range(lines_of(read_settings(BYBIT), FINE), D("0.001"))
    assert (round(low * 100, 4), round(high * 100, 4)) == (D("6.3444"), D("8.6712"))
    found = profit_range(lines_of(read_settings(geometric("20000", "30000", 5)), FINE), D("0.001"))
    assert {round(profit, 4) for profit in found} == {D("0.0823")}
    step = break_even_step(D("0.001"))
    assert round(step * 100, 4) == D("0.2003")
    assert net_profit(ONE, ONE + step, D("0.001")).quantize(D("1e-50")) == 0


def test_bybits_cycle_from_53000_to_57000_earns_341_81() -> None:
    sold = {"buy_quantity": "0.08795882", "sell_quantity": "0.08787086", "fee": "0.001"}
    memory = round_trip({**sold, "buy_price": "53000", "sell_price": "57000"})
    assert round(memory.profit, 2) == D("341.81")


def test_okxs_fills_earn_0_04167062_and_leave_dust_that_cost_0_00077878() -> None:
    memory = round_trip(
        {
            "buy_quantity": "0.00005222",
            "buy_price": "100000",
            "buy_fee_base": "0.00000005222",
            "sell_quantity": "0.00005216",
            "sell_price": "101000",
            "sell_fee_quote": "0.00526816",
        }
    )
    assert memory.profit == D("0.04167062")
    assert memory.pool == (D("0.00000000778"), D("0.00077878"))


def test_trend_is_what_the_cells_did_not_earn() -> None:
    played = play(FOUR_CELLS, tape_through("10500", "8500", "11500", "9500"))
    total = played.ledger.profit(D(9500))
    assert played.memory.profit == D("511.68054818")
    assert total == played.ledger.quote + played.ledger.base * D(9500) - 10_000


def test_the_largest_number_of_grids_is_found_exactly() -> None:
    settings, on = read_settings(arithmetic("100", "110", 50)), market(tick=ONE)
    assert largest_count(settings, on) == 10
    assert len(set(lines_of(read_settings(arithmetic("100", "110", 10)), on))) == 11


def test_an_order_of_a_half_filled_opening_is_not_doubled() -> None:
    order = decided("n-1-open-0", "open-0", "buy", "market", D(100), D(2))
    hand = Hand(*bot_of(investment="10000")).started()
    hand.price("10500")
    assert hand.order("open-0").kind == order.kind
    hand.fill("open-0", D("0.1"), D(10500))
    assert [o.slot for o in hand.state.standing.values()].count("open-0") == 1

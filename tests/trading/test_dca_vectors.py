"""The printed figures of DCA: every vector of the shared file, and the worked numbers of the rules by heart."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from autogrid.trading.event import Filled
from autogrid.trading.ledger import Pool
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO
from autogrid.trading.strategies.dca.config import read_settings
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.exit import Terms, profit_price, trailing_line
from autogrid.trading.strategies.dca.ladder import Shape, deviations, multiple, required, rungs, sizes
from autogrid.trading.strategies.dca.memory import NO_POSITION, Position, Purchase, joined, settled, sold_at
from autogrid.trading.strategies.dca.preview import half_up, ladder_rows, preview
from autogrid.trading.strategies.dca.sizing import Sizes
from autogrid.trading.strategies.fields import UnableToConfigure
from tests.builders import market, tape_of, tape_through
from tests.trading.made_up_dca import play_dca

D = Decimal
Given = Mapping[str, Any]
FREE = market(maker_fee=ZERO, taker_fee=ZERO, lot=D("0.00000001"), min_notional=ZERO)
SHAPE_KEYS = ("deviation", "step_scale", "volume_scale", "safety_orders", "take_profit", "deviation_from")


def shape_of(given: Given) -> Shape:
    return Shape(
        D(given["deviation"]),
        D(given.get("step_scale", "1")),
        D(given.get("volume_scale", "1")),
        int(given["safety_orders"]),
        given.get("deviation_from", "base"),
    )


def config_of(given: Given) -> dict[str, str]:
    return {key: str(given[key]) for key in SHAPE_KEYS if key in given}


def ladder(given: Given, expect: Given) -> None:
    shape, base, safety = shape_of(given), D(given["base_order"]), D(given["safety_order"])
    if "rows" in expect:
        settings = read_settings(config_of(given))
        rows = ladder_rows(settings, FREE, Sizes(base, safety), D(given["price"]))
        assert [[int(row.cells[0]), *row.cells[1:7]] for row in rows] == expect["rows"]
        assert not any(row.breach for row in rows)
    if "deviations" in expect:
        assert deviations(shape) == tuple(map(D, expect["deviations"]))
    if "sizes" in expect:
        assert sizes(shape, safety) == tuple(map(D, expect["sizes"]))
    if "total" in expect:
        assert required(shape, base, safety) == D(expect["total"])


def prices(given: Given, expect: Given) -> None:
    found = rungs(shape_of(given), ONE, D(given["price"]), FREE)
    assert [rung.price for rung in found] == [D(price) for price in expect["prices"]]


def take_profit(given: Given, expect: Given) -> None:
    on = replace(FREE, maker_fee=D(given["fee"]), taker_fee=D(given["fee"]), tick=D("0.00001"), lot=D("1e-18"))
    position = NO_POSITION
    for price, quote in given["fills"]:
        bought = D(quote) / D(price)
        received = bought * (1 - D(given["fee"]))
        position = joined(position, Purchase("", "base", bought, D(price), "", bought, received, D(quote), D(quote)))
    for gross, key in (("yes", "gross"), ("no", "net")):
        settings = read_settings({"take_profit": given["take_profit"], "take_profit_gross": gross})
        found = profit_price(Terms(settings, on, D(1000)), position, None, settings.goals[0].profit)
        assert 0 <= found - D(expect[key]) <= on.tick  # up to the tick, while the table rounds to the nearest


def trailing(given: Given, expect: Given) -> None:
    on = replace(FREE, tick=D("0.00000001"))
    settings = read_settings({"take_profit": given["take_profit"], "trailing": given["trail"]})
    terms = Terms(settings, on, D(1000))
    position = joined(NO_POSITION, Purchase("", "base", ONE, ONE, "", ONE, ONE, D(given["average"]), ZERO))
    assert profit_price(terms, position, None, settings.goals[0].profit) == D(expect["target"])
    assert trailing_line(terms, D(given["peak"])) == D(expect["line"])


def average(given: Given, expect: Given) -> None:
    position, averages, realised = NO_POSITION, [], []
    for side, quantity, price in given["trades"]:
        size, value = D(quantity), D(quantity) * D(price)
        if side == "buy":
            position = joined(position, Purchase("", "base", size, D(price), "", size, size, value, value))
        else:
            position = sold_at(position, Filled(0, "", "", D(price), size, ZERO, "USDT", ZERO, True), FREE)
        now = settled(position)
        realised.append(now.won)
        if now.base:
            averages.append(now.pool.cost / now.pool.base)
    assert averages == [D(one) for one in expect["averages"]]
    assert realised == [D(one) for one in expect["realised"]]


def schedule(given: Given, expect: Given) -> None:
    on = replace(FREE, lot=D(given["lot"]))
    units = [int(D(price) * 100) for price in given["prices"]]
    tape = tape_of([(one, one, one, one) for one in units], interval_ms=86_400_000)
    config = {"mode": "accumulate", "every": "daily", "amount": given["amount"]}
    played = play_dca(config, tape, on)
    bought = [D(quantity) for _, _, quantity in played.trades()]
    exact = [D(given["amount"]) / D(price) for price in given["prices"]]
    assert [one.quantize(D(given["lot"]), ROUND_HALF_EVEN) for one in exact] == [D(q) for q in expect["quantities"]]
    assert all(0 <= whole - lots < on.lot for whole, lots in zip(exact, bought, strict=True))
    pool = played.memory.position.pool
    assert (pool.cost / pool.base).quantize(D("0.01")) == D(expect["average"])


def budget(given: Given, expect: Given) -> None:
    units = 100_00
    tape = tape_of([(units, units, units, units)] * 10, interval_ms=7 * 86_400_000)
    config = {"mode": "accumulate", "every": "weekly", "amount": given["amount"], "budget": given["budget"]}
    played = play_dca(config, tape, FREE)
    assert len(played.trades()) == expect["buys"]
    facts = {fact.key: fact.value for fact in preview(Dca(config, FREE, D(10_000)), D(100)).facts}
    assert facts["buys"] == str(expect["buys"])


def drop(given: Given, expect: Given) -> None:
    config = {"mode": "accumulate", "drop": given["drop"], "drop_amount": "100", "reference": given["reference"]}
    for tape in (tape_through(*given["prices"]), tape_of([(int(D(p) * 100),) * 4 for p in given["prices"]])):
        assert len(play_dca(config, tape, FREE).trades()) == expect["buys"]


def cover(given: Given, expect: Given) -> None:
    shape = shape_of(given)
    assert half_up(deviations(shape)[-1], ONE.scaleb(-expect["places_cover"])) == expect["cover"]
    assert half_up(multiple(shape), ONE.scaleb(-expect["places_multiple"])) == expect["multiple"]


def refused(given: Given, expect: Given) -> None:
    with pytest.raises(UnableToConfigure) as caught:
        read_settings(config_of(given))
    assert caught.value.rule == expect["rule"]
    assert "at most 4 safety orders" in str(caught.value)


KINDS: Final[dict[str, Callable[[Given, Given], None]]] = {
    "ladder": ladder,
    "prices": prices,
    "take_profit": take_profit,
    "trailing": trailing,
    "average": average,
    "schedule": schedule,
    "budget": budget,
    "drop": drop,
    "cover": cover,
    "refused": refused,
}

SHARED = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "dca.json"


def vectors() -> list[Any]:
    """All of the file's; one stand-in, to be skipped with a reason, where there is no file."""
    found = json.loads(SHARED.read_text(encoding="utf-8")) if SHARED.is_file() else [{"name": "all", "kind": None}]
    return [pytest.param(one, id=one["name"]) for one in found]


@pytest.mark.parametrize("vector", vectors())
def test_a_printed_figure_is_met(vector: Given, shared_data: Path) -> None:
    assert vector["kind"] in KINDS, f"no test knows the kind {vector['kind']}"
    KINDS[vector["kind"]](vector["input"], vector["expect"])


def test_every_kind_of_the_file_occurs(shared_data: Path) -> None:
    kinds = {one["kind"] for one in json.loads((shared_data / "vectors" / "dca.json").read_text(encoding="utf-8"))}
    assert kinds == set(KINDS)


# ---------------------------------------------------------------- the worked numbers of the rules, by heart


def test_the_ladder_of_3commas_needs_465_and_a_fifth_order_is_refused() -> None:
    shape = Shape(D("0.01"), D(4), D(2), 4)
    assert deviations(shape) == (D("0.01"), D("0.05"), D("0.21"), D("0.85"))
    assert required(shape, D(15), D(30)) == 465
    assert deviations(shape._replace(safety_orders=5))[-1] == D("3.41")


def test_a_deviation_from_the_previous_order_compounds() -> None:
    shape = Shape(D("0.02"), ONE, ONE, 2, "previous")
    assert deviations(shape) == (D("0.02"), D("0.0396"))
    assert deviations(shape._replace(deviation_from="base")) == (D("0.02"), D("0.04"))


@pytest.mark.parametrize(
    ("preset", "covers", "times"),
    [("careful", "38.27", "8.72"), ("standard", "19.86", "13.76"), ("bold", "7.72", "21.78")],
)
def test_a_preset_covers_what_the_rules_say(preset: str, covers: str, times: str) -> None:
    found = preview(Dca({"preset": preset}, market(), D(10_000)), D(100))
    facts = {fact.key: fact.value for fact in found.facts}
    assert (facts["cover"], facts["multiple"]) == (covers, times)


def test_the_net_take_profit_of_the_rules_is_100_676() -> None:
    on = market(lot=D("0.00000001"), tick=D("0.00001"))
    config = {"base_order": "100", "safety_orders": "1", "deviation": "0.02", "safety_order": "100"}
    played = play_dca(config, tape_through("100", "97", "99"), on, investment="1000")
    target = [order.price for order in played.orders.values() if order.slot == "1-t1"][-1]
    assert target == D("100.676")


def test_a_target_from_the_base_order_aims_at_that_share_of_it() -> None:
    config = {"base_order": "100", "safety_orders": "1", "deviation": "0.02", "take_profit_from": "base_order"}
    played = play_dca(config, tape_through("100", "97", "102"), FREE, investment="1000")
    assert abs(played.memory.profit - D("1.5")) < D("0.03")
    whole = play_dca(
        {**config, "take_profit_from": "average"}, tape_through("100", "97", "102"), FREE, investment="1000"
    )
    assert abs(whole.memory.profit - 3) < D("0.03")


def test_fees_in_quote_shrink_the_default_base_order() -> None:
    on: Market = market(fee_in="quote")
    found = {fact.key: fact.value for fact in preview(Dca({}, on, D(1000)), D(100)).facts}
    assert found["base_order"] == "72.62"  # 1000 / 13.75603 / 1.001, down to the cent
    assert D(found["free"]) >= 0


def test_a_position_without_coins_has_no_cost() -> None:
    assert settled(Position(Pool(ZERO, ZERO), Pool(ZERO, ZERO), ZERO, ZERO, ZERO, (), None)) == NO_POSITION

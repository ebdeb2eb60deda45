"""What a DCA bot refuses: one sentence each, that says what to change."""

import pytest

from autogrid.trading.money import ZERO
from autogrid.trading.strategies.catalogue import entry
from autogrid.trading.strategies.dca.config import read_settings
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.preview import preview
from autogrid.trading.strategies.fields import UnableToConfigure
from tests.builders import MINUTE_MS, D, market, tape_of, tape_through
from tests.trading.made_up_dca import PlayedDca, play_dca

ACCUMULATE = {"mode": "accumulate"}


def refusal(config: dict[str, str], *, price: str | None = None, investment: str = "10000") -> UnableToConfigure:
    with pytest.raises(UnableToConfigure) as caught:
        tried(config, price, investment)
    return caught.value


def tried(config: dict[str, str], price: str | None, investment: str) -> None:
    dca = Dca(config, market(), D(investment))
    if price is not None:
        dca.check(D(price))


@pytest.mark.parametrize(
    ("config", "key", "says"),
    [
        ({"mode": "grid"}, "mode", "one of deal, accumulate"),
        ({"safety_orders": "101"}, "safety_orders", "the most is 100"),
        ({"deviation": "1"}, "deviation", "must be below 1"),
        ({"deviation": "0.3", "step_scale": "1", "safety_orders": "4"}, "safety_orders", "at most 3 safety orders"),
        ({"take_profit": "0"}, "take_profit", "must be above 0"),
        ({"take_profit": "0.01", "targets": "0.01:0.5,0.02:0.5"}, "targets", "give one of them"),
        ({"targets": "0.01:0.5"}, "targets", "two to four"),
        ({"targets": "0.01:0.5,0.02:0.4"}, "targets", "must make 1"),
        ({"targets": "0.02:0.5,0.01:0.5"}, "targets", "rising"),
        ({"targets": "0.01;0.5"}, "targets", "profit:share"),
        ({"targets": "a:0.5,0.02:0.5"}, "targets", "not a number"),
        ({"targets": "0.01:1.5,0.02:-0.5"}, "targets", "above 0"),
        ({"targets": "0.01:0.5,0.02:0.5", "trailing": "0.01"}, "trailing", "not with targets"),
        ({"break_even": "yes"}, "break_even", "without targets"),
        ({"stop_loss_from": "base_order"}, "stop_loss_from", "without stop_loss"),
        ({"start_when": "price"}, "start_price", "needs start_price"),
        ({"start_price": "90"}, "start_price", "start_when=price"),
        ({"rsi_below": "20"}, "rsi_below", "start_when=rsi"),
        ({"timeframe": "5m"}, "timeframe", "start_when=rsi"),
        ({"amount": "100"}, "amount", "mode=accumulate"),
        ({"drop": "0.1"}, "drop", "mode=accumulate"),
        ({**ACCUMULATE, "base_order": "10"}, "base_order", "mode=deal"),
        ({**ACCUMULATE, "stop_loss": "0.1"}, "stop_loss", "mode=deal"),
        ({**ACCUMULATE, "every": "weekly"}, "amount", "a hundredth of the investment"),
        ({**ACCUMULATE, "amount": "10", "weekday": "friday"}, "weekday", "every=weekly"),
        ({**ACCUMULATE, "amount": "10", "every": "weekly", "day": "3"}, "day", "every=monthly"),
        ({**ACCUMULATE, "amount": "10", "every": "hourly", "hour": "3"}, "hour", "every=hourly"),
        ({**ACCUMULATE, "drop": "0.1", "minute": "3"}, "minute", "belongs to a schedule"),
        ({**ACCUMULATE, "drop_amount": "10"}, "drop_amount", "goes with drop"),
        ({**ACCUMULATE, "reference": "high"}, "reference", "goes with drop"),
        ({**ACCUMULATE, "trailing": "0.1"}, "trailing", "without take_profit"),
        ({"deviaton": "0.1"}, "deviaton", "did you mean deviation"),
        ({"max_safety_orders": "3", "safety_orders": "2"}, "safety_orders", "the same"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: dict[str, str], key: str, says: str) -> None:
    found = refusal(config)
    assert found.key == key
    assert says in str(found)


@pytest.mark.parametrize(
    ("config", "key", "says"),
    [
        ({"base_order": "1000"}, "base_order", "a base_order of at most 726.95"),
        ({"base_order": "3"}, "base_order", "the least that works is a base order of"),
        ({"deviation": "0.0001"}, "deviation", "less than three ticks"),
        ({"deviation": "0.01", "step_scale": "0.01"}, "step_scale", "same tick"),
        ({"take_profit": "0.002", "take_profit_gross": "yes"}, "take_profit", "break-even is a rise of 0.2003 %"),
        ({**ACCUMULATE, "budget": "10001"}, "budget", "invest as much"),
        ({**ACCUMULATE, "amount": "4"}, "amount", "give amount="),
        ({**ACCUMULATE, "amount": "600", "budget": "500"}, "amount", "the budget 500"),
    ],
)
def test_what_the_market_or_the_money_does_not_allow_is_refused(config: dict[str, str], key: str, says: str) -> None:
    found = refusal(config, price="100")
    assert found.key == key
    assert says in str(found)


@pytest.mark.parametrize("config", [{}, {"safety_orders": "8", "preset": "bold"}, {"stop_loss": "0.5"}])
def test_the_least_investment_that_is_named_works_and_a_cent_less_does_not(config: dict[str, str]) -> None:
    found = refusal(config, price="100", investment="20")
    least = D(str(found).rsplit(" ", 1)[1])
    Dca(config, market(), least + D("0.2")).check(D(100))
    with pytest.raises(UnableToConfigure):
        Dca(config, market(), least - D("0.2")).check(D(100))


def test_the_least_amount_that_is_named_works() -> None:
    found = refusal({**ACCUMULATE, "amount": "4"}, price="99.37")
    least = str(found).split("amount=")[1].split(" ")[0]
    Dca({**ACCUMULATE, "amount": least}, market(), D(1000)).check(D("99.37"))


def test_what_is_refused_at_the_start_ends_the_bot_with_the_sentence() -> None:
    played = play_dca({"base_order": "9000"}, tape_through("100", "101"))
    assert played.last.ended_why.startswith("not started: the whole ladder needs")


def test_other_names_and_defaults_given_in_full_are_taken() -> None:
    settings = read_settings({"base_order_size": "10", "price_deviation": "0.02", "trail": "0.01", "every": "none"})
    assert (settings.base_order, settings.shape.deviation, settings.trailing) == (D(10), D("0.02"), D("0.01"))
    every_default = {field.key: field.default for field in entry("dca").fields if field.default is not None}
    assert read_settings(every_default) == read_settings({})


def test_the_schedule_says_how_fine_it_is() -> None:
    assert Dca({**ACCUMULATE, "amount": "9", "every": "hourly"}, market(), D(1000)).coarsest_ms == 3_600_000
    assert Dca({}, market(), D(1000)).coarsest_ms is None


# ---------------------------------------------------------------- preview


def facts(config: dict[str, str], price: str = "100") -> dict[str, str]:
    return {fact.key: fact.value for fact in preview(Dca(config, market(), D(10_000)), D(price)).facts}


def test_the_preview_tells_what_a_deal_takes_and_risks() -> None:
    config = {"base_order": "100", "safety_orders": "2", "deviation": "0.02", "step_scale": "1", "volume_scale": "2"}
    found = preview(Dca(config, market(), D(10_000)), D(100))
    assert [row.cells[0] for row in found.rows] == ["0", "1", "2"]
    assert found.rows[2].cells == ("2", "200.00", "400.00", "4.00", "96.00", "97.57", "3.26", "2.08333", "200.00")
    table = facts(config)
    assert (table["required"], table["multiple"], table["cover"], table["take_profit"]) == (
        "400.00",
        "4.00",
        "4.00",
        "101.71",
    )
    assert table["loss_at_last"] == "6.43"
    assert any("no stop-loss" in warning for warning in found.warnings)
    stopped = preview(Dca({**config, "stop_loss": "0.03", "stop_loss_from": "base_order"}, market(), D(10_000)), D(100))
    assert {fact.key: fact.value for fact in stopped.facts}["loss_at_stop"] == "4.41"
    assert any("1 of 2 are never bought" in warning for warning in stopped.warnings)


def test_the_preview_lists_the_next_purchases() -> None:
    dca = Dca({**ACCUMULATE, "amount": "1000", "budget": "5500", "every": "weekly"}, market(), D(10_000))
    found = preview(dca, D(100), at_ms=1_747_699_200_000)
    assert [row.cells[1] for row in found.rows] == [
        "start",
        "2025-05-26 00:00",
        "2025-06-02 00:00",
        "2025-06-09 00:00",
        "2025-06-16 00:00",
    ]
    assert found.rows[-1].cells[3] == "5000.00"


def test_a_trail_that_may_lose_is_warned_of() -> None:
    found = preview(Dca({"take_profit": "0.005", "trailing": "0.02"}, market(), D(10_000)), D(100))
    assert any("too wide" in warning for warning in found.warnings)


def test_a_market_order_in_the_preview_names_the_rule_it_breaks() -> None:
    on = market(least_share=D("0.99"), maker_fee=ZERO, taker_fee=ZERO)
    found = preview(Dca({}, on, D(10_000)), D(100))
    assert [bool(row.breach) for row in found.rows] == [False, True, True, False, False, False, False]


def test_a_later_deal_whose_ladder_is_too_fine_waits_for_an_hour() -> None:
    """3 % of 100 are three ticks of 1; the stop sells at 99, where they are not."""
    config = {"base_order": "100", "deviation": "0.03", "safety_orders": "1", "stop_loss": "0.01"}
    on = market(tick=D(1), maker_fee=ZERO, taker_fee=ZERO)
    candles = [(100, 100, 99, 99), (99, 99, 99, 99), (100, 100, 100, 100), (100, 100, 100, 100)]

    def played(count: int, **changes: str) -> PlayedDca:
        return play_dca(config | changes, tape_of(candles[:count], unit="1", interval_ms=30 * MINUTE_MS), on)

    held = played(2)
    assert held.slots() == ["1-base", "1-exit"]
    assert "less than three ticks" in held.memory.held
    assert played(3).slots() == ["1-base", "1-exit"], "it is not looked at again before an hour is over"
    assert played(4).slots() == ["1-base", "1-exit", "2-base"]
    assert played(2, safety_orders="0").slots() == ["1-base", "1-exit", "2-base"]

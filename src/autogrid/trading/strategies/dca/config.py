"""The configuration of a DCA bot, read: what was given, what the preset says, and what does not go together."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from autogrid.trading.candle import TIMEFRAMES
from autogrid.trading.money import ONE, ZERO, Amount, Price, Share, text
from autogrid.trading.strategies.dca.fields import FIELDS as DEAL_FIELDS
from autogrid.trading.strategies.dca.fields import targets_in
from autogrid.trading.strategies.dca.ladder import Shape, deviations
from autogrid.trading.strategies.dca.schedule import Every, Schedule
from autogrid.trading.strategies.dca.schedule_fields import SCHEDULE_FIELDS, WEEKDAYS
from autogrid.trading.strategies.fields import UnableToConfigure, named, read_all
from autogrid.trading.strategies.guard import MAX_SLIPPAGE, STOP_AT

GUARD_FIELDS: Final = (STOP_AT, MAX_SLIPPAGE)
FIELDS: Final = (*DEAL_FIELDS, *GUARD_FIELDS, *SCHEDULE_FIELDS)

PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "careful": {"preset": "careful", "deviation": "0.03", "step_scale": "1.3", "volume_scale": "1.1"},
    "standard": {"preset": "standard", "deviation": "0.02", "step_scale": "1.2", "volume_scale": "1.3"},
    "bold": {"preset": "bold", "deviation": "0.01", "step_scale": "1.1", "volume_scale": "1.5"},
}

DEAL_PROFIT: Final = Decimal("0.015")
"""Take-profit of a deal that is given none."""

BOTH_MODES: Final = frozenset({"mode", "take_profit", "take_profit_gross", "trailing"})
NEEDED_BY: Final[Mapping[str, tuple[str, str]]] = {
    "start_price": ("start_when", "price"),
    "rsi_below": ("start_when", "rsi"),
    "rsi_period": ("start_when", "rsi"),
    "timeframe": ("start_when", "rsi"),
    "weekday": ("every", "weekly"),
    "day": ("every", "monthly"),
}
"""Keys that do something with one choice of another key only."""


class Goal(NamedTuple):
    """A profit at which a share of the coins is sold."""

    profit: Share
    share: Share


@dataclass(frozen=True, slots=True)
class DcaSettings:
    """A DCA bot's configuration, read and within its own limits."""

    mode: Literal["deal", "accumulate"]
    shape: Shape
    base_order: Amount | None
    safety_order: Amount | None
    max_active: int
    goals: tuple[Goal, ...]
    """None in accumulate mode without a take-profit."""
    profit_from: Literal["average", "base_order"]
    gross: bool
    break_even: bool
    trailing: Share | None
    stop_loss: Share | None
    stop_from: Literal["average", "base_order"]
    stop_at: Literal["exchange", "bot"]
    max_slippage: Share
    """How far below its trigger a stop at the exchange may sell."""
    cooldown_ms: int
    max_deals: int | None
    timeout_ms: int | None
    reinvest: bool
    start_when: Literal["now", "price", "rsi", "signal"]
    start_price: Price | None
    rsi_below: float
    rsi_period: int
    timeframe_ms: int | None
    schedule: Schedule | None
    amount: Amount | None
    first_now: bool
    catch_up: bool
    """Whether one purchase makes up for those that were missed."""
    budget: Amount | None
    drop: Share | None
    drop_amount: Amount | None
    reference: Literal["last_buy", "average", "high"]


def read_settings(given: Mapping[str, str]) -> DcaSettings:
    """The settings in the texts `given`. Raises `UnableToConfigure` with a sentence that says what would work."""
    values: dict[str, Any] = read_all(FIELDS, given)
    defaults = {field.key: field.default for field in FIELDS}
    chosen = {
        key
        for key, value in named(FIELDS, given).items()
        if value != defaults[key] and (defaults[key] is not None or value.lower() not in ("", "none"))
    }
    _check_mode(values["mode"], chosen)
    _check_partners(values, chosen)
    schedule = _schedule(values, chosen) if values["mode"] == "accumulate" else None
    preset = PRESETS[values["preset"]]
    shape = Shape(
        values["deviation"] or Decimal(preset["deviation"]),
        values["step_scale"] or Decimal(preset["step_scale"]),
        values["volume_scale"] or Decimal(preset["volume_scale"]),
        values["safety_orders"],
        values["deviation_from"],
    )
    if values["mode"] == "deal":
        _check_depth(shape)
    timeout, rsi = values["deal_timeout"], values["start_when"] == "rsi"
    return DcaSettings(
        mode=values["mode"],
        shape=shape,
        base_order=values["base_order"],
        safety_order=values["safety_order"],
        max_active=values["max_active"],
        goals=_goals(values),
        profit_from=values["take_profit_from"],
        gross=values["take_profit_gross"],
        break_even=values["break_even"],
        trailing=values["trailing"],
        stop_loss=values["stop_loss"],
        stop_from=values["stop_loss_from"],
        stop_at=values["stop_at"],
        max_slippage=values["max_slippage"],
        cooldown_ms=values["cooldown"] * 1000,
        max_deals=values["max_deals"],
        timeout_ms=None if timeout is None else timeout * 1000,
        reinvest=values["reinvest"],
        start_when=values["start_when"],
        start_price=values["start_price"],
        rsi_below=float(values["rsi_below"] or 30),
        rsi_period=values["rsi_period"] or 14,
        timeframe_ms=(values["timeframe"] or TIMEFRAMES["1h"]) if rsi else None,
        schedule=schedule,
        amount=values["amount"],
        first_now=values["first"] == "now",
        catch_up=values["catch_up"] == "once",
        budget=values["budget"],
        drop=values["drop"],
        drop_amount=values["drop_amount"],
        reference=values["reference"],
    )


def _check_mode(mode: str, chosen: set[str]) -> None:
    """Raises `UnableToConfigure` where a key of the other mode was given."""
    others = SCHEDULE_FIELDS if mode == "deal" else DEAL_FIELDS
    for field in others:
        if field.key in chosen and field.key not in BOTH_MODES:
            other = "accumulate" if mode == "deal" else "deal"
            raise UnableToConfigure(
                field.key, f"{field.key} does nothing with mode={mode}; leave it out, or set mode={other}"
            )


def _check_partners(values: Mapping[str, Any], chosen: set[str]) -> None:
    """Raises `UnableToConfigure` where a key was given that does nothing beside the others."""
    for key, (other, choice) in NEEDED_BY.items():
        if key in chosen and values[other] != choice:
            now = values[other] or "not given"
            raise UnableToConfigure(key, f"{key} goes with {other}={choice}; {other} is {now}: leave {key} out")
    if values["start_when"] == "price" and values["start_price"] is None:
        raise UnableToConfigure("start_price", "start_when=price needs start_price, the price at which a deal starts")
    if "take_profit" in chosen and "targets" in chosen:
        raise UnableToConfigure("targets", "targets and take_profit were given; give one of them")
    for key, sentence in _useless(values).items():
        if key in chosen:
            raise UnableToConfigure(key, sentence)


def _useless(values: Mapping[str, Any]) -> dict[str, str]:
    """Keys that would do nothing beside the others, with what to say where one was given."""
    useless = {
        key: f"{key} goes with one take_profit, not with targets; leave one of them out"
        for key in ("trailing", "take_profit_from")
        if values["targets"] is not None
    }
    for key, other in (("break_even", "targets"), ("stop_loss_from", "stop_loss")):
        if values[other] is None:
            useless[key] = f"{key} does nothing without {other}; give {other}, or leave {key} out"
    if values["stop_loss"] is None and values["trailing"] is None and not values["break_even"]:
        for key in ("stop_at", "max_slippage"):
            useless[key] = f"{key} does nothing without stop_loss, break_even or trailing; leave {key} out"
    elif values["stop_at"] == "bot":
        useless["max_slippage"] = "max_slippage does nothing with stop_at=bot; leave one of them out"
    if values["mode"] == "accumulate" and values["take_profit"] is None:
        for key in ("trailing", "take_profit_gross"):
            useless[key] = f"{key} does nothing without take_profit; give one, or leave {key} out"
    return useless


def _schedule(values: Mapping[str, Any], chosen: set[str]) -> Schedule | None:
    """The schedule, if there is one. Raises `UnableToConfigure`."""
    drops = values["drop"] is not None
    if "every" in chosen and "amount" not in chosen and not drops:
        raise UnableToConfigure(
            "amount",
            f"every={values['every']} needs amount, what each purchase spends; a hundredth of the investment is usual",
        )
    for key in ("drop_amount", "reference"):
        if key in chosen and not drops:
            raise UnableToConfigure(key, f"{key} goes with drop, the share of the fall that buys; give drop too")
    if drops and not chosen & {"every", "amount"}:
        for key in ("minute", "hour", "first", "catch_up"):
            if key in chosen:
                raise UnableToConfigure(key, f"{key} belongs to a schedule; give every and amount, or leave {key} out")
        return None
    every: Every = values["every"] or "daily"
    if every == "hourly" and "hour" in chosen:
        raise UnableToConfigure("hour", "hour does nothing with every=hourly; leave it out, or set every=daily")
    weekday = WEEKDAYS.index(values["weekday"] or WEEKDAYS[0])
    return Schedule(every, values["minute"] or 0, values["hour"] or 0, weekday, values["day"] or 1)


def _goals(values: Mapping[str, Any]) -> tuple[Goal, ...]:
    if values["targets"] is not None:
        return tuple(Goal(profit, share) for profit, share in targets_in(values["targets"]))
    profit = values["take_profit"]
    if profit is None and values["mode"] == "deal":
        profit = DEAL_PROFIT
    return () if profit is None else (Goal(profit, ONE),)


def _check_depth(shape: Shape) -> None:
    """Raises `UnableToConfigure` where a safety order would lie at or below zero."""
    depths = deviations(shape)
    deepest = max(depths, default=ZERO)
    if deepest < ONE:
        return
    works = next(k for k, depth in enumerate(depths) if depth >= ONE)
    raise UnableToConfigure(
        "safety_orders",
        f"safety order {works + 1} would lie {text(round(depths[works] * 100, 2))} % below the base order; "
        f"at most {works} safety orders work, or a smaller deviation or step_scale",
        rule="deviation reaches 100 %",
    )

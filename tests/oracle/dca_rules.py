"""The arithmetic of a DCA bot, written from the specification alone: settings, ladder, targets, calendar.

Nothing here walks a tape; that is dca_oracle.py. It shares no code with the engine. Where the specification
leaves a choice, the comment says "DCA_NOTES n", which is the number in DCA_NOTES.md.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor

from tests.oracle.grid_oracle import CENT, ONE, ZERO, Candle, down, fee_of, third_asset, times_step, up

PRESETS = {
    "careful": {"deviation": "0.03", "step_scale": "1.3", "volume_scale": "1.1"},
    "standard": {"deviation": "0.02", "step_scale": "1.2", "volume_scale": "1.3"},
    "bold": {"deviation": "0.01", "step_scale": "1.1", "volume_scale": "1.5"},
}
OF_EVERY_PRESET = {"safety_orders": "6", "max_active": "2"}
CHOICES = {
    "mode": ("deal", "accumulate"),  # the first one is the default (DCA_NOTES 1)
    "preset": ("standard", "careful", "bold"),
    "every": ("none", "hourly", "daily", "weekly", "monthly"),
    "first": ("now", "anchor"),
    "catch_up": ("once", "skip"),
    "reference": ("last_buy", "average", "high"),
    "deviation_from": ("base", "previous"),
    "take_profit_from": ("average", "base_order"),
    "stop_loss_from": ("average", "base_order"),
}
FREE = (
    *("minute", "hour", "weekday", "day", "amount", "budget", "drop", "drop_amount"),
    *("base_order", "safety_order", "deviation", "step_scale", "volume_scale", "safety_orders", "max_active"),
    *("take_profit", "trailing", "stop_loss", "cooldown", "max_deals"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIOD_MS = {"hourly": 3_600_000, "daily": 86_400_000, "weekly": 604_800_000, "monthly": 28 * 86_400_000}


@dataclass(frozen=True)
class Market:
    """What the simulated exchange asks for and charges."""

    tick: Decimal
    lot: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    fee_in: str = "received"  # received | quote | ASSET:price

    def buy_fee(self, price: Decimal, quantity: Decimal, rate: Decimal) -> tuple[Decimal, Decimal, str]:
        """The fee of a buy, what of it the quote balance pays, and its asset."""
        fee, asset = fee_of("buy", price, quantity, rate, self.fee_in)
        return fee, fee if asset == "quote" else ZERO, asset


@dataclass(frozen=True)
class Plan:
    """Every setting, with the defaults filled in. None means: not wanted."""

    mode: str
    every: str
    minute: int
    hour: int
    weekday: int
    day: int
    first: str
    catch_up: str
    amount: Decimal
    budget: Decimal
    drop: Decimal | None
    drop_amount: Decimal
    reference: str
    base_order: Decimal
    safety_order: Decimal
    deviation: Decimal
    step_scale: Decimal
    volume_scale: Decimal
    safety_orders: int
    max_active: int
    deviation_from: str
    take_profit: Decimal | None
    take_profit_from: str
    trailing: Decimal | None
    stop_loss: Decimal | None
    stop_loss_from: str
    cooldown_ms: int
    max_deals: int | None


# ---------------------------------------------------------------- settings


def share(given: Mapping[str, str], key: str) -> Decimal | None:
    """A share strictly between 0 and 1, or None where the key is absent."""
    if key not in given:
        return None
    value = Decimal(given[key])
    if not ZERO < value < ONE:
        raise ValueError(f"{key} must be between 0 and 1")
    return value


def whole(given: Mapping[str, str], key: str, default: str, low: int, high: int) -> int:
    """A whole number within its bounds."""
    value = int(given.get(key, default))
    if not low <= value <= high:
        raise ValueError(f"{key} must be from {low} to {high}")
    return value


def weekday_of(text: str) -> int:
    """Monday is 0; names, their first three letters and numbers 0 to 6 are understood (DCA_NOTES 4)."""
    for index, name in enumerate(WEEKDAYS):
        if text.lower() in (name, name[:3], str(index)):
            return index
    raise ValueError(f"weekday is monday to sunday, not {text!r}")


def with_preset(config: Mapping[str, str]) -> dict[str, str]:
    """The settings over those of the preset; an unknown key or word is refused."""
    unknown = sorted(set(config) - set(CHOICES) - set(FREE))
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(unknown)}")
    given = {key: words[0] for key, words in CHOICES.items()} | dict(config)
    for key, words in CHOICES.items():
        if given[key] not in words:
            raise ValueError(f"{key} is one of {', '.join(words)}, not {given[key]!r}")
    given = OF_EVERY_PRESET | PRESETS[given["preset"]] | given
    if given["mode"] == "deal":
        given = {"take_profit": "0.015"} | given
    return given


def plan_of(config: Mapping[str, str], investment: Decimal, market: Market) -> Plan:
    """Defaults filled in, values checked."""
    given = with_preset(config)
    orders = whole(given, "safety_orders", "6", 0, 1000)
    deviation, step, volume = (Decimal(given[key]) for key in ("deviation", "step_scale", "volume_scale"))
    if not (deviation > 0 and step > 0 and volume > 0):
        raise ValueError("deviation, step_scale and volume_scale must be above zero")
    base_order = Decimal(given.get("base_order", default_base_order(investment, volume, orders, market)))
    amount = Decimal(given["amount"]) if "amount" in given else investment / 100
    plan = Plan(
        mode=given["mode"],
        every=given["every"],
        minute=whole(given, "minute", "0", 0, 59),
        hour=whole(given, "hour", "0", 0, 23),
        weekday=weekday_of(given.get("weekday", "monday")),
        day=whole(given, "day", "1", 1, 31),
        first=given["first"],
        catch_up=given["catch_up"],
        amount=amount,
        budget=Decimal(given.get("budget", investment)),
        drop=share(given, "drop"),
        drop_amount=Decimal(given.get("drop_amount", amount)),
        reference=given["reference"],
        base_order=base_order,
        safety_order=Decimal(given.get("safety_order", base_order)),
        deviation=deviation,
        step_scale=step,
        volume_scale=volume,
        safety_orders=orders,
        max_active=whole(given, "max_active", "2", 1, 1000),
        deviation_from=given["deviation_from"],
        take_profit=Decimal(given["take_profit"]) if "take_profit" in given else None,
        take_profit_from=given["take_profit_from"],
        trailing=share(given, "trailing"),
        stop_loss=share(given, "stop_loss"),
        stop_loss_from=given["stop_loss_from"],
        cooldown_ms=int(Decimal(given.get("cooldown", "60")) * 1000),
        max_deals=whole(given, "max_deals", "0", 1, 10**9) if "max_deals" in given else None,
    )
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """What can be refused without a price."""
    if plan.mode == "accumulate" and plan.every == "none" and plan.drop is None:
        raise ValueError("accumulate needs a schedule (every) or a price drop (drop)")
    if min(plan.amount, plan.budget, plan.drop_amount) <= 0 or plan.cooldown_ms < 0:
        raise ValueError("amounts and budget must be above zero, the cooldown not below")
    if plan.take_profit is not None and plan.take_profit <= 0:
        raise ValueError("take_profit must be above zero")
    if plan.mode == "deal":
        rung_factors(plan.deviation, plan.step_scale, plan.safety_orders, plan.deviation_from)  # refuses 100 %


def check_tape(plan: Plan, candles: Sequence[Candle], market: Market) -> None:
    """What depends on the tape: a schedule finer than the candles, a ladder finer than three ticks."""
    interval = interval_of(candles)
    if plan.mode == "accumulate" and plan.every != "none" and interval > PERIOD_MS[plan.every]:
        raise ValueError("the schedule is finer than the candles")
    if plan.mode == "deal" and too_fine(plan, candles[0][1], market):
        raise ValueError("the deviation is under three ticks")  # at the first open (DCA_NOTES 15)


def too_fine(plan: Plan, price: Decimal, market: Market) -> bool:
    """Whether the first step of a ladder from this price is under three ticks."""
    return plan.safety_orders > 0 and plan.deviation * price < 3 * market.tick


def interval_of(candles: Sequence[Candle]) -> int:
    """The length of a candle: the smallest distance of two opens (DCA_NOTES 6)."""
    return min((later[0] - earlier[0] for earlier, later in pairwise(candles)), default=0)


# ---------------------------------------------------------------- ladder


def multiple_of(volume: Decimal, orders: int, ratio: Decimal = ONE) -> Fraction:
    """What a full ladder needs, in base orders, where the first safety order is ratio of the base order."""
    return 1 + Fraction(ratio) * sum((Fraction(volume) ** k for k in range(orders)), Fraction(0))


def default_base_order(investment: Decimal, volume: Decimal, orders: int, market: Market) -> Decimal:
    """floor(I / multiple) to the cent; with quote fees also divided by 1 + f, f the larger rate (DCA_NOTES 13, 14)."""
    budget = Fraction(investment)
    if market.fee_in == "quote":
        budget /= 1 + Fraction(max(market.maker_fee, market.taker_fee))
    return down(budget / multiple_of(volume, orders), CENT)


def rung_factors(deviation: Decimal, step: Decimal, orders: int, counted_from: str = "base") -> list[Fraction]:
    """What the base order's price is multiplied with for each safety order, exact."""
    factors: list[Fraction] = []
    reached = Fraction(0)
    factor = Fraction(1)
    for k in range(1, orders + 1):
        own = Fraction(deviation) * Fraction(step) ** (k - 1)
        reached = own if counted_from == "previous" else reached + own
        if reached >= 1:
            raise ValueError(f"deviation reaches 100 % at safety order {k}")
        # previous: the unrounded price is carried on (DCA_NOTES 16)
        factor = factor * (1 - own) if counted_from == "previous" else 1 - reached
        factors.append(factor)
    return factors


def rung_sizes(first: Decimal, volume: Decimal, orders: int) -> list[Fraction]:
    """S, S*v, S*v^2 ..."""
    return [Fraction(first) * Fraction(volume) ** k for k in range(orders)]


def ladder(plan: Plan, price: Decimal, market: Market) -> list[tuple[Decimal, Decimal]]:
    """Price and coins of every safety order below a base order that filled at this price."""
    factors = rung_factors(plan.deviation, plan.step_scale, plan.safety_orders, plan.deviation_from)
    rungs = []
    for factor, size in zip(factors, rung_sizes(plan.safety_order, plan.volume_scale, plan.safety_orders), strict=True):
        at = down(Fraction(price) * factor, market.tick)
        rungs.append((at, down(size / Fraction(at), market.lot) if at > 0 else ZERO))
    return rungs


@dataclass(frozen=True)
class Row:
    """One line of the preview, unrounded."""

    k: int
    size: Fraction
    total: Fraction
    deviation: Fraction
    price: Fraction
    average: Fraction | None
    rise: Fraction | None  # from this price to the take-profit, a share
    notional: Fraction
    passes: bool  # the market takes an order of this size

    def printed(self) -> list[str]:
        """Size, total, deviation %, price, average, rise %, each half-up to two places."""
        rise = None if self.rise is None else self.rise * 100
        values = (self.size, self.total, self.deviation * 100, self.price, self.average, rise)
        return ["-" if value is None else half_up(value) for value in values]


def ladder_rows(plan: Plan, price: Decimal, market: Market, *, exact: bool = False) -> list[Row]:
    """The preview table. exact leaves out tick and lot, as vendors print it (DCA_NOTES 27)."""
    factors = [Fraction(1), *rung_factors(plan.deviation, plan.step_scale, plan.safety_orders, plan.deviation_from)]
    sizes = [
        Fraction(plan.base_order),
        *rung_sizes(plan.safety_order, plan.volume_scale, plan.safety_orders),
    ]
    rows: list[Row] = []
    total = cost = coins = Fraction(0)
    for k, (factor, size) in enumerate(zip(factors, sizes, strict=True)):
        at = Fraction(price) * factor
        at = at if exact else Fraction(down(at, market.tick))
        bought = size / at if exact or at == 0 else Fraction(down(size / at, market.lot))
        rate = Fraction(market.taker_fee if k == 0 else market.maker_fee)
        total += size
        cost += at * bought * (1 if market.fee_in == "received" else 1 + rate)
        coins += bought * (1 - rate if market.fee_in == "received" else 1)
        average = cost / coins if coins > 0 else None
        rise = None
        if average is not None and plan.take_profit is not None:
            wanted = exit_value(cost, plan) / (coins * (1 - Fraction(market.maker_fee)))
            rise = (wanted if exact else Fraction(up(wanted, market.tick))) / at - 1
        passes = bought > 0 and at * bought >= market.min_notional
        rows.append(Row(k, size, total, 1 - factor, at, average, rise, at * bought, passes))
    return rows


def half_up(value: Fraction, places: int = 2) -> str:
    """For people: rounded half-up."""
    return str(times_step(floor(value * 10**places + Fraction(1, 2)), Decimal(1).scaleb(-places)))


# ---------------------------------------------------------------- targets


def exit_value(cost: Fraction, plan: Plan) -> Fraction:
    """What the sale of everything has to bring, after its fee."""
    wanted = Fraction(plan.take_profit or 0)
    if plan.take_profit_from == "average":
        return cost * (1 + wanted)
    return cost + wanted * Fraction(plan.base_order if plan.mode == "deal" else plan.amount)  # DCA_NOTES 18, 23


def take_profit_price(cost: Decimal, coins: Decimal, plan: Plan, market: Market) -> Decimal:
    """Net of fees, by the maker rate, up to the tick."""
    kept = Fraction(coins) * (1 - Fraction(market.maker_fee))
    return up(exit_value(Fraction(cost), plan) / kept, market.tick)


def below(price: Fraction, part: Decimal, tick: Decimal) -> Decimal:
    """A trigger this share below a price, down to the tick."""
    return down(price * (1 - Fraction(part)), tick)


def check_market(market: Market) -> None:
    """The exchange's own numbers make sense."""
    if min(market.tick, market.lot) <= 0 or market.min_notional < 0:
        raise ValueError("tick and lot must be above zero, the minimum notional not below")
    if not (ZERO <= market.maker_fee < Decimal("0.1") and ZERO <= market.taker_fee < Decimal("0.1")):
        raise ValueError("a fee rate must be from 0 to below 0.1")
    third_asset(market.fee_in)


# ---------------------------------------------------------------- calendar


def next_anchor(plan: Plan, after_ms: int) -> int:
    """The first scheduled time strictly after a time, both in milliseconds UTC."""
    after = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=after_ms)
    if plan.every == "hourly":
        anchor = after.replace(minute=plan.minute, second=0, microsecond=0)
        return in_ms(anchor if anchor > after else anchor + timedelta(hours=1))
    anchor = after.replace(hour=plan.hour, minute=plan.minute, second=0, microsecond=0)
    if plan.every == "daily":
        return in_ms(anchor if anchor > after else anchor + timedelta(days=1))
    if plan.every == "weekly":
        anchor += timedelta(days=(plan.weekday - anchor.weekday()) % 7)
        return in_ms(anchor if anchor > after else anchor + timedelta(days=7))
    anchor = on_day(anchor, plan.day)
    if anchor <= after:
        following = anchor.replace(day=1) + timedelta(days=31)
        anchor = on_day(following, plan.day)
    return in_ms(anchor)


def on_day(month: datetime, day: int) -> datetime:
    """That day of the month, the last one where the month is shorter."""
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def in_ms(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)

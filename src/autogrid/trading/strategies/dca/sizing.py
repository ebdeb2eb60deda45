"""How much a DCA bot's orders spend, and whether the market takes them. Refusals name what would work."""

from decimal import ROUND_DOWN, Decimal
from typing import Final, NamedTuple

from autogrid.trading.market import Market, break_even_rise
from autogrid.trading.money import LARGEST, ONE, UNIT, ZERO, Amount, Price, Quantity, text
from autogrid.trading.strategies.dca.config import DcaSettings
from autogrid.trading.strategies.dca.ladder import Rung, deviations, multiple, required, rungs
from autogrid.trading.strategies.fields import UnableToConfigure

CENT: Final = Decimal("0.01")
LEAST_TICKS: Final = 3
"""The first step of a ladder is at least so many ticks."""
HUNDREDTH: Final = Decimal("0.01")


class Sizes(NamedTuple):
    """What a deal's base order and first safety order spend."""

    base_order: Amount
    safety_order: Amount


def cents(amount: Amount) -> Amount:
    """Rounded down to the cent; an amount below one, to the eighth decimal."""
    return amount.quantize(CENT if amount >= ONE else UNIT, ROUND_DOWN)


def order_sizes(settings: DcaSettings, market: Market, capital: Amount, profit: Amount) -> Sizes:
    """The sizes of the next deal; `capital` is what was put in, `profit` what closed deals earned."""
    base, safety = settings.base_order, settings.safety_order
    grown = capital + profit if settings.reinvest else capital
    if base is None and safety is None:
        each = cents(max(grown, ZERO) / multiple(settings.shape) / (ONE + market.quote_fee))
        return Sizes(each, each)
    found = Sizes(base or safety or ZERO, safety or base or ZERO)
    if settings.reinvest and capital > 0:
        factor = max(grown, ZERO) / capital
        found = Sizes(cents(found.base_order * factor), cents(found.safety_order * factor))
    return found


def scheduled_amount(settings: DcaSettings, capital: Amount) -> Amount:
    """What a scheduled purchase spends."""
    return settings.amount or capital * HUNDREDTH


def drop_amount(settings: DcaSettings, capital: Amount) -> Amount:
    """What a purchase on a drop spends."""
    return settings.drop_amount or scheduled_amount(settings, capital)


def budget(settings: DcaSettings, capital: Amount) -> Amount:
    """The most that is spent in all."""
    return capital if settings.budget is None else settings.budget


def ladder_of(settings: DcaSettings, sizes: Sizes, start: Price, market: Market) -> tuple[Rung, ...]:
    """The safety orders of a deal whose base order filled at `start`."""
    return rungs(settings.shape, sizes.safety_order, start, market)


def check_start(settings: DcaSettings, market: Market, investment: Amount, price: Price) -> None:
    """Raises `UnableToConfigure` where the bot cannot be traded from `price` on."""
    _check_profit(settings, market)
    if settings.mode == "deal":
        _check_deal(settings, market, investment, price)
    else:
        _check_amounts(settings, market, investment, price)


def _check_profit(settings: DcaSettings, market: Market) -> None:
    least = break_even_rise(market)
    if settings.goals and settings.goals[0].profit <= least:
        raise UnableToConfigure(
            "take_profit",
            f"take_profit is {text(settings.goals[0].profit * 100)} %, not above the fees of a round trip; "
            f"break-even is a rise of {text(round(least * 100, 4))} %: take more",
            rule="take-profit below the fees",
        )


def _check_deal(settings: DcaSettings, market: Market, investment: Amount, price: Price) -> None:
    check_steps(settings, market, price)
    sizes = order_sizes(settings, market, investment, ZERO)
    breach = broken_rule(settings, market, sizes, price)
    if breach is not None:
        raise _too_small(settings, market, sizes, price, breach)
    total = required(settings.shape, *sizes)
    if market.needed(total) > investment:
        times = total / sizes.base_order
        works = cents(investment / times / (ONE + market.quote_fee))
        raise UnableToConfigure(
            "base_order",
            f"the whole ladder needs {text(market.needed(total))} {market.quote} ({text(round(times, 2))} times the "
            f"base order) and the investment is {text(investment)}: invest that much, or give a base_order of at most "
            f"{text(works)} with the safety orders in proportion",
            rule="required above the investment",
        )
    resting = min(settings.max_active, settings.shape.safety_orders) + len(settings.goals)
    if market.max_orders is not None and resting > market.max_orders:
        raise UnableToConfigure(
            "max_active",
            f"{resting} orders would rest at once; the exchange allows {market.max_orders}: lower max_active",
        )


def check_steps(settings: DcaSettings, market: Market, price: Price) -> None:
    """Raises `UnableToConfigure` where the ladder's steps are too fine for the market's tick at `price`."""
    shape = settings.shape
    if not shape.safety_orders:
        return
    if shape.deviation * price < LEAST_TICKS * market.tick:
        least = LEAST_TICKS * market.tick / price
        raise UnableToConfigure(
            "deviation",
            f"the first step, {text(shape.deviation * 100)} % of {text(price)}, is less than three ticks of "
            f"{text(market.tick)}; give a deviation of at least {text(least.quantize(UNIT) + UNIT)}",
            rule="three ticks",
        )
    if (
        shape.step_scale >= ONE
        and shape.deviation_from == "base"
        and price * (ONE - deviations(shape)[-1]) >= market.tick
    ):
        return  # each step is at least as large as the first
    prices = [rung.price for rung in rungs(shape, ONE, price, market)]
    falls = all(below < above for above, below in zip([price, *prices], prices, strict=False))
    if not falls or prices[-1] <= 0:
        raise UnableToConfigure(
            "step_scale",
            "two safety orders fall on the same tick, or the last one below the first tick; "
            "take a larger deviation or step_scale, or fewer safety_orders",
        )


def broken_rule(settings: DcaSettings, market: Market, sizes: Sizes, price: Price) -> str | None:
    """The first of the market's rules that an order of a deal from `price` on would break."""
    base = market.quantity(sizes.base_order / price)
    breach = market.breach(price, base, market=True)
    if breach is not None:
        return f"base order: {breach}"
    for number, rung in enumerate(ladder_of(settings, sizes, price, market), 1):
        breach = market.breach(rung.price, rung.quantity)
        if breach is not None:
            return f"safety order {number}: {breach}"
    coins = market.quantity(base * (ONE - market.most_base_fee))
    for profit, share in settings.goals:
        breach = market.breach(market.price_up(price * (ONE + profit)), market.quantity(coins * share))
        if breach is not None:
            return f"take-profit: {breach}"
    if settings.stop_loss is not None:
        breach = market.breach(market.price_down(price * (ONE - settings.stop_loss)), coins, market=True)
        if breach is not None:
            return f"stop-loss: {breach}"
    return None


def _too_small(settings: DcaSettings, market: Market, sizes: Sizes, price: Price, breach: str) -> UnableToConfigure:
    """The refusal of orders that the market does not take, with the least that works in the same proportions."""
    ratio = sizes.safety_order / sizes.base_order if sizes.base_order else ONE
    step = CENT if market.min_notional >= ONE else UNIT

    def works(steps: int) -> bool:
        base = steps * step
        return broken_rule(settings, market, Sizes(base, base * ratio), price) is None

    high = max(int(sizes.base_order / step), 1)
    low = high if "below" in breach or "not above zero" in breach else 0
    while not works(high) and high * step < LARGEST:
        high *= 2
    if not works(high):
        return UnableToConfigure("base_order", f"{breach}; no base order works at {text(price)}", rule="market")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    base = high * step
    total = market.needed(required(settings.shape, base, base * ratio))
    key = "investment" if settings.base_order is None and settings.safety_order is None else "base_order"
    return UnableToConfigure(
        key,
        f"{breach}; the least that works is a base order of {text(base)} {market.quote}, "
        f"with an investment of {text(_next_cent(total, step))}",
        rule="least order",
    )


def _next_cent(amount: Amount, step: Decimal) -> Amount:
    down = amount.quantize(step, ROUND_DOWN)
    return down if down == amount else down + step


def _check_amounts(settings: DcaSettings, market: Market, investment: Amount, price: Price) -> None:
    most = budget(settings, investment)
    if most > investment:
        raise UnableToConfigure(
            "budget", f"budget is {text(most)} and the investment {text(investment)}; invest as much, or lower budget"
        )
    asked = []
    if settings.schedule is not None:
        asked.append(("amount", scheduled_amount(settings, investment)))
    if settings.drop is not None:
        asked.append(("drop_amount", drop_amount(settings, investment)))
    for key, amount in asked:
        breach = market.breach(price, market.quantity(amount / price), market=True)
        if breach is not None:
            least = least_amount(market, price)
            hint = f"give {key}={text(least)} or more"
            if settings.amount is None and settings.drop_amount is None:
                hint += f", or an investment of {text(least / HUNDREDTH)}"
            raise UnableToConfigure(
                key, f"a purchase of {text(amount)} {market.quote}: {breach}; {hint}", "least order"
            )
        if amount > most:
            raise UnableToConfigure(key, f"{key} is {text(amount)} and the budget {text(most)}; lower {key}")


def least_amount(market: Market, price: Price) -> Amount:
    """The smallest purchase at `price` whose coins can be sold again there."""
    lots: Quantity = market.least_quantity(price)
    while market.quantity(lots * (ONE - market.most_base_fee)) < market.least_quantity(price):
        lots += market.lot
    return _next_cent(lots * price, CENT if market.min_notional >= ONE else UNIT)

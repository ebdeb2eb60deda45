"""What a DCA bot would do, told before any money moves: its ladder or its purchases, what it takes, what it risks.

The table shows exact figures rounded half-up; quantity and value are those of the order as it would be sent.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from autogrid.trading.market import Market, break_even_rise
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, text
from autogrid.trading.strategies.dca.config import DcaSettings
from autogrid.trading.strategies.dca.dca import Dca
from autogrid.trading.strategies.dca.ladder import Rung, multiple, required
from autogrid.trading.strategies.dca.schedule import next_anchor
from autogrid.trading.strategies.dca.sizing import (
    CENT,
    Sizes,
    budget,
    drop_amount,
    ladder_of,
    order_sizes,
    scheduled_amount,
)
from autogrid.trading.strategies.guard import Example, told
from autogrid.trading.strategies.preview import Column, Fact, Preview, Row

LADDER_COLUMNS: Final = (
    Column("k", "Order", "Ordem"),
    Column("size", "Size", "Tamanho"),
    Column("total", "Total", "Total"),
    Column("deviation", "Down %", "Queda %"),
    Column("price", "Price", "Preço"),
    Column("average", "Average", "Preço médio"),
    Column("rise", "Rise %", "Alta %"),
    Column("quantity", "Quantity", "Quantidade"),
    Column("value", "Value", "Valor"),
)
PURCHASE_COLUMNS: Final = (
    Column("k", "Purchase", "Compra"),
    Column("when", "When (UTC)", "Quando (UTC)"),
    Column("size", "Amount", "Valor"),
    Column("total", "Total", "Total"),
    Column("quantity", "Quantity at this price", "Quantidade a este preço"),
)
LARGE_MULTIPLE: Final = Decimal(20)
SHOWN: Final = 12
"""So many purchases are listed."""


class Stand(NamedTuple):
    """A deal after its base order and some safety orders."""

    base: Quantity
    """Received, not rounded to lots."""
    cost: Amount
    bought: Quantity
    """As if there were no fees, as the next."""
    value: Amount


def preview(dca: Dca, price: Price, at_ms: int | None = None) -> Preview:
    """The bot as it would start at `price`; `at_ms`: now, for the next anchors. Raises `UnableToConfigure`."""
    start = dca.settings.start_price or price
    dca.check(start)
    return _deal(dca, start) if dca.settings.mode == "deal" else _accumulate(dca, start, at_ms)


def half_up(number: Decimal, step: Decimal) -> str:
    """`number` to the decimals of `step`, as people round."""
    return format(number.quantize(step, ROUND_HALF_UP), "f")


def stands(market: Market, sizes: Sizes, price: Price, rungs: tuple[Rung, ...]) -> list[Stand]:
    """The deal after each of its orders, with exact prices; the base order pays the taker's fee."""
    found = []
    base, cost, coins, value = ZERO, ZERO, ZERO, ZERO
    for size, deviation, fee in (
        (sizes.base_order, ZERO, market.taker_fee),
        *((rung.size, rung.deviation, market.maker_fee) for rung in rungs),
    ):
        bought = size / (price * (ONE - deviation))
        base += bought * (ONE - fee) if market.fee_in == "received" else bought
        cost += size if market.fee_in == "received" else size * (ONE + fee)
        coins, value = coins + bought, value + size
        found.append(Stand(base, cost, coins, value))
    return found


def target_of(settings: DcaSettings, market: Market, stand: Stand, base_order: Amount) -> Price:
    """The first take-profit's price, exactly."""
    profit = settings.goals[0].profit
    base, cost = stand.base * (ONE - market.maker_fee), stand.cost
    if settings.gross:
        base, cost = stand.bought, stand.value
    aim = cost + profit * base_order if settings.profit_from == "base_order" else cost * (ONE + profit)
    return aim / base


def ladder_rows(settings: DcaSettings, market: Market, sizes: Sizes, price: Price) -> tuple[Row, ...]:
    """The table of a ladder: each order with the deal's average after it."""
    rungs = ladder_of(settings, sizes, price, market)
    rows = []
    total = ZERO
    bases = [Rung(ZERO, sizes.base_order, price, market.quantity(sizes.base_order / price)), *rungs]
    for number, (rung, stand) in enumerate(zip(bases, stands(market, sizes, price, rungs), strict=True)):
        total += rung.size
        exact = price * (ONE - rung.deviation)
        rise = target_of(settings, market, stand, sizes.base_order) / exact - ONE
        breach = market.breach(rung.price, rung.quantity, market=not number)
        if breach is None and number <= settings.max_active and market.least_share is not None and number:
            far = rung.price < price * market.least_share
            breach = f"the exchange refuses buys below {text(market.least_share)} of the price" if far else None
        cells = (
            str(number),
            half_up(rung.size, CENT),
            half_up(total, CENT),
            half_up(rung.deviation * 100, CENT),
            half_up(exact, market.tick),
            half_up(stand.cost / stand.base, market.tick),
            half_up(rise * 100, CENT),
            text(rung.quantity),
            half_up(rung.quantity * rung.price, CENT),
        )
        rows.append(Row(cells, breach))
    return tuple(rows)


class Worst(NamedTuple):
    """How the deal stands when the price fell through its ladder."""

    filled: int
    """Safety orders that were bought."""
    price: Price
    """The last one's, or the stop."""
    loss: Amount


def worst_of(settings: DcaSettings, market: Market, sizes: Sizes, price: Price) -> Worst:
    """The loss at the last safety order or, where there is one, at the stop, after fees."""
    rungs = ladder_of(settings, sizes, price, market)
    steps = stands(market, sizes, price, rungs)
    if settings.stop_loss is None:
        last = rungs[-1].price if rungs else price
        return Worst(len(rungs), last, steps[-1].cost - steps[-1].base * last)
    for number, (base, cost, _, _) in enumerate(steps):
        reference = price if settings.stop_from == "base_order" else cost / base
        stop = market.price_down(reference * (ONE - settings.stop_loss))
        if number == len(rungs) or rungs[number].price <= stop:
            return Worst(number, stop, cost - base * stop * (ONE - market.taker_fee))
    raise AssertionError("the last step has no safety order after it")


def _fact(key: str, title: str, title_pt: str, value: Decimal | str, unit: str = "") -> Fact:
    return Fact(key, title, title_pt, value if isinstance(value, str) else text(value), unit)


def _deal(dca: Dca, price: Price) -> Preview:
    settings, market = dca.settings, dca.market
    sizes = order_sizes(settings, market, dca.investment, ZERO)
    rows = ladder_rows(settings, market, sizes, price)
    rungs = ladder_of(settings, sizes, price, market)
    total = required(settings.shape, *sizes)
    first = stands(market, sizes, price, ())[0]
    worst = worst_of(settings, market, sizes, price)
    quote = market.quote
    cover = max((rung.deviation for rung in rungs), default=ZERO)
    facts = [
        _fact("base_order", "Base order", "Ordem base", sizes.base_order, quote),
        _fact("required", "Needed in all", "Necessário ao todo", half_up(total, CENT), quote),
        _fact("multiple", "Times the base order", "Vezes a ordem base", half_up(total / sizes.base_order, CENT)),
        _fact("cover", "Covers a fall of", "Cobre uma queda de", half_up(cover * 100, CENT), "%"),
        _fact("free", "Left free", "Fica livre", half_up(dca.investment - market.needed(total), CENT), quote),
        _fact(
            "take_profit",
            "First take-profit",
            "Primeiro take-profit",
            market.price_up(target_of(settings, market, first, sizes.base_order)),
            quote,
        ),
        _fact("break_even", "Break-even rise", "Alta de equilíbrio", half_up(break_even_rise(market) * 100, CENT), "%"),
    ]
    if settings.stop_loss is None:
        loss = half_up(worst.loss, CENT)
        facts.append(_fact("loss_at_last", "Loss at the last order", "Perda na última ordem", loss, quote))
    else:
        facts.append(_fact("stop", "Stop after a straight fall", "Stop após queda direta", worst.price, quote))
        facts.append(_fact("loss_at_stop", "Loss at the stop", "Perda no stop", half_up(worst.loss, CENT), quote))
    return Preview(price, LADDER_COLUMNS, rows, tuple(facts), tuple(_deal_warnings(dca, sizes, price, worst)))


def _deal_warnings(dca: Dca, sizes: Sizes, price: Price, worst: Worst) -> list[str]:
    settings, market = dca.settings, dca.market
    count = settings.shape.safety_orders
    found = []
    if settings.stop_loss is None:
        found.append(
            f"There is no stop-loss: below {text(worst.price)} the bot has bought all it can, holds it and waits; "
            "the loss then grows with every further fall, and closed deals show nothing of it."
        )
    elif worst.filled < count:
        found.append(
            f"The stop at {text(worst.price)} comes before safety order {worst.filled + 1}: "
            f"in a straight fall {count - worst.filled} of {count} are never bought."
        )
    if count and multiple(settings.shape) > LARGE_MULTIPLE:
        found.append(
            f"The whole ladder is {half_up(multiple(settings.shape), CENT)} times the base order: "
            "a small profit is made often, and much money lies in one fall."
        )
    if settings.trailing is not None:
        first = stands(market, sizes, price, ())[0]
        turned = target_of(settings, market, first, sizes.base_order) * (ONE - settings.trailing)
        if turned * first.base * (ONE - market.taker_fee) <= first.cost:
            found.append(
                "If the price turns right at the take-profit, the trailing sale earns nothing or loses: "
                "trailing is too wide for this take-profit."
            )
    found += _stop_words(dca, price)
    if not count:
        found.append("There are no safety orders: after the base order the bot only waits for the take-profit.")
    return found


def _stop_words(dca: Dca, price: Price) -> list[str]:
    """Where the stop rests, and what that means while the computer sleeps."""
    settings = dca.settings
    if settings.stop_loss is None and settings.trailing is None and not settings.break_even:
        return []
    resting, slippage = bool(settings.goals) and settings.trailing is None, settings.max_slippage
    example, at_exchange = _first_stop(dca, price), dca.terms.at_exchange
    return [told(dca.market, example, at_exchange=at_exchange, take_profits=resting, slippage=slippage)]


def _first_stop(dca: Dca, price: Price) -> Example | None:
    """The stop of a deal that has bought its base order at `price`."""
    settings, market = dca.settings, dca.market
    if settings.stop_loss is None:
        return None
    base_order = order_sizes(settings, market, dca.investment, ZERO).base_order
    coins = market.quantity(market.quantity(base_order / price) * (ONE - market.most_base_fee))
    return Example(coins, market.price_down(price * (ONE - settings.stop_loss)))


def _accumulate(dca: Dca, price: Price, at_ms: int | None) -> Preview:
    settings, market, quote = dca.settings, dca.market, dca.market.quote
    most = budget(settings, dca.investment)
    facts = [_fact("budget", "Budget", "Orçamento", most, quote)]
    rows: list[Row] = []
    if settings.schedule is not None:
        amount = scheduled_amount(settings, dca.investment)
        buys = int(most // amount)
        facts += [
            _fact("amount", "Each purchase", "Cada compra", amount, quote),
            _fact("schedule", "Schedule", "Agenda", settings.schedule.words),
            _fact("buys", "Purchases in the budget", "Compras no orçamento", str(buys)),
        ]
        rows = _purchases(dca, price, at_ms, min(buys, SHOWN))
    if settings.drop is not None:
        trigger = market.price_down(price * (ONE - settings.drop))
        size = drop_amount(settings, dca.investment)
        facts.append(_fact("drop", "First drop bought at", "Primeira queda comprada em", trigger, quote))
        facts.append(_fact("drop_amount", "Each drop", "Cada queda", size, quote))
    warnings = []
    if settings.goals:
        target = market.price_up(target_of(settings, market, stands(market, Sizes(ONE, ONE), price, ())[0], ONE))
        facts.append(_fact("take_profit", "Take-profit now", "Take-profit agora", target, quote))
    else:
        warnings.append("Nothing is sold: the bot keeps what it buys until you stop it.")
    warnings += _stop_words(dca, price)
    return Preview(price, PURCHASE_COLUMNS if rows else (), tuple(rows), tuple(facts), tuple(warnings))


def _purchases(dca: Dca, price: Price, at_ms: int | None, count: int) -> list[Row]:
    """The next purchases, if the price stayed where it is."""
    settings, market = dca.settings, dca.market
    schedule = settings.schedule
    assert schedule is not None, "only a schedule has purchases to list"
    amount = scheduled_amount(settings, dca.investment)
    quantity: Quantity = market.quantity(amount / price)
    at, rows = at_ms, []
    for number in range(1, count + 1):
        if number == 1 and settings.first_now:
            when = "start"
        elif at is None:
            when = schedule.words
        else:
            at = next_anchor(schedule, at)
            when = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        cells = (str(number), when, half_up(amount, CENT), half_up(amount * number, CENT), text(quantity))
        rows.append(Row(cells, market.breach(price, quantity, market=True)))
    return rows

"""What a grid would do, told before any money moves: worked out by the code that will trade."""

from decimal import Decimal
from typing import Literal, NamedTuple

from autogrid.trading.market import Market, net_of
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, Share, text
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import Cell
from autogrid.trading.strategies.grid.sizing import (
    AHEAD,
    CENT,
    Sizes,
    break_even_step,
    check_start,
    kept_value,
    least_endless,
    least_investment,
    profit_range,
    sold_of,
)

NARROW: Decimal = Decimal("0.02")
"""A lot that is a larger share of a cell's quantity rounds too much away."""


class Line(NamedTuple):
    """One line of a grid at its start."""

    price: Price
    side: Literal["buy", "sell"] | None
    """None: the line that starts without an order, or a cell that waits."""
    quantity: Quantity
    value: Amount
    breach: str | None
    """The exchange's rule that the order would break."""


class GridPreview(NamedTuple):
    """A grid before it starts."""

    price: Price
    lines: tuple[Line, ...]
    """Highest first."""
    opening: Quantity
    """Base bought at market at the start."""
    opening_cost: Amount
    quote_left: Amount
    """Quote that rests in buys or in the reserve after the start."""
    quantity: Quantity
    """Of the lowest cell."""
    least_investment: Amount
    profit_low: Share
    profit_high: Share
    break_even: Share
    loss_at_lower: Amount
    """Equity less the investment with all cells bought, at the lowest line."""
    loss_at_stop: Amount | None
    equity_at: tuple[tuple[str, Price, Amount], ...]
    """Name of the price, the price, equity there."""
    warnings: tuple[str, ...]
    confirm: bool
    """Whether a person must confirm: almost everything would be spent at once."""


def preview(grid: Grid, price: Price) -> GridPreview:
    """The grid as it would start at `price`. Raises `UnableToConfigure`."""
    market, settings = grid.market, grid.settings
    start = settings.trigger_price or price
    if settings.endless:
        return _endless(grid, start)
    sizes = check_start(settings, grid.lines, market, grid.investment, start)
    own = settings.own_base or ZERO
    full = len(grid.lines) - 1 - sizes.empty
    bought = sizes.opening * full if settings.start == "market" else ZERO
    cost = bought * start * (ONE + market.quote_fee)
    low, high = profit_range(grid.lines, market.maker_fee)
    _, least = least_investment(settings, grid.lines, market, start)
    invested = grid.investment + own * start
    at_lower = equity_at(grid, sizes, grid.lines[0]) - invested
    stop = settings.stop_loss
    at_stop = None if stop is None else _stopped(grid, sizes, stop) - invested
    prices = (("lower", grid.lines[0]), ("start", start), ("upper", grid.lines[-1]))
    return GridPreview(
        price=start,
        lines=tuple(_lines(grid, sizes)),
        opening=bought,
        opening_cost=cost,
        quote_left=grid.investment - cost,
        quantity=sizes.buys[0],
        least_investment=least,
        profit_low=low,
        profit_high=high,
        break_even=break_even_step(market.maker_fee),
        loss_at_lower=at_lower,
        loss_at_stop=at_stop,
        equity_at=tuple((name, where, equity_at(grid, sizes, where)) for name, where in prices),
        warnings=tuple(_warnings(grid, sizes, low, start)),
        confirm=start < grid.lines[0] and settings.start == "market",
    )


def _endless(grid: Grid, start: Price) -> GridPreview:
    """An infinity grid as it would start at `start`: its buys, and the cells above that are open at first."""
    market, settings = grid.market, grid.settings
    sizes = check_start(settings, grid.lines, market, grid.investment, start)
    memory = grid.opened_at(start)
    cells = list(memory.cells.values())
    bought, cost, received = memory.opening.bought, memory.opening.paid, memory.opening.received
    quote = grid.investment - cost
    below, above = [c for c in cells if c.phase == "empty"], [c for c in cells if c.phase == "full"]
    spent = sum((c.quantity * c.floor * (ONE + market.quote_fee) for c in below), ZERO)
    gathered = sum((c.quantity * net_of(market.base_fee) for c in below), received)
    earned = sum((c.stock * c.roof * net_of(market.maker_fee) for c in above), ZERO)
    top = above[-1].roof if above else start
    left = received - sum((c.stock for c in above), ZERO)
    at_lower = quote - spent + gathered * cells[0].floor - grid.investment
    stop, at_stop = settings.stop_loss, None
    if stop is not None:
        fee = market.taker_fee if settings.on_exit == "sell" else ZERO
        at_stop = quote - spent + gathered * stop * net_of(fee) - grid.investment
    lines = [
        Line(c.floor, "buy", c.quantity, c.floor * c.quantity, _breach(grid, "buy", c.floor, c.quantity, start))
        for c in below
    ]
    lines.append(Line(_free_line(cells, below), None, ZERO, ZERO, None))
    lines += [
        Line(c.roof, "sell", c.stock, c.roof * c.stock, _breach(grid, "sell", c.roof, c.stock, start)) for c in above
    ]
    low, high = profit_range((cells[0].floor, *(c.roof for c in cells)), market.maker_fee)
    _, least = least_endless(settings, market, start)
    equities = (
        ("lower", cells[0].floor, quote - spent + gathered * cells[0].floor),
        ("start", start, quote + received * start),
        ("top", top, quote + earned + left * top),
    )
    return GridPreview(
        start, tuple(reversed(lines)), bought, cost, quote, sizes.buys[0], least, low, high,
        break_even_step(market.maker_fee), _cents(at_lower), None if at_stop is None else _cents(at_stop),
        tuple((name, where, _cents(worth)) for name, where, worth in equities),
        tuple(_endless_warnings(grid, sizes, low, start)), confirm=False,
    )  # fmt: skip


def _free_line(cells: list[Cell], below: list[Cell]) -> Price:
    """The line of an infinity grid that starts without an order."""
    return cells[len(below)].floor if len(below) < len(cells) else cells[-1].roof


def _cents(number: Amount) -> Amount:
    return number.quantize(Decimal("0.00000001"))


def _endless_warnings(grid: Grid, sizes: Sizes, low: Share, start: Price) -> list[str]:
    market, settings = grid.market, grid.settings
    value = kept_value(settings, market, grid.investment, start)
    found = (
        f"An infinity grid: coins worth {text(value.quantize(CENT))} {market.quote} are kept at every line; "
        f"above the price {AHEAD} sells are open at a time, and the next open as these fill."
    )
    return [found, *_common_warnings(grid, min(sizes.buys), sizes.empty + AHEAD, low)]


def _lines(grid: Grid, sizes: Sizes) -> list[Line]:
    waits = grid.settings.start == "wait"
    found = []
    for index in reversed(range(len(grid.lines))):
        price = grid.lines[index]
        side: Literal["buy", "sell"] | None = None
        quantity = ZERO
        if index < sizes.empty:
            side, quantity = "buy", sizes.buys[index]
        elif index > sizes.empty and not waits:
            side, quantity = "sell", _sold(grid, sizes)
        breach = None if side is None else _breach(grid, side, price, quantity, sizes.price)
        found.append(Line(price, side, quantity, price * quantity, breach))
    return found


def _sold(grid: Grid, sizes: Sizes) -> Quantity:
    own = grid.settings.start == "own"
    return sizes.opening if own else sold_of(sizes.opening, grid.market)


def _breach(grid: Grid, side: str, price: Price, quantity: Quantity, reference: Price) -> str | None:
    """The exchange's rule that such an order would break."""
    return grid.market.breach(price, quantity) or _far(grid.market, side, price, reference)


def _far(market: Market, side: str, price: Price, reference: Price) -> str | None:
    if side == "buy" and market.least_share is not None and price < reference * market.least_share:
        return f"the exchange refuses buys below {text(market.least_share)} of the price"
    if side == "sell" and market.most_share is not None and price > reference * market.most_share:
        return f"the exchange refuses sells above {text(market.most_share)} of the price"
    return None


def equity_at(grid: Grid, sizes: Sizes, price: Price) -> Amount:
    """Equity if the price went straight from the start to `price`, fees taken off, no exit fee."""
    settings, market = grid.settings, grid.market
    full = len(grid.lines) - 1 - sizes.empty
    quote, base = grid.investment, settings.own_base or ZERO
    if settings.start == "market" and full:
        quote -= full * sizes.opening * sizes.price * (ONE + (ZERO if market.base_fee else market.taker_fee))
        base += full * sizes.opening * net_of(market.taker_fee if market.base_fee else ZERO)
    if price < sizes.price:
        for index in range(sizes.empty):
            if grid.lines[index] >= price:
                quote -= sizes.buys[index] * grid.lines[index] * (ONE + (ZERO if market.base_fee else market.maker_fee))
                base += sizes.buys[index] * net_of(market.base_fee)
    elif settings.start != "wait":
        for index in range(sizes.empty, len(grid.lines) - 1):
            if grid.lines[index + 1] <= price:
                sold = _sold(grid, sizes)
                quote += sold * grid.lines[index + 1] * net_of(market.maker_fee)
                base -= sold
    return (quote + base * price).quantize(Decimal("0.00000001"))


def _stopped(grid: Grid, sizes: Sizes, stop: Price) -> Amount:
    """Equity after the stop-loss sold everything at its price."""
    equity = equity_at(grid, sizes, stop)
    if grid.settings.on_exit == "hold":
        return equity
    loading = ONE + grid.market.quote_fee
    spent = sum((sizes.buys[i] * grid.lines[i] for i in range(sizes.empty)), ZERO) * loading
    full = len(grid.lines) - 1 - sizes.empty
    opening = full * sizes.opening * sizes.price * loading if grid.settings.start == "market" else ZERO
    quote = grid.investment - spent - opening
    return equity - (equity - quote) * grid.market.taker_fee


def _warnings(grid: Grid, sizes: Sizes, low: Share, start: Price) -> list[str]:
    settings, market, lines = grid.settings, grid.market, grid.lines
    found = []
    if start > lines[-1]:
        found.append("The price is above the range: all cells wait to buy, nothing happens until it falls into it.")
    if start < lines[0]:
        found.append(
            "The price is below the range: almost all of the investment is spent at once, and only rising prices sell."
        )
    found += _common_warnings(grid, min(sizes.buys), settings.grids, low)
    if settings.reverse:
        found.append(
            f"A reverse grid: its profit is in {market.base}. A round trip's figure is a share of the coins it sold; "
            f"coins gained are kept aside and not sold again by a cell."
        )
    if settings.trailing_up:
        limit = settings.trailing_up_limit
        to = "without a limit" if limit is None else f"up to {text(limit)}"
        found.append(f"The range follows a rising price, {to}: the lowest buy goes, a buy opens on top.")
    if settings.trailing_down:
        found.append(_down(grid, sizes))
    return found


def _down(grid: Grid, sizes: Sizes) -> str:
    """How far trailing down reaches with what is not placed at the start."""
    own = grid.settings.start == "own"
    value = max(quantity * floor for quantity, floor in zip(sizes.buys, grid.lines[:-1], strict=True))
    placed = value * (sizes.empty if own else len(sizes.buys)) * (ONE + grid.market.quote_fee)
    more = max(int((grid.investment - placed) / (value * (ONE + grid.market.quote_fee))), 0)
    return (
        f"Below the range lines are added while quote remains: the reserve pays for {more} at first, profit for more. "
        "A larger reserve pays for more of them."
    )


def _common_warnings(grid: Grid, smallest: Quantity, orders: int, low: Share) -> list[str]:
    """What every kind of grid is warned of. `low` is the smallest profit of a round trip, as a share."""
    settings, market = grid.settings, grid.market
    found = []
    if low < 2 * market.maker_fee:
        found.append(
            f"The smallest step earns {text((low * 100).quantize(Decimal('0.001')))} % after fees, less than two fees."
        )
    if market.lot > NARROW * smallest:
        found.append("One lot is more than 2 % of a cell's quantity: rounding takes a visible share.")
    if market.max_orders is not None and orders > market.max_orders * Decimal("0.8"):
        found.append(f"{orders} orders are above 80 % of the {market.max_orders} that the exchange allows.")
    if settings.stop_loss is None:
        found.append("There is no stop-loss: below the range the bot holds all coins it bought.")
    elif settings.stop_for:
        found.append(
            f"The stop-loss waits {settings.stop_for} s: a fall that goes on meanwhile costs more than the figure says."
        )
    return found

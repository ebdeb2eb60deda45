"""From what a run left behind to its figures: the one place where a backtest's result is worked out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np

from autogrid.backtesting.curve import Curve, Standing, draw
from autogrid.backtesting.result import FillRow, Result
from autogrid.backtesting.tapes import Tape
from autogrid.trading.event import Cancelled, Event, Filled
from autogrid.trading.ledger import Ledger
from autogrid.trading.market import QUOTE, RECEIVED, Market
from autogrid.trading.money import ONE, UNIT, ZERO, Amount, Price, Quantity, text
from autogrid.trading.performance import performance, round_trips
from autogrid.trading.plan import Command, Place
from autogrid.trading.state import BotState
from autogrid.trading.strategies.strategy import Tally


class Kept(Protocol):
    """A journal's row, as far as the figures need it."""

    @property
    def event(self) -> Event:
        """What happened."""
        ...

    @property
    def commands(self) -> tuple[Command, ...]:
        """What the bot did then."""
        ...

    @property
    def quote(self) -> Amount:
        """All the quote it owned then."""
        ...

    @property
    def base(self) -> Quantity:
        """All the base it owned then."""
        ...

    @property
    def fee_value(self) -> Amount:
        """In quote: what fees in third assets had taken by then."""
        ...

    @property
    def tally(self) -> Tally:
        """What it had earned by then."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run of one bot over one tape."""

    market: Market
    tape: Tape
    investment: Amount
    first: Ledger
    """As it was before the first price."""
    start_price: Price
    """P0: the price at which the bot's first orders were reckoned."""
    rows: Sequence[Kept]
    last: BotState


def result_of(run: Run, lines: tuple[Price, ...], facts: dict[str, object]) -> Result:
    """The result of `run`: its figures with `facts` (strategy, market, config, candles, …) beside them."""
    tape, market = run.tape, run.market
    fills = list(_fills(run))
    standings = [Standing(0, run.start_price, run.first.quote, run.first.base)]
    standings += [Standing(fill.row, fill.price, fill.quote, fill.base) for fill in fills]
    bounds = (lines[0], lines[-1]) if lines and not run.last.strategy.moves else (None, None)
    curve = draw(tape.times, tape.prices, tape.unit, tape.interval_ms, standings, bounds)
    profits = [fill.shown.profit for fill in fills if fill.shown.profit is not None]
    summary = {**figures(run, curve, profits), **facts}
    prices = tape.prices.astype(np.float64) * float(tape.unit)
    own = run.first.base
    units = hold_quantity(run.investment, run.start_price, market) + own
    return Result(
        summary=summary,
        fills=tuple(fill.shown for fill in fills),
        lines=lines,
        times=curve.times,
        prices=prices,
        equity=curve.equity,
        holding=prices[:, 3] * float(units) + float(run.first.quote - run.investment),
        drawdown=curve.drawdown,
    )


def figures(run: Run, curve: Curve, profits: Sequence[Amount]) -> dict[str, object]:
    """The figures of the JSON contract; money as text, shares and ratios as numbers."""
    ledger, market = run.last.ledger, run.market
    price = Decimal(int(run.tape.prices[-1, 3])) * run.tape.unit
    tally = run.last.strategy.tally(run.last.memory)
    total = ledger.profit(price)
    start = run.first.equity(run.start_price)
    days = performance(curve.daily, curve.max_drawdown)
    trips = round_trips(profits)
    commands = Counter(type(command) for row in run.rows for command in row.commands)
    return {
        "fills": sum(type(row.event) is Filled for row in run.rows),
        "round_trips": tally.round_trips,
        "orders_placed": commands[Place],
        "orders_cancelled": sum(type(row.event) is Cancelled for row in run.rows),
        "fees": {asset: text(fee) for asset, fee in ledger.fees(market).items()},
        "base": text(ledger.base),
        "quote": text(ledger.quote),
        "equity_start": text(start),
        "equity_end": text(ledger.equity(price)),
        "total_profit": text(total),
        "grid_profit": text(tally.profit),
        "trend_profit": text(total - tally.profit),
        "hold_profit": text(hold_profit(run, price)),
        "return": float(total / start) if start else 0.0,
        "cagr": days.cagr,
        "max_drawdown": curve.max_drawdown,
        "max_drawdown_days": curve.max_drawdown_days,
        "sharpe": days.sharpe,
        "sortino": days.sortino,
        "calmar": days.calmar,
        "volatility": days.volatility,
        "exposure": curve.exposure,
        "profit_factor": trips.profit_factor,
        "win_rate": trips.win_rate,
        "avg_win": None if trips.avg_win is None else text(trips.avg_win),
        "avg_loss": None if trips.avg_loss is None else text(trips.avg_loss),
        "best_day": days.best_day,
        "worst_day": days.worst_day,
        "time_in_range": curve.time_in_range,
        "open_position": open_position(ledger, price, market),
    }


def open_position(ledger: Ledger, price: Price, market: Market) -> dict[str, str] | None:
    """What is still held in coins, what it cost and what it is worth, as text; None where it is less than a lot."""
    if ledger.base < market.lot:
        return None
    value = ledger.base * price
    return {
        "base": text(ledger.base),
        "cost": text(ledger.cost.quantize(UNIT)),
        "average_cost": text((ledger.cost / ledger.base).quantize(UNIT)),
        "value": text(value),
        "unrealised": text((value - ledger.cost).quantize(UNIT)),
    }


def hold_quantity(investment: Amount, price: Price, market: Market) -> Decimal:
    """Base that all of the investment buys at `price`, after the taker fee, on the lot."""
    if market.fee_in == RECEIVED:
        return market.quantity(investment * (ONE - market.taker_fee) / price)
    if market.fee_in == QUOTE:
        return market.quantity(investment / (ONE + market.taker_fee) / price)
    return market.quantity(investment / price)


def hold_profit(run: Run, price: Price) -> Amount:
    """What simply holding from the start would have made: the investment turned into base, own base kept.

    Nothing, where the bot never started.
    """
    if run.last.strategy.start_price(run.last.memory) is None:
        return ZERO
    bought = hold_quantity(run.investment, run.start_price, run.market) * price - run.investment
    return bought + run.first.base * (price - run.start_price)


class _Fill(NamedTuple):
    row: int
    price: Price
    quote: Amount
    base: Quantity
    shown: FillRow


def _fills(run: Run) -> Iterable[_Fill]:
    """Every fill with the candle it happened in and the round trip it closed."""
    placed: dict[str, Place] = {}
    rows = [row for row in run.rows if type(row.event) is Filled]
    for row in run.rows:
        placed |= {command.order.id: command for command in row.commands if type(command) is Place}
    times = np.fromiter((row.event.at_ms for row in rows), np.int64, len(rows))
    candles = np.searchsorted(run.tape.times, times, side="right") - 1
    earned, trips = ZERO, 0
    for row, candle in zip(rows, candles.tolist(), strict=True):
        fill = row.event
        assert isinstance(fill, Filled)
        now = row.tally
        profit = now.profit - earned if now.round_trips > trips else None
        earned, trips = now.profit, now.round_trips
        place = placed[fill.order_id]
        order = place.order
        shown = FillRow(
            fill.at_ms,
            order.side,
            fill.price,
            fill.quantity,
            fill.fee,
            fill.fee_asset,
            _shown(order.slot),
            profit,
            place.why,
        )
        yield _Fill(candle, fill.price, row.quote - row.fee_value, row.base, shown)


def _shown(slot: str) -> str:
    """A slot as people read it: a grid's cell and cycle, both counted from one; any other as it is."""
    name, _, rest = slot.rpartition("-")
    if rest[:-1].isdigit() and rest[-1] in "bs" and name.lstrip("-").isdigit():
        return f"{int(name) + 1}.{int(rest[:-1]) + 1}"
    return name if name in ("open", "exit") else slot

"""The stops of a grid: at a price (at once or after a while), and at a total profit or loss.

Total profit is equity less all that was put in, with no fee for a sale that has not happened. While the bot's coins and
quote stay as they are it depends on the price alone, so it is met at one price, which a fill moves.
"""

from decimal import Decimal
from typing import Final

from autogrid.trading.ledger import Ledger
from autogrid.trading.money import Price, text
from autogrid.trading.strategies.grid.config import GridSettings
from autogrid.trading.strategies.grid.memory import GridMemory
from autogrid.trading.strategies.strategy import View

LEAST: Final = Decimal("1e-18")
"""No price is finer: a price above another is above it by at least this, on the tick or not."""


def watched(memory: GridMemory, settings: GridSettings, stop: Price | None, view: View) -> GridMemory:
    """`memory` with the time since when the price is at or below `stop`, where a stop waits."""
    if not settings.stop_for:
        return memory
    since = memory.extras.beyond_ms
    if stop is None or view.price > stop:
        beyond_ms = None
    else:
        beyond_ms = view.at_ms if since is None else since
    return memory if beyond_ms == since else memory._replace(extras=memory.extras._replace(beyond_ms=beyond_ms))


def reason(memory: GridMemory, settings: GridSettings, stop: Price | None, view: View) -> str:
    """Why the grid must end now, for a person; the empty text where it need not. `stop` is where stop-loss stands."""
    price, since = view.price, memory.extras.beyond_ms
    if stop is not None and price <= stop and not settings.stop_for:
        return f"stop-loss at {text(stop)}"
    if stop is not None and since is not None and view.at_ms >= since + settings.stop_for * 1_000:
        return f"stop-loss at {text(stop)}, for {settings.stop_for} s"
    if settings.take_profit is not None and price >= settings.take_profit:
        return f"take-profit at {text(settings.take_profit)}"
    funds, profit = view.ledger.funded_value, view.ledger.profit(price)
    if funds <= 0:
        return ""
    share = settings.total_profit_stop
    if share is not None and profit >= share * funds:
        return f"total profit of {text(share * 100)} % reached"
    share = settings.total_loss_stop
    if share is not None and profit <= -share * funds:
        return f"total loss of {text(share * 100)} % reached"
    return ""


def floors(memory: GridMemory, settings: GridSettings, stop: Price | None, ledger: Ledger) -> list[Price]:
    """Prices at or below which a stop must be looked at."""
    found = [] if stop is None or memory.extras.beyond_ms is not None else [stop]
    if settings.total_loss_stop is not None and ledger.base and ledger.funded_value > 0:
        found.append(_price_of(ledger, -settings.total_loss_stop * ledger.funded_value))
    return found


def roofs(memory: GridMemory, settings: GridSettings, stop: Price | None, ledger: Ledger) -> list[Price]:
    """Prices at or above which a stop must be looked at."""
    found = [] if settings.take_profit is None else [settings.take_profit]
    if stop is not None and memory.extras.beyond_ms is not None:
        found.append(stop + LEAST)
    if settings.total_profit_stop is not None and ledger.base and ledger.funded_value > 0:
        found.append(_price_of(ledger, settings.total_profit_stop * ledger.funded_value))
    return found


def until_ms(memory: GridMemory, settings: GridSettings) -> int | None:
    """When a stop that waits has waited long enough."""
    since = memory.extras.beyond_ms
    return None if since is None else since + settings.stop_for * 1_000


def _price_of(ledger: Ledger, profit: Decimal) -> Price:
    """The price at which the total profit is that much."""
    return (profit + ledger.funded_value + ledger.fee_value - ledger.quote) / ledger.base

"""Previews as a person asks for them: a strategy at a price, told before any money moves."""

from decimal import Decimal

from autogrid.services.backtests import check_investment, effective, market_facts
from autogrid.trading.market import Market
from autogrid.trading.money import Amount, Price, text
from autogrid.trading.strategies.catalogue import build, entry
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.trading.strategies.grid.preview import GridPreview
from autogrid.trading.strategies.preview import Preview


def preview_of(
    strategy: str, config: dict[str, str], market: Market, investment: Amount, price: Price
) -> GridPreview | Preview:
    """The preview of `strategy` at `price`. Raises `UnableToConfigure`."""
    check_investment(investment)
    if price <= 0:
        raise UnableToConfigure("price", f"price is {text(price)}; it must be above 0")
    found = entry(strategy).preview(build(strategy, config, market, investment), price)
    assert isinstance(found, GridPreview | Preview), f"the preview of {strategy} is none"
    return found


def preview_json(
    strategy: str, config: dict[str, str], market: Market, investment: Amount, shown: GridPreview | Preview
) -> dict[str, object]:
    """A preview as JSON; money as text, shares as fractions in text."""
    return {
        "strategy": strategy,
        "market": market_facts(market),
        "config": effective(strategy, config),
        "investment": text(investment),
        "price": text(shown.price),
        **(_grid_json(shown) if isinstance(shown, GridPreview) else _table_json(shown)),
        "warnings": list(shown.warnings),
        "needs_confirmation": shown.confirm,
    }


def _table_json(shown: Preview) -> dict[str, object]:
    """Each row with its cells by the columns' keys; each fact by its key."""
    keys = [column.key for column in shown.columns]
    return {
        "rows": [
            {**dict(zip(keys, row.cells, strict=True)), "passes": row.breach is None, "breach": row.breach}
            for row in shown.rows
        ],
        "facts": {fact.key: {"value": fact.value, "unit": fact.unit} for fact in shown.facts},
    }


def _grid_json(shown: GridPreview) -> dict[str, object]:
    return {
        "lines": [
            {
                "price": text(line.price),
                "side": line.side,
                "quantity": text(line.quantity),
                "value": text(line.value),
                "passes": line.breach is None,
                "breach": line.breach,
            }
            for line in shown.lines
        ],
        "opening_quantity": text(shown.opening),
        "opening_cost": text(shown.opening_cost),
        "quote_left": text(shown.quote_left),
        "quantity": text(shown.quantity),
        "least_investment": text(shown.least_investment),
        "profit_per_grid": {"lowest": share(shown.profit_low), "highest": share(shown.profit_high)},
        "break_even_step": share(shown.break_even),
        "loss_at_lower": text(shown.loss_at_lower),
        "loss_at_stop": None if shown.loss_at_stop is None else text(shown.loss_at_stop),
        "equity": {name: {"price": text(where), "equity": text(worth)} for name, where, worth in shown.equity_at},
    }


def share(number: Decimal) -> str:
    """A fraction to eight decimals, as text."""
    return text(number.quantize(Decimal("0.00000001")))

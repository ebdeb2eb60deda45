"""The rules an exchange sets for orders on a spot market, read from what ccxt tells of it.

Where the exchange's own filters came along (Binance), they are read: they are text, and say more than ccxt's table.
MEXC has no filters: tick and lot are its precisions, and its `baseSizePrecision`, which may be 0, is the least
quantity. Bybit has its figures in ccxt's table, and its cap on open orders in its documents only.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import ccxt

from autogrid.exchanges.candle_download import UnableToDownload
from autogrid.exchanges.market_cache import UnableToFindMarket
from autogrid.exchanges.public_client import exact, public_client
from autogrid.trading.market import QUOTE, RECEIVED, Market, Stops
from autogrid.trading.money import ZERO, Share, UnableToReadFigure, text

DEFAULT_FEE: Final = Decimal("0.001")
"""Where the exchange tells no fee: what the dearest of Binance, Bybit and MEXC takes."""
MOST_ORDERS: Final = {"bybit": 500}
"""Open orders an account may have, where the exchange's answers do not say. Source: its documents."""
STOPS: Final[Mapping[str, Stops]] = {"binance": "oco", "bybit": "stop"}
"""What rests there on spot to sell when the price falls. Bybit: a conditional order that holds the coins (tpslOrder),
and no oco over its API; MEXC: none. Source: their documents."""
FEES_IN_QUOTE: Final = frozenset({"mexc"})
"""Where a buy, too, pays its fee in quote. Source: trades of MEXC's buys that others recorded from 2022 to 2025."""
Filters = Mapping[str, Mapping[str, Any]]


async def fetch_market(exchange_id: str, symbol: str, client_factory: Callable[[str], Any] = public_client) -> Market:
    """The rules of `symbol` now. Raises UnableToFindMarket."""
    markets = await _markets(exchange_id, client_factory)
    told = markets.get(symbol)
    if told is None or not told.get("spot", True):
        spot = [name for name, its in markets.items() if its.get("spot", True)]
        near = _nearest(symbol.upper(), spot)
        raise UnableToFindMarket("unknown_symbol", f"{exchange_id} has no spot market '{symbol}'{near}.")
    if told.get("active") is False:
        raise UnableToFindMarket("halted", _halted(exchange_id, symbol, told.get("info") or {}))
    return market_from(told, exchange_id)


def market_from(ccxt_market: Mapping[str, Any], exchange_id: str = "") -> Market:
    """A ccxt market, its precisions being steps (TICK_SIZE), as ours.

    Raises UnableToFindMarket (`bad_answer`) where tick or lot are missing, or a figure is none.
    """
    symbol = str(ccxt_market.get("symbol"))
    try:
        return _read(ccxt_market, exchange_id)
    except (UnableToReadFigure, KeyError) as error:
        raise UnableToFindMarket(
            "bad_answer", f"{exchange_id or 'The exchange'} tells rules of {symbol} that are none: {error}."
        ) from None


async def _markets(exchange_id: str, client_factory: Callable[[str], Any]) -> Mapping[str, Any]:
    try:
        client = client_factory(exchange_id)
    except UnableToDownload as error:
        raise UnableToFindMarket(error.code, error.sentence) from None
    try:
        markets: Mapping[str, Any] = await client.load_markets()
    except ccxt.NetworkError as error:
        raise UnableToFindMarket(
            "exchange_away", f"{exchange_id} cannot be reached, try again later: {_short(error)}."
        ) from error
    except ccxt.BaseError as error:
        raise UnableToFindMarket(
            "exchange_refused", f"{exchange_id} refuses to tell its markets: {_short(error)}."
        ) from error
    finally:
        await client.close()
    if client.precisionMode != ccxt.TICK_SIZE:
        raise UnableToFindMarket(
            "bad_answer",
            f"{exchange_id} tells its precision in digits, not in steps; give --tick and --lot by hand.",
        )
    return markets


def _read(told: Mapping[str, Any], exchange_id: str) -> Market:
    info = told.get("info")
    filters = _filters(info if isinstance(info, Mapping) else {})
    precision, limits = told.get("precision") or {}, told.get("limits") or {}
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    price_filter, lot_filter = filters.get("PRICE_FILTER", {}), filters.get("LOT_SIZE", {})
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    least_share, most_share = _shares(filters)
    return Market(
        base=told["base"],
        quote=told["quote"],
        tick=_step("tick", price_filter.get("tickSize"), precision.get("price")),
        lot=_step("lot", lot_filter.get("stepSize"), precision.get("amount")),
        min_notional=_first(notional.get("minNotional"), cost.get("min")) or ZERO,
        maker_fee=_fee(told.get("maker")),
        taker_fee=_fee(told.get("taker")),
        fee_in=QUOTE if told.get("feeSide") == "quote" or exchange_id in FEES_IN_QUOTE else RECEIVED,
        min_quantity=_first(lot_filter.get("minQty"), amount.get("min")) or ZERO,
        max_quantity=_cap(lot_filter.get("maxQty"), amount.get("max")),
        max_orders=_most_orders(filters, exchange_id),
        least_share=least_share,
        most_share=most_share,
        stops=_stops(info if isinstance(info, Mapping) else {}, exchange_id),
    )


def _filters(info: Mapping[str, Any]) -> Filters:
    """Binance's list of filters by their type; MEXC's is empty, others have none."""
    listed = info.get("filters")
    if not isinstance(listed, list):
        return {}
    return {str(one.get("filterType")): one for one in listed if isinstance(one, Mapping)}


def _shares(filters: Filters) -> tuple[Share | None, Share | None]:
    """Below which share of the price a buy, above which a sell is refused."""
    sides = filters.get("PERCENT_PRICE_BY_SIDE", {})
    both = filters.get("PERCENT_PRICE", {})
    least = _first(sides.get("bidMultiplierDown"), both.get("multiplierDown"))
    most = _first(sides.get("askMultiplierUp"), both.get("multiplierUp"))
    return least, most


def _most_orders(filters: Filters, exchange_id: str) -> int | None:
    most = _first(filters.get("MAX_NUM_ORDERS", {}).get("maxNumOrders"))
    return MOST_ORDERS.get(exchange_id) if most is None else int(most)


def _stops(info: Mapping[str, Any], exchange_id: str) -> Stops:
    """What the exchange has, unless it says that this symbol takes none (Binance)."""
    types = info.get("orderTypes")
    if isinstance(types, list) and "STOP_LOSS_LIMIT" not in types:
        return "none"
    found = STOPS.get(exchange_id, "none")
    return "stop" if found == "oco" and info.get("ocoAllowed") is False else found


def _step(name: str, *told: object) -> Decimal:
    step = _first(*told)
    if step is None:
        raise UnableToReadFigure(f"there is no {name}")
    return step


def _first(*told: object) -> Decimal | None:
    """The first figure above zero, without trailing zeros; exchanges send 0 for what they do not limit."""
    figures = (exact(one) for one in told)
    return next((Decimal(text(one)) for one in figures if one is not None and one > 0), None)


def _cap(*told: object) -> Decimal | None:
    """As `_first`; a cap too large to be a figure of money is none."""
    try:
        return _first(*told)
    except UnableToReadFigure:
        return None


def _fee(told: object) -> Share:
    """A rate; a rebate counts as nothing."""
    fee = exact(told)
    return DEFAULT_FEE if fee is None else Decimal(text(max(ZERO, fee)))


def _halted(exchange_id: str, symbol: str, info: Mapping[str, Any]) -> str:
    if info.get("isSpotTradingAllowed") is False:
        why = "is not open to programs there"
    else:
        status = info.get("status")
        why = f"is halted there{f' (its status is {status})' if status else ''}"
    return f"{exchange_id} lists {symbol}, but it {why}; choose another market or try later."


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=3)
    return f"; did you mean {' or '.join(near)}" if near else ""


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__

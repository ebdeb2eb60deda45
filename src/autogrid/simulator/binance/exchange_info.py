"""The markets' rules as exchangeInfo tells them."""

import json
from decimal import Decimal
from typing import Final

from autogrid.simulator.binance.refusals import UnableToAnswer
from autogrid.simulator.binance.venue import BAD_SYMBOL, Asked, Venue
from autogrid.simulator.binance.wire import STP, figure, wire_symbol
from autogrid.trading.market import Market
from autogrid.trading.money import text

MOST_PRICE: Final = Decimal(1_000_000)
"""The highest price, in ticks of ordinary size; a market of finer tick has a lower one."""
MOST_QUANTITY: Final = Decimal(9_000_000)
MOST_VALUE: Final = Decimal(9_000_000)
MOST_STOPS: Final = 5
"""Stops that may wait on one market (MAX_NUM_ALGO_ORDERS)."""
MOST_ORDERS: Final = 200
ORDER_TYPES: Final = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT")


def exchange_info(asked: Asked) -> dict[str, object]:
    """GET exchangeInfo: all markets, or those of `symbol` or `symbols`."""
    params, venue = asked.params, asked.venue
    params.ignore("permissions", "showPermissionSets", "symbolStatus")
    one, several = params.optional("symbol"), params.optional("symbols")
    if several is not None:
        symbols = [venue.symbol(str(name)) for name in names_in(several)]
    else:
        symbols = list(venue.world.markets) if one is None else [venue.symbol(one)]
    return {
        "timezone": "UTC",
        "serverTime": venue.world.now_ms(),
        "rateLimits": [
            *venue.limits.told(ordering=True, counted=False),
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(venue, symbol) for symbol in symbols],
    }


def names_in(told: str) -> list[object]:
    """A list of symbols as JSON. Raises UnableToAnswer."""
    try:
        names = json.loads(told)
    except ValueError:
        names = None
    if not isinstance(names, list) or not names:
        raise UnableToAnswer(*BAD_SYMBOL)
    return names


def _symbol(venue: Venue, symbol: str) -> dict[str, object]:
    market = venue.market(symbol)
    return {
        "symbol": wire_symbol(symbol),
        "status": "BREAK" if venue.world.is_halted(symbol) else "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": STP,
        "allowedSelfTradePreventionModes": [STP],
    }


def _filters(market: Market) -> list[dict[str, object]]:
    most = market.max_quantity or MOST_QUANTITY
    least = max(market.min_quantity, market.lot)
    told: list[dict[str, object]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": figure(market.tick),
            "maxPrice": figure(MOST_PRICE),
            "tickSize": figure(market.tick),
        },
        {"filterType": "LOT_SIZE", "minQty": figure(least), "maxQty": figure(most), "stepSize": figure(market.lot)},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": figure(Decimal(0)),
            "maxQty": figure(most),
            "stepSize": figure(Decimal(0)),
        },
    ]
    if market.least_share is not None or market.most_share is not None:
        up, down = text(market.most_share or Decimal(1000)), text(market.least_share or Decimal(0))
        told.append(
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": up,
                "bidMultiplierDown": down,
                "askMultiplierUp": up,
                "askMultiplierDown": down,
                "avgPriceMins": 5,
            }
        )
    told += [
        {
            "filterType": "NOTIONAL",
            "minNotional": figure(market.min_notional),
            "applyMinToMarket": True,
            "maxNotional": figure(MOST_VALUE),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": market.max_orders or MOST_ORDERS},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MOST_STOPS},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]
    return told

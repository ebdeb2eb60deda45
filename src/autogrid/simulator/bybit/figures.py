"""Orders, trades and balances as Bybit writes them: every field that it sends, figures and most times as text."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from autogrid.simulator.bybit.tickets import Ticket
from autogrid.simulator.records import Holding, SimTrade
from autogrid.simulator.world import World
from autogrid.trading.money import UNIT, ZERO, text

Json: TypeAlias = dict[str, object]

FIRST_TRADE: Final = 2_290_000_000_000_000_000
TRADES_A_MARKET: Final = 10**12
"""Trade ids are 19 digits; the world's rise within a market, Bybit's are its own for each market."""
FIRST_SEQUENCE: Final = 157_000_000_000
FAST_FIELDS: Final = (
    "category",
    "symbol",
    "execId",
    "execPrice",
    "execQty",
    "orderId",
    "isMaker",
    "orderLinkId",
    "side",
    "execTime",
    "seq",
)
DOLLARS: Final = ("USDT", "USDC", "USD")
TIMES_IN_FORCE: Final = {"maker": "PostOnly", "ioc": "IOC", "fok": "FOK", "market": "IOC", "stop": "IOC"}
"""By the world's type of order; any other is good till cancelled."""


def market_name(symbol: str) -> str:
    """BTC/USDT as BTCUSDT."""
    return symbol.replace("/", "")


def own_symbol(world: World, name: object) -> str:
    """BTCUSDT as BTC/USDT; empty where there is no such market."""
    return next((symbol for symbol in world.markets if market_name(symbol) == name), "")


def trade_id(world: World, symbol: str, number: int) -> str:
    """Of a public or own trade."""
    place = list(world.markets).index(symbol)
    return str(FIRST_TRADE + place * TRADES_A_MARKET + number)


def order_status(ticket: Ticket) -> str:
    """Such as `New`. An order to buy for an amount of quote ends part-filled where the amount did not come out even."""
    order = ticket.order
    rest = order.quote_quantity and order.value < order.quote_quantity
    match order.status:
        case "new":
            return "Untriggered" if order.waiting else "New"
        case "partial":
            return "PartiallyFilled"
        case "filled":
            return "PartiallyFilledCanceled" if rest else "Filled"
        case "rejected":
            return "Rejected"
        case _:
            if order.filled:
                return "PartiallyFilledCanceled"
            return "Deactivated" if ticket.trigger is not None and not ticket.triggered else "Cancelled"


def reject_reason(ticket: Ticket) -> str:
    """Why an order ended, where it did not end by trading."""
    order = ticket.order
    match order.status:
        case "rejected":
            return order.why if order.why.startswith("EC_") else "EC_Others"
        case "cancelled":
            return "EC_PerCancelRequest"
        case "expired":
            return "EC_CancelForNoFullFill" if order.filled or order.type == "market" else "EC_NoImmediateQtyToFill"
        case _:
            return "EC_CancelForNoFullFill" if order_status(ticket) == "PartiallyFilledCanceled" else "EC_NoError"


def order_row(ticket: Ticket) -> Json:
    """An order, as the order stream tells it."""
    order = ticket.order
    by_value = bool(order.quote_quantity)
    is_market = order.type in ("market", "stop")
    left = order.left if order.is_open and not by_value else ZERO
    left_value = order.quote_quantity - order.value if by_value else left * order.price
    fees = fees_of(order.trades)
    return {
        "category": "spot",
        "symbol": market_name(order.symbol),
        "orderId": ticket.order_id,
        "orderLinkId": order.client_id,
        "blockTradeId": "",
        "side": order.side.capitalize(),
        "positionIdx": 0,
        "orderStatus": order_status(ticket),
        "cancelType": "CancelByUser" if order.status == "cancelled" else "UNKNOWN",
        "rejectReason": reject_reason(ticket),
        "timeInForce": ticket.time_in_force or TIMES_IN_FORCE.get(order.type, "GTC"),
        "isLeverage": "0",
        "price": text(order.price),
        "qty": text(order.quote_quantity if by_value else order.quantity),
        "avgPrice": text((order.value / order.filled).quantize(UNIT)) if order.filled else "",
        "leavesQty": text(left),
        "leavesValue": text(left_value),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.value),
        "cumExecFee": text(sum(fees.values(), ZERO)),
        "orderType": "Market" if is_market else "Limit",
        "stopOrderType": stop_type(ticket),
        "orderIv": "",
        "triggerPrice": text(ticket.trigger or ZERO),
        "takeProfit": "0",
        "stopLoss": "0",
        "triggerBy": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "placeType": "",
        "lastPriceOnCreated": text(ticket.last_price),
        "closeOnTrigger": False,
        "reduceOnly": False,
        "smpGroup": "0",
        "smpType": "None",
        "smpOrderId": "",
        "slLimitPrice": "0",
        "tpLimitPrice": "0",
        "marketUnit": ticket.market_unit,
        "createdTime": str(ticket.made_ms),
        "updatedTime": str(order.changed_ms),
        "feeCurrency": next(iter(fees), ""),
        "slippageTolerance": "",
        "slippageToleranceType": "UNKNOWN",
        "cumFeeDetail": {asset: text(fee) for asset, fee in fees.items()},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def asked_order_row(ticket: Ticket) -> Json:
    """An order, as requests tell it: the category stands above the list, and some fields more."""
    row = order_row(ticket)
    del row["category"]
    return row | {
        "basePrice": row["lastPriceOnCreated"],
        "ocoTriggerBy": "",
        "extraFees": "",
    }


def execution_row(world: World, ticket: Ticket, trade: SimTrade) -> Json:
    """A trade of an order, as requests and the execution stream tell it."""
    order, market = ticket.order, world.markets[trade.symbol]
    before = sum((one.quantity for one in order.trades if one.id <= trade.id), ZERO)
    return {
        "category": "spot",
        "symbol": market_name(trade.symbol),
        "closedSize": "",
        "execFee": text(trade.fee),
        "execId": trade_id(world, trade.symbol, trade.id),
        "execPrice": text(trade.price),
        "execQty": text(trade.quantity),
        "execType": "Trade",
        "execValue": text(trade.price * trade.quantity),
        "feeRate": text(market.maker_fee if trade.maker else market.taker_fee),
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "leavesQty": text(ZERO if order.quote_quantity else order.quantity - before),
        "orderId": ticket.order_id,
        "orderLinkId": order.client_id,
        "orderPrice": text(order.price),
        "orderQty": text(ZERO if order.quote_quantity else order.quantity),
        "orderType": "Market" if order.type in ("market", "stop") else "Limit",
        "stopOrderType": stop_type(ticket),
        "side": trade.side.capitalize(),
        "execTime": str(trade.at_ms),
        "isLeverage": "0",
        "isMaker": trade.maker,
        "seq": FIRST_SEQUENCE + trade.id,
        "marketUnit": ticket.market_unit,
        "execPnl": "0",
        "extraFees": "",
        "feeCurrency": trade.fee_asset,
    }


def fast_execution_row(world: World, ticket: Ticket, trade: SimTrade) -> Json:
    """A trade of an order, as the fast stream tells it."""
    row = execution_row(world, ticket, trade)
    return {name: row[name] for name in FAST_FIELDS}


def stop_type(ticket: Ticket) -> str:
    """What kind of waiting order it is or was."""
    return {"tpslOrder": "tpslOrder", "StopOrder": "Stop"}.get(ticket.order_filter, "")


def fees_of(trades: list[SimTrade]) -> dict[str, Decimal]:
    """The sums by asset."""
    fees: dict[str, Decimal] = {}
    for trade in trades:
        fees[trade.fee_asset] = fees.get(trade.fee_asset, ZERO) + trade.fee
    return fees


def wallet_row(world: World, account: str, coins: list[str] | None = None) -> Json:
    """The unified account: what it is worth in dollars, and `coins` of it (None: all that are owned)."""
    wallet = world.wallet(account)
    total = sum((worth(world, asset, one) for asset, one in wallet.items()), ZERO)
    free = sum((worth(world, asset, Holding(one.free, ZERO)) for asset, one in wallet.items()), ZERO)
    owned = [asset for asset, one in wallet.items() if one.free or one.held]
    shown = owned if coins is None else [asset for asset in coins if asset in wallet]
    return {
        "accountIMRate": "0",
        "accountIMRateByMp": "0",
        "accountMMRate": "0",
        "accountMMRateByMp": "0",
        "totalEquity": text(total),
        "totalWalletBalance": text(total),
        "totalMarginBalance": text(total),
        "totalAvailableBalance": text(free),
        "totalPerpUPL": "0",
        "totalInitialMargin": "0",
        "totalInitialMarginByMp": "0",
        "totalMaintenanceMargin": "0",
        "totalMaintenanceMarginByMp": "0",
        "coin": [coin_row(world, asset, wallet) for asset in shown],
        "accountLTV": "0",
        "accountType": "UNIFIED",
    }


def coin_row(world: World, asset: str, wallet: Mapping[str, Holding]) -> Json:
    """What is owned of one asset. What may be withdrawn is no longer told there: it is empty."""
    holding = wallet[asset]
    owned = text(holding.free + holding.held)
    return {
        "coin": asset,
        "equity": owned,
        "usdValue": text(worth(world, asset, holding)),
        "walletBalance": owned,
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "0",
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "locked": text(holding.held),
        "spotHedgingQty": "0",
        "spotBorrow": "0",
    }


def worth(world: World, asset: str, holding: Holding) -> Decimal:
    """In dollars, to the eighth decimal; zero where no market tells."""
    if asset in DOLLARS:
        return (holding.free + holding.held).quantize(UNIT)
    priced = next(
        (world.price(f"{asset}/{dollar}") for dollar in DOLLARS if f"{asset}/{dollar}" in world.markets), None
    )
    return ((holding.free + holding.held) * (priced or ZERO)).quantize(UNIT)

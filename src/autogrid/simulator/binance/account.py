"""What an account owns and pays, and what its key may do."""

from decimal import Decimal

from autogrid.simulator.binance.orders import DISCOUNT
from autogrid.simulator.binance.venue import Asked
from autogrid.simulator.binance.wire import Json, figure, wire_symbol
from autogrid.simulator.records import FEE
from autogrid.trading.money import ZERO


def account(asked: Asked) -> Json:
    """GET account."""
    without_zero = asked.params.optional("omitZeroBalances") == "true"
    asked.params.check_all_read()
    maker, taker = _fees(asked, next(iter(asked.world.markets), ""))
    wallet = asked.world.wallet(asked.account)
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(maker, taker) | {"buyer": figure(ZERO), "seller": figure(ZERO)},
        "canTrade": asked.key.trades,
        "canWithdraw": asked.key.withdraws,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": asked.world.now_ms(),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": figure(holding.free), "locked": figure(holding.held)}
            for asset, holding in wallet.items()
            if not without_zero or holding.free or holding.held
        ],
        "permissions": ["SPOT"],
        "uid": 1_000_000 + asked.world.accounts().index(asked.account),
    }


def commission(asked: Asked) -> Json:
    """GET account/commission."""
    symbol = asked.symbol()
    asked.params.check_all_read()
    none = {"maker": figure(ZERO), "taker": figure(ZERO), "buyer": figure(ZERO), "seller": figure(ZERO)}
    return {
        "symbol": wire_symbol(symbol),
        "standardCommission": none | _rates(*_fees(asked, symbol)),
        "specialCommission": none,
        "taxCommission": none,
        "discount": DISCOUNT,
    }


def order_limits(asked: Asked) -> Json:
    """GET rateLimit/order."""
    asked.params.check_all_read()
    return [row for row in asked.venue.limits.told(ordering=True) if row["rateLimitType"] == "ORDERS"]


def key_rights(asked: Asked) -> Json:
    """GET /sapi/v1/account/apiRestrictions."""
    key = asked.key
    return {
        "ipRestrict": key.bound,
        "createTime": 1_700_000_000_000,
        "enableReading": key.reads,
        "enableWithdrawals": key.withdraws,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": key.trades,
    }


def system_status(asked: Asked) -> Json:  # noqa: ARG001
    """GET /sapi/v1/system/status."""
    return {"status": 0, "msg": "normal"}


def trade_fees(asked: Asked) -> Json:
    """GET /sapi/v1/asset/tradeFee."""
    one = asked.symbol_or_none()
    rows: list[object] = []
    for symbol in asked.world.markets if one is None else [one]:
        maker, taker = _fees(asked, symbol)
        rows.append({"symbol": wire_symbol(symbol), "makerCommission": str(maker), "takerCommission": str(taker)})
    return rows


def currencies(asked: Asked) -> Json:
    """GET /sapi/v1/capital/config/getall: no coin can be moved in or out here."""
    wallet = asked.world.wallet(asked.account)
    names = {asset for market in asked.world.markets.values() for asset in (market.base, market.quote)} | set(wallet)
    return [
        {
            "coin": name,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "name": name,
            "free": figure(wallet[name].free if name in wallet else ZERO),
            "locked": figure(wallet[name].held if name in wallet else ZERO),
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for name in sorted(names)
    ]


def _fees(asked: Asked, symbol: str) -> tuple[Decimal, Decimal]:
    market = asked.world.markets.get(symbol)
    return (FEE, FEE) if market is None else (market.maker_fee, market.taker_fee)


def _rates(maker: Decimal, taker: Decimal) -> dict[str, str]:
    return {"maker": figure(maker), "taker": figure(taker)}

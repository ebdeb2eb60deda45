"""What MEXC tells the owner of a key in REST: balances, trades, fees, rights."""

from typing import Final

from autogrid.simulator.mexc.asked import Asked
from autogrid.simulator.mexc.names import exchange_id, id_of, order_id, symbol_of, trade_id
from autogrid.simulator.mexc.orders import to_second
from autogrid.simulator.mexc.public import DAY_MS
from autogrid.simulator.mexc.refusals import NO_API_KEY_INFO, UnableToServe
from autogrid.simulator.records import SimTrade
from autogrid.simulator.world import World
from autogrid.trading.money import text

MOST_TRADES: Final = 100
"""In one answer."""


def balances(world: World, account: str, _asked: Asked) -> object:
    """What is owned. The three `can…` are of the account, not of the key: they say nothing about its rights."""
    return {
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": None,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": text(holding.free), "locked": text(holding.held)}
            for asset, holding in world.wallet(account).items()
            if holding.free or holding.held
        ],
        "permissions": ["SPOT"],
    }


def key_info(world: World, account: str, asked: Asked) -> object:
    """The rights of a key of the account, which is named a second time (`accessKey`)."""
    key = world.key_of(asked.text("accessKey"))
    if key is None or key.account != account:
        raise UnableToServe(*NO_API_KEY_INFO)
    reads = ["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"] if key.reads else []
    trades_too = ["SPOT_DEAL_WRITE"] if key.trades else []
    withdraws = ["SPOT_WITHDRAW_READ", "SPOT_WITHDRAW_WRITE"] if key.withdraws else []
    return {
        "note": account,
        "accessKey": key.key,
        "createTime": "2026-01-01T00:00:00.000+00:00",
        "permissions": ",".join(reads + trades_too + withdraws),
        "remainingValidity": 90,
        "ipWhiteList": "127.0.0.1" if key.bound else "",
        "status": "INVALID" if key.expired else "VALID",
    }


def trades(world: World, account: str, asked: Asked) -> object:
    """Own trades of a symbol, the newest 100 of the time asked for, newest first; none older than a month.

    Their times are cut to the second, and so are compared. There is no paging by id.
    """
    symbol, now_ms = symbol_of(world, asked.text("symbol")), world.now_ms()
    start, end = max(asked.whole("startTime", 0), now_ms - 30 * DAY_MS), asked.whole("endTime", now_ms)
    limit, written = min(asked.whole("limit", MOST_TRADES), MOST_TRADES), asked.maybe("orderId")
    of_order = exchange_id(written) if written else None
    found = [
        one
        for one in world.trades(account, symbol, limit=1_000_000)
        if start <= to_second(one.at_ms) <= end and of_order in (None, one.exchange_id)
    ]
    return [_trade(one) for one in found[::-1][:limit]]


def _trade(trade: SimTrade) -> dict[str, object]:
    named = trade.client_id != f"sim{trade.exchange_id:019d}"
    return {
        "symbol": id_of(trade.symbol),
        "id": trade_id(trade),
        "orderId": order_id(trade.exchange_id),
        "orderListId": -1,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": text(trade.price * trade.quantity),
        "commission": text(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": to_second(trade.at_ms),
        "isBuyer": trade.side == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
        "isSelfTrade": False,
        "clientOrderId": trade.client_id if named else None,
    }


def trade_fee(world: World, _account: str, asked: Asked) -> object:
    """The account's rates on a symbol, as numbers."""
    market = world.markets[symbol_of(world, asked.text("symbol"))]
    rates = {"makerCommission": float(market.maker_fee), "takerCommission": float(market.taker_fee)}
    return {"data": rates, "code": 0, "msg": "success", "timestamp": world.now_ms()}


def own_symbols(world: World, _account: str, _asked: Asked) -> object:
    """The symbols that the key may trade: all."""
    return {"data": [id_of(symbol) for symbol in world.markets], "code": 200, "msg": None}


def deduction(world: World, _account: str, _asked: Asked) -> object:
    """Whether fees are paid in MX: no."""
    return {"data": {"mxDeductEnable": False}, "code": 0, "msg": "success", "timestamp": world.now_ms()}


def currencies(world: World, _account: str, _asked: Asked) -> object:
    """The assets of all markets, each with one network on which nothing can be moved."""
    assets = sorted({asset for market in world.markets.values() for asset in (market.base, market.quote)})
    return [{"coin": asset, "name": asset, "networkList": [_network(asset)]} for asset in assets]


def _network(asset: str) -> dict[str, object]:
    return {
        "coin": asset,
        "depositDesc": None,
        "depositEnable": False,
        "minConfirm": 0,
        "name": asset,
        "network": asset,
        "withdrawEnable": False,
        "withdrawFee": "0",
        "withdrawIntegerMultiple": None,
        "withdrawMax": "0",
        "withdrawMin": "0",
        "sameAddress": False,
        "contract": "",
        "withdrawTips": None,
        "depositTips": None,
        "netWork": asset,
    }

"""A world as the control plane shows it."""

from autogrid.simulator.binance.keys import LIMITS
from autogrid.simulator.records import SimOrder, SimTrade
from autogrid.simulator.running import Exchange
from autogrid.simulator.world import World
from autogrid.trading.money import text


def world_picture(one: Exchange) -> dict[str, object]:
    """All that is worth comparing with what a client believes."""
    world, app = one.world, one.listening.app
    told: dict[str, object] = {
        "now_ms": world.now_ms(),
        "accounts": {name: _account(world, name) for name in world.accounts()},
        "markets": {symbol: _market(world, symbol) for symbol in world.markets},
        "calls": one.calls(),
        "faults_given": dict(one.faults.given),
        "streams": one.streams(),
        "port": one.listening.port,
    }
    if LIMITS in app:
        limits = app[LIMITS]
        told["weight"] = {
            "used_1m": limits.weight.used(world.now_ms()),
            "limit_1m": limits.weight.most,
            "total": limits.total_weight,
            "refused": limits.refused,
        }
    return told


def _account(world: World, name: str) -> dict[str, object]:
    return {
        "wallet": {
            asset: {"free": text(holding.free), "held": text(holding.held)}
            for asset, holding in world.wallet(name).items()
        },
        "orders": [_order(order) for order in world.orders(name)],
        "trades": [_trade(trade) for trade in world.trades(name, limit=10**9)],
    }


def _market(world: World, symbol: str) -> dict[str, object]:
    price, market = world.price(symbol), world.markets[symbol]
    return {
        "price": None if price is None else text(price),
        "halted": world.is_halted(symbol),
        "tick": text(market.tick),
        "lot": text(market.lot),
        "min_notional": text(market.min_notional),
    }


def _order(order: SimOrder) -> dict[str, object]:
    return {
        "id": order.exchange_id,
        "client_id": order.client_id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "status": order.status,
        "price": text(order.price),
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "value": text(order.value),
        "trigger": None if order.trigger is None else text(order.trigger),
        "list": order.list_id,
        "why": order.why,
        "made_ms": order.made_ms,
        "changed_ms": order.changed_ms,
    }


def _trade(trade: SimTrade) -> dict[str, object]:
    return {
        "id": trade.id,
        "order": trade.exchange_id,
        "client_id": trade.client_id,
        "symbol": trade.symbol,
        "side": trade.side,
        "price": text(trade.price),
        "quantity": text(trade.quantity),
        "fee": text(trade.fee),
        "fee_asset": trade.fee_asset,
        "maker": trade.maker,
        "at_ms": trade.at_ms,
    }

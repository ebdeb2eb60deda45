"""The endpoints of an account: what it owns, its fees, its kind, and what its key may do.

Source: Bybit's API document, "Account", "User", "Asset". Every account is a unified one of the second kind (UTA 2.0).
"""

from datetime import UTC, datetime
from typing import Final

from autogrid.simulator.bybit import codes
from autogrid.simulator.bybit.codes import UnableToAnswer
from autogrid.simulator.bybit.figures import Json, market_name, own_symbol, wallet_row
from autogrid.simulator.bybit.requests import DAY_MS, Call, Reply, word
from autogrid.simulator.bybit.tickets import Tickets
from autogrid.trading.money import text

UNIFIED: Final = 6
"""Of the kinds of account: unified, version 2.0 Pro."""
KEY_DAYS: Final = 90
"""How long a key that is bound to no address is good."""
USER_ID: Final = 24_600_000


def wallet_balance(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/account/wallet-balance."""
    if word(call.fields, "accountType") != "UNIFIED":
        raise UnableToAnswer(codes.BAD_REQUEST, "accountType only support UNIFIED.")
    coins = word(call.fields, "coin")
    return Reply({"list": [wallet_row(tickets.world, call.account, coins.split(",") if coins else None)]})


def account(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/account/info."""
    del call
    return Reply(
        {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(tickets.world.now_ms()),
            "unifiedMarginStatus": UNIFIED,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }
    )


def fee_rate(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/account/fee-rate: of one market or of all."""
    world, name = tickets.world, word(call.fields, "symbol")
    if name and not own_symbol(world, name):
        raise UnableToAnswer(codes.BAD_REQUEST, "symbol not exist")
    rows = [
        {
            "symbol": market_name(symbol),
            "baseCoin": "",
            "takerFeeRate": text(market.taker_fee),
            "makerFeeRate": text(market.maker_fee),
        }
        for symbol, market in world.markets.items()
        if name in ("", market_name(symbol))
    ]
    return Reply({"category": "spot", "list": rows})


def key_rights(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/user/query-api: what the key may do, and from where."""
    key, now = call.key, tickets.world.now_ms()
    wallet = ["AccountTransfer", "SubMemberTransfer", "Withdraw"] if key.withdraws else []
    permissions: Json = {
        "ContractTrade": [],
        "Spot": ["SpotTrade"] if key.trades else [],
        "Wallet": wallet,
        "Options": [],
        "Derivatives": [],
        "CopyTrading": [],
        "BlockTrade": [],
        "Exchange": [],
        "NFT": [],
        "Affiliate": [],
        "Earn": [],
        "FiatP2P": [],
        "FiatBybitPay": [],
        "FiatConvertBroker": [],
    }
    return Reply(
        {
            "id": "13770661",
            "note": key.account,
            "apiKey": key.key,
            "readOnly": 0 if key.trades else 1,
            "secret": "",
            "permissions": permissions,
            "ips": ["127.0.0.1"] if key.bound else ["*"],
            "type": 1,
            "deadlineDay": 0 if key.bound else KEY_DAYS,
            "expiredAt": "1970-01-01T00:00:00Z" if key.bound else _when(now + KEY_DAYS * DAY_MS),
            "createdAt": _when(now - DAY_MS),
            "unified": 0,
            "uta": 1,
            "userID": USER_ID,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        }
    )


def coins(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/asset/coin/query-info: the assets of all markets; the networks on which they travel are made up."""
    only = word(call.fields, "coin")
    assets = dict.fromkeys(asset for market in tickets.world.markets.values() for asset in (market.base, market.quote))
    rows = [
        {"name": asset, "coin": asset, "remainAmount": "1000000", "chains": [_chain(asset)]}
        for asset in assets
        if only in ("", asset)
    ]
    return Reply({"rows": rows})


def funding_balance(tickets: Tickets, call: Call) -> Reply:
    """GET /v5/asset/transfer/query-account-coins-balance: the funding account, which is empty."""
    del tickets
    kind = word(call.fields, "accountType")
    return Reply({"memberId": str(USER_ID), "accountType": kind, "balance": []})


def _chain(asset: str) -> Json:
    return {
        "chainType": asset,
        "confirmation": "10",
        "withdrawFee": "0.0005",
        "depositMin": "0",
        "withdrawMin": "0.001",
        "chain": asset,
        "chainDeposit": "1",
        "chainWithdraw": "1",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
    }


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Whose money is whose on an account: each bot owns what its ledger says, and two never plan with the same coin."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from autogrid.engine.venue import Balance
from autogrid.trading.money import ZERO, Amount, Quantity, text


class Owned(NamedTuple):
    """What a bot owns of its two assets."""

    quote_asset: str
    base_asset: str
    quote: Amount
    base: Quantity


def totals(owned: Iterable[Owned]) -> dict[str, Decimal]:
    """By asset."""
    found: dict[str, Decimal] = {}
    for one in owned:
        found[one.quote_asset] = found.get(one.quote_asset, ZERO) + one.quote
        found[one.base_asset] = found.get(one.base_asset, ZERO) + one.base
    return found


def shortfall(owned: Iterable[Owned], balances: Mapping[str, Balance]) -> str:
    """What bots own and the account does not have, in a sentence; empty where all is there."""
    missing = []
    for asset, needed in totals(owned).items():
        there = _all_of(balances, asset)
        if there < needed:
            missing.append(f"{text(needed - there)} {asset} (bots own {text(needed)}, the account has {text(there)})")
    return f"missing on the account: {', '.join(missing)}" if missing else ""


def unable_to_fund(name: str, wanted: Owned, others: Iterable[Owned], balances: Mapping[str, Balance]) -> str:
    """Why the account cannot give a bot what it is to begin with; empty where it can."""
    taken = totals(others)
    for asset, needed in ((wanted.quote_asset, wanted.quote), (wanted.base_asset, wanted.base)):
        free = _all_of(balances, asset) - taken.get(asset, ZERO)
        if needed > free:
            return (
                f"{name} needs {text(needed)} {asset}, and {text(max(free, ZERO))} {asset} of the account are free of "
                "other bots; deposit more, or make it smaller"
            )
    return ""


def _all_of(balances: Mapping[str, Balance], asset: str) -> Amount:
    balance = balances.get(asset)
    return ZERO if balance is None else balance.free + balance.held

"""What a run of any strategy gives, in the words that an oracle uses too."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from autogrid.backtesting.run import result_of
from autogrid.backtesting.tapes import Tape
from autogrid.services.backtests import Walk
from autogrid.trading.bot import Bot
from autogrid.trading.ledger import opened
from autogrid.trading.market import Market
from autogrid.trading.matching import MatchingRules
from autogrid.trading.money import text
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.fields import UnableToConfigure
from autogrid.wiring.simulation import backtest


class Fills(NamedTuple):
    """The fills of a run and what it ends with; `refused` where it was not begun."""

    refused: str
    fills: list[tuple[str, Decimal, Decimal, Decimal]]
    """Side, price, quantity, fee."""
    facts: dict[str, str]


class Way(NamedTuple):
    """How a tape is walked."""

    backwards: bool = False
    fill: str = "touch"
    slippage: Decimal = Decimal(0)


PLAINLY = Way()


def ours(
    strategy: str, config: Mapping[str, str], tape: Tape, market: Market, investment: Decimal, way: Way = PLAINLY
) -> Fills:
    """The engine's."""
    try:
        built = build(strategy, config, market, investment)
        price = tape.prices.item(0, 0) * tape.unit
        built.check(price)
    except UnableToConfigure as refusal:
        return Fills(str(refusal), [], {})
    bot = Bot(market, Limits(investment, breakers=False), at_once=True)
    first = bot.start(built, opened(investment, built.own_base, price))
    rules = MatchingRules("through" if way.fill == "through" else "touch", way.slippage)
    run = backtest(bot, first, tape, Walk(rules, backwards=way.backwards))
    result = result_of(run, (), {})
    summary = result.summary
    names = ("base", "quote", "equity_end", "total_profit", "grid_profit", "round_trips")
    facts = {name: str(summary[name]) for name in names}
    return Fills("", [(row.side, row.price, row.quantity, row.fee) for row in result.fills], facts)


def facts_of(
    base: Decimal, quote: Decimal, equity_end: Decimal, total: Decimal, realised: Decimal, trips: int
) -> dict[str, str]:
    """An oracle's figures under the names of the contract."""
    return {
        "base": text(base),
        "quote": text(quote),
        "equity_end": text(equity_end),
        "total_profit": text(total),
        "grid_profit": text(realised),
        "round_trips": str(trips),
    }


def first_difference(one: Fills, other: Fills) -> str:
    """Where two outcomes part, in words; empty where they do not."""
    if bool(one.refused) != bool(other.refused):
        return f"refused by one alone: {one.refused or other.refused}"
    for number, (a, b) in enumerate(zip(one.fills, other.fills, strict=False)):
        if a != b:
            return f"fill {number}: {a} against {b}"
    if len(one.fills) != len(other.fills):
        longer = max(one.fills, other.fills, key=len)
        shorter = min(len(one.fills), len(other.fills))
        return f"{len(one.fills)} against {len(other.fills)} fills; the first alone is {longer[shorter]}"
    mine, its = one.facts, other.facts
    parts = [f"{name}: {mine[name]} against {its[name]}" for name in mine if mine[name] != its[name]]
    return "; ".join(parts)

"""DCA, calculated twice: by the engine that trades, and by an oracle written from the rules alone."""

import random
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autogrid.backtesting.tapes import Tape
from autogrid.trading.market import Market
from tests.builders import START_MS, tape_of
from tests.oracle import dca_oracle as oracle
from tests.parity.oracle_run import candles_of, fee_in_of
from tests.parity.outcome import Fills, Way, facts_of, first_difference, ours
from tests.parity.real_tapes import real_tape

D = Decimal
HOUR_MS = 3_600_000


class Job(NamedTuple):
    """A DCA bot, a market and a way to walk."""

    config: dict[str, str]
    market: Market
    fee_in: str
    investment: Decimal
    way: Way


def theirs(job: Job, tape: Tape) -> Fills:
    """The oracle's outcome."""
    m = job.market
    market = oracle.Market(m.tick, m.lot, m.min_notional, m.maker_fee, m.taker_fee, job.fee_in)
    way = job.way
    try:
        found = oracle.run(
            job.config,
            candles_of(tape),
            market,
            job.investment,
            backwards=way.backwards,
            fill=way.fill,
            slippage=way.slippage,
        )
    except ValueError as refusal:
        return Fills(str(refusal), [], {})
    fills = [(fill.side, fill.price, fill.quantity, fill.fee) for fill in found.fills]
    facts = facts_of(
        found.base, found.quote, found.equity_end, found.total_profit, found.realised_profit, found.round_trips
    )
    return Fills("", fills, facts)


def job_of(chance: random.Random) -> Job:
    """Any of the settings that both know, mixed."""
    pick = chance.choice
    mode = pick(["deal", "deal", "accumulate"])
    config = {"mode": mode}
    if mode == "deal":
        config["preset"] = pick(["careful", "standard", "bold"])
        given_ladder = {
            "deviation": pick(["0.005", "0.01", "0.02"]),
            "step_scale": pick(["1", "1.2", "0.9"]),
            "volume_scale": pick(["1", "1.3", "0.8"]),
            "safety_orders": pick(["0", "1", "3", "6"]),
            "max_active": pick(["1", "2", "6"]),
            "deviation_from": pick(["base", "previous"]),
            "take_profit": pick(["0.005", "0.01", "0.03"]),
            "take_profit_from": pick(["average", "base_order"]),
            "cooldown": pick(["60", "90", "600"]),
            "max_deals": pick(["1", "3"]),
        }
        config |= {key: value for key, value in given_ladder.items() if chance.random() < 0.4}
        if chance.random() < 0.3:
            config["trailing"] = pick(["0.002", "0.01"])
        if chance.random() < 0.4:
            config |= {"stop_loss": pick(["0.01", "0.03", "0.1"]), "stop_loss_from": pick(["average", "base_order"])}
    else:
        if chance.random() < 0.7:
            config |= {"every": pick(["hourly", "daily"]), "amount": pick(["11", "25.5"])}
            config |= {
                "minute": pick(["0", "30"]),
                "first": pick(["now", "anchor"]),
                "catch_up": pick(["once", "skip"]),
            }
        if "every" not in config or chance.random() < 0.4:
            config |= {"drop": pick(["0.005", "0.02"]), "drop_amount": pick(["12", "30"])}
            config["reference"] = pick(["last_buy", "average", "high"])
        config["budget"] = pick(["60", "200", "1000"])
    maker = D(pick(["0", "0.001", "0.00075"]))
    fee_in = pick(["received", "received", "quote"])
    market = Market(
        "BASE",
        "QUOTE",
        D(pick(["0.01", "0.1"])),
        D(pick(["0.00001", "0.001", "0.01"])),
        D(pick(["1", "5"])),
        maker,
        pick([maker, D("0.001"), D("0.002")]),
        fee_in_of(fee_in),
    )
    # left out: all of the money in one order that slips, and two purchases at one point of which the first slips
    both = "every" in config and "drop" in config
    slippage = "0" if both or config.get("safety_orders") == "0" else pick(["0", "0", "0.001"])
    way = Way(chance.random() < 0.5, pick(["touch", "touch", "through"]), D(slippage))
    return Job(config, market, fee_in, D(pick(["1000", "1000.37", "5000"])), way)


def tape_for(chance: random.Random, interval_ms: int) -> Tape:
    """A walk around 100 with jumps and holes, prices on 0.1."""
    rows, times, price, at = [], [], 10_000, START_MS + chance.randrange(48) * HOUR_MS // 2
    reach = chance.choice([20, 80, 300])
    for _ in range(chance.randint(3, 150)):
        opened = max(1000, price + (chance.randint(-3 * reach, 3 * reach) // 10 * 10 if chance.random() < 0.2 else 0))
        close = max(1000, opened + chance.randint(-reach, reach) // 10 * 10)
        high = max(opened, close) + chance.randint(0, reach // 2) // 10 * 10
        low = max(500, min(opened, close) - chance.randint(0, reach // 2) // 10 * 10)
        rows.append((opened, high, low, close))
        times.append(at)
        at += interval_ms * (1 if chance.random() < 0.95 else chance.randint(2, 90))
        price = close
    return tape_of(rows, times=times, interval_ms=interval_ms)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
@example(2534324)  # a later deal, where the price has fallen so far that the first step is under three ticks
@example(2988058363)  # the same, with a ladder that is drawn from the order before
@example(3848081536)  # fees in quote: the last safety order is not paid with the dearer of the two fees
@example(2800508300)
def test_made_up_bots_over_made_up_tapes_agree_in_every_fill_and_figure(seed: int) -> None:
    chance = random.Random(seed)
    job = job_of(chance)
    tape = tape_for(chance, chance.choice([60_000, 900_000, HOUR_MS // 2]))
    difference = first_difference(ours("dca", job.config, tape, job.market, job.investment, job.way), theirs(job, tape))
    assert not difference, f"{difference}\n{job}"


@pytest.mark.parametrize("preset", ["careful", "standard", "bold"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_deals_over_real_minutes_agree(symbol: str, preset: str) -> None:
    tape = real_tape(f"binance_spot_{symbol}_1m_20240726-20240825.parquet")
    market = Market("BASE", "QUOTE", D("0.01"), D("0.00001"), D(5), D("0.001"), D("0.001"))
    job = Job({"mode": "deal", "preset": preset}, market, "received", D(1000), Way())
    one = ours("dca", job.config, tape, job.market, job.investment, job.way)
    assert len(one.fills) > 10
    assert not first_difference(one, theirs(job, tape))

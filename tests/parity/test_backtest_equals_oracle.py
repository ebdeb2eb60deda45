"""The engine that trades, held against a calculation that shares no code with it: equal to the last digit."""

import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from autogrid.backtesting.tapes import Tape, read_tape
from autogrid.trading.money import figure, text
from tests.builders import jumps, tape_of
from tests.oracle.grid_oracle import GridJob
from tests.parity.oracle_run import Outcome, candles_of, ours, theirs
from tests.parity.random_jobs import random_job, random_tape

D = Decimal
BATCH = 40
"""Made up jobs in one test."""

COMPARED = (
    "fills", "round_trips", "orders_placed", "orders_cancelled", "base", "quote", "fees", "equity_start", "equity_end",
    "total_profit", "grid_profit", "trend_profit",
)  # fmt: skip


def expected_hold(job: GridJob, tape: Tape, oracle: Outcome) -> str:
    """The oracle holds the investment alone; whoever brought coins of their own would have held these too."""
    last = tape.prices.item(-1, 3) * tape.unit
    first: Decimal = oracle.facts["start_price"]
    return text(figure(oracle.facts["hold_profit"]) + job.own_base * (last - first))


def must_agree(job: GridJob, tape: Tape, *, skip: bool = True) -> Outcome:
    """Both calculations of `job` over `tape`; they give the same or refuse both."""
    oracle, engine = theirs(job, candles_of(tape)), ours(job, tape, skip=skip)
    assert bool(engine.refused) == bool(oracle.refused), (job, engine.refused, oracle.refused)
    if oracle.refused:
        return oracle
    assert not oracle.facts["refusals"], "the sizes leave funds for every order"
    for number, (one, other) in enumerate(zip(engine.fills, oracle.fills, strict=False)):
        assert one == other, (job, f"fill {number}")
    for key in COMPARED:
        assert engine.facts[key] == oracle.facts[key], (job, key)
    if oracle.facts["started"]:  # before that no price is P0: nothing to hold from
        assert engine.facts["hold_profit"] == expected_hold(job, tape, oracle), job
        if job.fill == "touch" and not job.slippage:  # else the oracle marks where the path stands, not at the fill
            assert engine.facts["max_drawdown"] == pytest.approx(oracle.facts["max_drawdown"], abs=1e-9), job
    return oracle


def has_stops(job: GridJob) -> bool:
    """Whether it waits for a price that is not a line: see the test of the plain walk in test_laws.py."""
    return not (job.stop_loss is job.take_profit is job.trigger_price is None)


def batch(first: int, count: int) -> tuple[int, int, int]:
    """How many made up jobs ran, traded and were refused."""
    ran = traded = refused = 0
    for seed in range(first, first + count):
        chance = random.Random(seed)
        job = random_job(chance)
        found = must_agree(job, random_tape(chance, job), skip=seed % 5 != 0 or has_stops(job))
        refused += bool(found.refused)
        ran += not found.refused
        traded += bool(found.fills)
    return ran, traded, refused


@pytest.mark.parametrize("number", range(12))
def test_made_up_jobs_over_made_up_tapes_agree_in_every_figure_and_fill(number: int) -> None:
    ran, traded, _ = batch(number * BATCH, BATCH)
    assert ran > BATCH // 2
    assert traded > BATCH // 3


@pytest.mark.reliability
@pytest.mark.parametrize("number", range(1, 21))
def test_many_more_made_up_jobs_agree(number: int) -> None:
    batch(number * 100_000, 1_000)


def test_the_made_up_jobs_know_every_setting() -> None:
    jobs = [random_job(random.Random(seed)) for seed in range(12 * BATCH)]
    for key, least in (
        ("spacing", 2),
        ("sizing", 2),
        ("start", 3),
        ("fee_in", 4),
        ("path", 2),
        ("fill", 2),
        ("lot", 6),
    ):
        assert len({getattr(job, key) for job in jobs}) >= least, key
    assert any(job.maker_fee != job.taker_fee for job in jobs)
    for key in ("stop_loss", "take_profit", "trigger_price"):
        assert any(getattr(job, key) is not None for job in jobs), key
    assert any(job.slippage for job in jobs)
    assert {D(0), D("0.5")} <= {job.reserve for job in jobs}


PLAIN = GridJob(
    D(8000),
    D(12000),
    4,
    D(10000),
    spacing="arithmetic",
    maker_fee=D("0.001"),
    taker_fee=D("0.001"),
    tick=D("0.01"),
    lot=D("0.00001"),
    min_notional=D(5),
)

SWING = [
    (10_500_00, 11_200_00, 8_900_00, 9_100_00),
    (9_100_00, 12_100_00, 9_000_00, 12_050_00),
    (11_400_00, 11_400_00, 7_900_00, 8_050_00),
    (8_300_00, 10_000_00, 8_300_00, 10_000_00),
]
"""Rises, falls and jumps over every line of the plain grid."""

VARIANTS: dict[str, dict[str, object]] = {
    "as it is": {},
    "geometric": {"spacing": "geometric"},
    "equal quote": {"sizing": "equal_quote"},
    "path reversed": {"path": "reversed"},
    "through": {"fill": "through"},
    "slippage": {"slippage": D("0.002")},
    "wait": {"start": "wait"},
    "own": {"start": "own", "own_base": D("1.2345678")},
    "fees in quote": {"fee_in": "quote"},
    "fees in a third asset": {"fee_in": "BNB:600"},
    "fees in a third asset of an odd price": {"fee_in": "BNB:0.37"},
    "maker dearer than taker": {"maker_fee": D("0.002")},
    "taker dearer than maker": {"taker_fee": D("0.02")},
    "no fees": {"maker_fee": D(0), "taker_fee": D(0)},
    "stop-loss, sold": {"stop_loss": D(7950)},
    "stop-loss, held": {"stop_loss": D(7950), "on_exit": "hold"},
    "take-profit, sold": {"take_profit": D(12080)},
    "take-profit, held": {"take_profit": D(12080), "on_exit": "hold"},
    "trigger below": {"trigger_price": D(9000)},
    "trigger above": {"trigger_price": D(12100)},
    "trigger never reached": {"trigger_price": D(20000)},
    "tiny lots": {"lot": D("0.00000001")},
    "large lots": {"lot": D("0.05")},
    "no reserve": {"reserve": D(0)},
    "half in reserve": {"reserve": D("0.5")},
    "a coarse tick": {"tick": D(250)},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("opens", [7_500_00, 8_000_00, 9_000_00, 9_999_99, 10_500_00, 12_000_00, 12_500_00])
def test_one_setting_at_a_time_agrees_wherever_the_price_starts(variant: str, opens: int) -> None:
    tape = tape_of([(opens, max(opens, 10_600_00), min(opens, 10_400_00), 10_500_00), *SWING])
    must_agree(replace(PLAIN, **VARIANTS[variant]), tape)  # type: ignore[arg-type]


@pytest.mark.parametrize("slippage", ["0", "0.002"])
@pytest.mark.parametrize(
    "changes",
    [{"stop_loss": D(7900)}, {"take_profit": D(12100)}, {"trigger_price": D(8200)}, {"trigger_price": D(12300)}],
)
@pytest.mark.parametrize(
    "prices", ["10500 9500 7000 7100 7800", "10500 9500 11500 12900 12800", "10500 8100 12500 10000"]
)
def test_a_stop_or_a_trigger_inside_a_jump_agrees(prices: str, changes: dict[str, Decimal], slippage: str) -> None:
    tape = jumps(*prices.split())
    oracle = must_agree(replace(PLAIN, slippage=D(slippage), **changes), tape)  # type: ignore[arg-type]
    assert not {fill[1] for fill in oracle.fills} & set(changes.values())  # nobody traded at that price


MONTHS = "20250520-20250630"
BTC = replace(PLAIN, lower=D(98000), upper=D(114000), grids=50, spacing="geometric")
ETH = replace(PLAIN, lower=D(2200), upper=D(2900), grids=50, spacing="geometric", lot=D("0.0001"))


def real(folder: Path, name: str, first: int = 0, count: int | None = None) -> Tape:
    """Candles of the shared data, or some in a row of them."""
    tape = read_tape([folder / "data" / "candles" / f"binance_spot_{name}.parquet"], at_least_decimals=2)
    part = slice(first, None if count is None else first + count)
    return replace(
        tape,
        times=tape.times[part].copy(),
        prices=tape.prices[part].copy(),
        volumes=tape.volumes[part].copy(),
    )


@pytest.mark.parametrize(("job", "name"), [(BTC, "BTCUSDT"), (ETH, "ETHUSDT")], ids=["BTC", "ETH"])
def test_all_of_the_minutes_of_six_weeks_agree(shared_data: Path, job: GridJob, name: str) -> None:
    tape = real(shared_data, f"{name}_1m_{MONTHS}")
    assert len(tape) == 60_480
    assert must_agree(job, tape).facts["fills"] > 500


@pytest.mark.parametrize("first", [0, 30_000])
@pytest.mark.parametrize("variant", ["equal quote", "path reversed", "through", "wait", "fees in quote", "tiny lots"])
@pytest.mark.parametrize(("job", "name"), [(BTC, "BTCUSDT"), (ETH, "ETHUSDT")], ids=["BTC", "ETH"])
def test_slices_of_minutes_agree(shared_data: Path, job: GridJob, name: str, variant: str, first: int) -> None:
    tape = real(shared_data, f"{name}_1m_{MONTHS}", first, 3_000)
    must_agree(replace(job, **VARIANTS[variant]), tape)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["below", "inside", "above"])
@pytest.mark.parametrize("spacing", ["geometric", "arithmetic"])
@pytest.mark.parametrize(("job", "name"), [(BTC, "BTCUSDT"), (ETH, "ETHUSDT")], ids=["BTC", "ETH"])
def test_minutes_agree_with_the_price_below_inside_and_above_the_range(
    shared_data: Path, job: GridJob, name: str, spacing: str, place: str
) -> None:
    tape = real(shared_data, f"{name}_1m_{MONTHS}", 10_000, 3_000)
    opens = int(tape.prices.item(0, 0) * tape.unit)
    middle = D({"below": opens * 103 // 100, "inside": opens, "above": opens * 97 // 100}[place])
    around = replace(job, lower=middle * D("0.98") // 1, upper=middle * D("1.02") // 1, grids=10, spacing=spacing)
    must_agree(around, tape)


LONG = (
    (D(20000), D(110000), "BTCUSDT_1h_20240421-20250630", 10_464),
    (D(1200), D(4200), "ETHUSDT_1h_20220101-20250630", 5_000),
    (D(4000), D(110000), "BTCUSDT_1d_20170817-20250630", None),
    (D(100), D(4500), "ETHUSDT_1d_20170817-20250630", None),
)


@pytest.mark.parametrize("variant", ["arithmetic", "geometric", "equal quote", "path reversed", "large lots"])
@pytest.mark.parametrize(("lower", "upper", "name", "count"), LONG, ids=[row[2] for row in LONG])
def test_hours_and_days_agree(
    shared_data: Path, lower: Decimal, upper: Decimal, name: str, count: int | None, variant: str
) -> None:
    changes = {"spacing": "arithmetic"} if variant == "arithmetic" else VARIANTS[variant]
    job = replace(PLAIN, lower=lower, upper=upper, grids=30, spacing="geometric", investment=D(100_000))
    must_agree(replace(job, **changes), real(shared_data, name, 0, count))

"""Jobs and tapes made up from a seed: every setting of the grid that a backtest knows, mixed."""

import random
from decimal import Decimal

from autogrid.backtesting.tapes import Tape
from tests.builders import tape_of
from tests.oracle.grid_oracle import GridJob

D = Decimal


def random_job(chance: random.Random) -> GridJob:
    """A grid somewhere between 40 and 400, in every combination of settings."""
    pick = chance.choice
    lower = D(chance.randint(60, 120))
    upper = lower + D(chance.randint(6, 120))
    start = pick(["market", "market", "wait", "own"])
    maker = D(pick(["0", "0.0005", "0.001", "0.00075", "0.0033"]))
    taker = pick([maker, maker, D("0.001"), D("0.002")])
    fee_in = pick(["received", "received", "quote", "BNB:600", "BNB:0.37"])
    slippage = D(pick(["0", "0", "0", "0.0005", "0.003"]))
    return GridJob(
        lower,
        upper,
        pick([2, 3, 4, 5, 7, 10, 16, 25, 40]),
        D(pick(["150", "1000", "1000.37", "5000", "123456.78"])),
        spacing=pick(["geometric", "arithmetic"]),
        sizing=pick(["equal_base", "equal_quote"]),
        start=start,
        own_base=D(chance.randint(1, 400)) / 3 // D("0.001") * D("0.001") if start == "own" else D(0),
        reserve=D(pick(["0.02", "0.02", "0", "0.05", "0.5"])) if not slippage else D("0.05"),
        maker_fee=maker,
        taker_fee=taker,
        fee_in=fee_in,
        tick=D(pick(["0.01", "0.01", "0.05", "0.5", "0.001"])),
        lot=D(pick(["0.00001", "0.00000001", "0.001", "0.01", "0.1", "1"])),
        min_notional=D(pick(["0", "1", "5", "10"])),
        stop_loss=lower - D(chance.randint(1, 30)) if chance.random() < 0.25 else None,
        take_profit=upper + D(chance.randint(1, 30)) if chance.random() < 0.25 else None,
        trigger_price=D(chance.randint(50, 200)) if chance.random() < 0.15 and start != "own" else None,
        on_exit=pick(["sell", "hold"]),
        path=pick(["normal", "reversed"]),
        fill=pick(["touch", "touch", "through"]),
        slippage=slippage,
    )


def random_tape(chance: random.Random, job: GridJob) -> Tape:
    """A walk that begins below, inside, above or on a line of the job's grid, with gaps between candles."""
    off_tick = chance.random() < 0.3
    unit = D("0.001") if job.tick == D("0.001") or off_tick else D("0.01")
    low, high = int(job.lower / unit), int(job.upper / unit)
    step = int(job.tick / unit) if not off_tick else 1
    width = high - low
    price = chance.choice(
        [chance.randint(low, high), low - width // 5, high + width // 5, low, high, (low + high) // 2]
    )
    reach = max(4, width // chance.choice([4, 10, 30, 100]))
    rows: list[tuple[int, int, int, int]] = []

    def on(value: int) -> int:
        return max(step, value // step * step)

    price = on(price)
    for _ in range(chance.randint(2, 120)):
        jump = chance.randint(-reach * 2, reach * 2) if chance.random() < 0.25 else 0
        opened = on(price + jump)
        pull = (low + width // 2 - opened) // 40
        close = on(opened + chance.randint(-reach, reach) + pull)
        top = on(max(opened, close) + chance.randint(0, reach // 2))
        bottom = on(min(opened, close) - chance.randint(0, reach // 2))
        rows.append((opened, max(top, opened, close), min(bottom, opened, close), close))
        price = close
    return tape_of(rows, unit=str(unit))

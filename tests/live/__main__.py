"""A long run by hand: `python -m tests.live --exchange binance --minutes 60 --seed 1`.

Prints how often each fault struck, how many orders and trades there were, and all that differs between the exchange
and the books. Ends with 1 where anything does.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.live.local import EXCHANGES
from tests.live.through import EVERYTHING, REAL, Outcome, Plan, trade_through


def main() -> int:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m tests.live")
    asked.add_argument("--exchange", default="binance,bybit,mexc", help="such as binance,bybit,mexc")
    asked.add_argument("--minutes", type=int, default=60, help="of the tape")
    asked.add_argument("--seed", type=int, default=1, help="of the faults, and of the stretch of tape")
    asked.add_argument("--speed", type=float, default=30.0, help="time of the tape per real time")
    asked.add_argument("--crashes", type=int, default=3, help="so often the engine is killed on the way")
    asked.add_argument("--no-faults", action="store_true")
    given = asked.parse_args()
    names = given.exchange.split(",")
    if any(name not in EXCHANGES for name in names):
        asked.error(f"there are {', '.join(EXCHANGES)}")
    wrong = 0
    for name in names:
        faults = () if given.no_faults else EVERYTHING
        plan = Plan(name, given.minutes, given.seed, given.speed, faults, REAL.exists(), given.crashes)
        with tempfile.TemporaryDirectory() as folder:
            outcome = asyncio.run(trade_through(plan, Path(folder)))
        print(said(plan, outcome), flush=True)  # noqa: T201
        wrong += len(outcome.wrong)
    return 1 if wrong else 0


def said(plan: Plan, outcome: Outcome) -> str:
    """The run in words."""
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.given.items())) or "none"
    tape = f"{plan.minutes} min of {'real' if plan.real else 'made-up'} tape at {plan.speed:g} times its speed"
    counts = f"{outcome.orders} orders, {outcome.trades} trades in {outcome.took_s:.0f} s"
    lines = [
        f"{plan.exchange}, {tape}, seed {plan.seed}, {plan.crashes} crashes: {counts}",
        f"  faults: {faults}",
        *(f"  WRONG: {one}" for one in outcome.wrong),
        *(f"  engine: {one}" for one in (outcome.said if outcome.wrong else ())),
    ]
    return "\n".join([*lines, "" if outcome.wrong else "  the exchange and the books agree to the last unit"])


if __name__ == "__main__":
    sys.exit(main())

"""Many runs, in parallel: `python -m tests.simulation --seeds 1:100 --days 1 --jobs 2`.

Prints a line for each run that went wrong, then a table of what was done, how often each fault struck, and how fast it
went. Ends with 1 where anything was found.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.simulation.chaos import SHARES
from tests.simulation.run import Outcome, Plan, simulate


def outcomes(plans: list[Plan], jobs: int) -> Iterator[Outcome]:
    """As they come."""
    if jobs == 1:
        yield from map(simulate, plans)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=50) as pool:
        yield from pool.imap_unordered(simulate, plans)


def say(*lines: str) -> None:
    """Print them now."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main() -> int:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m tests.simulation")
    asked.add_argument("--seeds", default="1:20", help="first and last but one, such as 1:20")
    asked.add_argument("--days", type=float, default=1.0)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--only", default="", help="kinds of faults, by commas; empty: all")
    asked.add_argument("--strength", type=float, default=1.0)
    asked.add_argument("--engines", type=int, default=None, help="as many processes; without: as the seed says")
    asked.add_argument("--bots", type=int, default=None)
    asked.add_argument("--first", action="store_true", help="end at the first run that goes wrong")
    asked.add_argument("--log", action="store_true", help="print the trace (one seed)")
    given = asked.parse_args()
    first, last = map(int, given.seeds.split(":"))
    only = tuple(kind for kind in given.only.split(",") if kind)
    plans = [Plan(seed, given.days, only, given.strength, given.bots, given.engines) for seed in range(first, last)]
    if given.log:
        plans[0].log = []
        outcome = simulate(plans[0])
        say("".join(plans[0].log or ()), *outcome.wrong)
        return bool(outcome.wrong)
    began, found, done = time.perf_counter(), 0, []
    for outcome in outcomes(plans, given.jobs):
        done.append(outcome)
        if outcome.wrong:
            found += 1
            say(f"seed {outcome.seed}: {len(outcome.wrong)} wrong, {outcome.trace}")
            for what in outcome.wrong[:5]:
                say(f"    {what[:1200]}")
            if given.first:
                break
    say(table(done, time.perf_counter() - began))
    return 1 if found else 0


def table(done: list[Outcome], took_s: float) -> str:
    """What was done."""
    given: Counter[str] = sum((one.given for one in done), Counter())
    bot_days = sum(one.days * one.bots for one in done)
    rows = [
        ("runs", len(done)),
        ("runs that went wrong", sum(bool(one.wrong) for one in done)),
        ("simulated days", round(sum(one.days for one in done), 1)),
        ("simulated bot-days", round(bot_days, 1)),
        ("orders at the exchange", sum(one.orders for one in done)),
        ("trades", sum(one.fills for one in done)),
        ("steps in journals", sum(one.steps for one in done)),
        ("times all was checked", sum(one.checks for one in done)),
        ("crashes", sum(one.kills for one in done)),
        ("bot-days a second", round(bot_days / took_s, 2)),
        *((f"fault: {kind}", given[kind]) for kind in SHARES),
    ]
    return "\n".join(f"{name:32}{count:>12}" for name, count in rows)


if __name__ == "__main__":
    sys.exit(main())

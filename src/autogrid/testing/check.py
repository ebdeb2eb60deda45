"""The test kit for strategies: `check_strategy` runs one over made-up markets and holds it to every law.

    from autogrid.testing.check import check_strategy, strategy_in

    def test_dip() -> None:
        check_strategy(strategy_in("~/.local/share/autogrid/strategies/dip.py"), {"drop": "0.03"})

The laws are those that the built-in strategies are held to; docs/guide/write-a-strategy.md says what each is about.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from autogrid.backtesting.tapes import Tape
from autogrid.services.own_strategies import entries_of
from autogrid.storage.codecs import forget, learn
from autogrid.testing import forms, laws
from autogrid.testing.candles import candles
from autogrid.testing.fault import Again, StrategyFault, telling
from autogrid.testing.play import Case
from autogrid.testing.tapes import intervals, made_up
from autogrid.trading.candle import MINUTE_MS
from autogrid.trading.market import Market
from autogrid.trading.money import use_exact_figures
from autogrid.trading.strategies.catalogue import Entry
from autogrid.trading.strategies.strategy import AnyStrategy

ONCE: Final[Mapping[str, laws.Law]] = {
    "declared": forms.declared,
    "configuration": forms.configuration,
    "preview": forms.previewed,
}
"""Laws of the declaration: looked at once."""
RUNNING: Final[Mapping[str, laws.Law]] = {
    "pure": laws.pure,
    "deterministic": laws.deterministic,
    "resumable": laws.resumable,
    "replayed": laws.replayed,
    "funds": laws.funds,
    "figures": laws.figures,
    "reports": laws.reports,
    "candles": candles,
    "skip": laws.skip,
    "parts": laws.parts,
    "cuts": laws.cuts,
    "late": laws.late,
    "rough": laws.rough,
    "stop": laws.stop,
    "pause": laws.pause,
    "future": laws.future,
}
"""Laws of a run: looked at on every tape."""

MARKET: Final = Market(
    base="BTC",
    quote="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)
INVESTMENT: Final = Decimal(10_000)
PRICE: Final = Decimal(10_000)
SEEDS: Final = (1, 2, 3, 4, 5)
THOROUGH: Final = tuple(range(1, 26))
CANDLES: Final = 120
LONG: Final = 400
"""Candles of a tape on which a strategy warms up for long; four of them are enough."""


class Checked(NamedTuple):
    """What a strategy went through."""

    runs: int
    events: int
    orders: int
    fills: int


def check_strategy(  # noqa: PLR0913
    entry: Entry,
    config: Mapping[str, str] | None = None,
    market: Market = MARKET,
    investment: Decimal = INVESTMENT,
    *,
    price: Decimal = PRICE,
    seeds: Sequence[int] = (),
    tapes: Sequence[Tape] = (),
    only: Sequence[str] = (),
    thorough: bool = False,
) -> Checked:
    """Hold the strategy of `entry` to every law, in a few seconds; `thorough` takes a minute or more.

    `config`: as `--set` gives it; None: all defaults. `price`: where the made-up tapes begin. `seeds`: of those tapes.
    `tapes`: of your own, instead. `only`: names of laws, to look at these alone. Raises `StrategyFault`.
    """
    use_exact_figures()
    given = dict(config or {})
    many = 6 if thorough else 2
    again = _Call(entry.name, given, price)
    _must_know(only)
    with _storable(entry, again):
        chosen = tuple(seeds) or (THOROUGH if thorough else SEEDS)
        cases = [Case(entry, given, market, investment, tape, number, many) for number, tape in enumerate(tapes)]
        size = float(investment / price)
        if not cases:
            first = made_up(0, price, 2, MINUTE_MS, market.tick, size)
            strategy = _built(Case(entry, given, market, investment, first, 0, many), again)
            interval_ms, length = intervals(strategy.timeframe_ms, strategy.warm_up, CANDLES)
            if length > LONG and not seeds and not thorough:
                chosen = chosen[:4]
            for seed in chosen:
                tape = made_up(seed, price, length, interval_ms, market.tick, size)
                cases.append(Case(entry, given, market, investment, tape, seed, many))
        for name, law in ONCE.items():
            if not only or name in only:
                _hold(name, law, cases[0], again)
        for case in cases:
            for name, law in RUNNING.items():
                if not only or name in only:
                    _hold(name, law, case, again)
    checked = Checked(*(sum(case.counts[what] for case in cases) for what in ("runs", "events", "orders", "fills")))
    if not only and not checked.fills:
        sentence = (
            "nothing was traded on any tape, so nothing was shown; give config=, price= or tapes= that make it trade"
        )
        raise StrategyFault("it trades", sentence, "", again.words((), "", given=tuple(seeds)))
    return checked


def strategy_in(path: str | Path, name: str | None = None) -> Entry:
    """The strategy that a file defines; where it defines several, the one of that name."""
    entries = {entry.name: entry for entry in entries_of(Path(path).expanduser())}
    return entries[name] if name else next(iter(entries.values()))


class _Call(NamedTuple):
    """How a check is called."""

    name: str
    config: Mapping[str, str]
    price: Decimal

    def words(self, seeds: Sequence[int], law: str, given: Sequence[int] = ()) -> Again:
        price = "" if self.price == PRICE else f", price=Decimal('{self.price}')"
        seeded = f", seeds={tuple(seeds or given)}" if seeds or given else ""
        only = f", only=('{law}',)" if law else ""
        words = f"check_strategy({self.name}, {dict(self.config)}{price}{seeded}{only})"
        return Again(words, tuple(seeds or given), law)


def _hold(name: str, law: laws.Law, case: Case, again: _Call) -> None:
    case.seen.clear()
    seeds = (case.seed,) if case.tape.source.startswith("made up from seed") else ()
    where = f" on the tape {case.tape.source}"
    with telling(name, again.words(seeds, name), lambda: where + (case.where() if name in RUNNING else "")):
        law(case)


def _built(case: Case, again: _Call) -> AnyStrategy:
    with telling("configuration", again.words((), "configuration"), lambda: " before the first event"):
        return case.build()


@contextmanager
def _storable(entry: Entry, again: _Call) -> Iterator[None]:
    """The records of its memory can be kept while it is looked at."""
    with telling("declared", again.words((), "declared"), lambda: ""):
        new = learn(entry.records)
    try:
        yield
    finally:
        forget(new)


def _must_know(names: Sequence[str]) -> None:
    known = {**ONCE, **RUNNING}
    strange = [name for name in names if name not in known]
    if strange:
        raise ValueError(f"there is no law '{strange[0]}'; the laws are {', '.join(known)}")

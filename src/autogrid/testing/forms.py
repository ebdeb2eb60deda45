"""The laws of what is declared: the catalogue's entry, the configuration with its limits, the preview."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from autogrid.services.own_strategies import check_entry
from autogrid.storage.codecs import KINDS
from autogrid.testing.fault import Broken
from autogrid.testing.play import Case
from autogrid.testing.words import must_have_methods
from autogrid.trading.bot import Bot
from autogrid.trading.event import Started, Tick
from autogrid.trading.ledger import opened
from autogrid.trading.money import ZERO
from autogrid.trading.risk import Limits
from autogrid.trading.strategies.catalogue import UnableToAddStrategy
from autogrid.trading.strategies.fields import Field, UnableToConfigure
from autogrid.trading.strategies.preview import Preview

CROOKED: Final = (
    *("", " ", "abc", "-1", "0", "1", "0.5", "1.5", "100000", "NaN", "Infinity", "1e400", "-1e18", "ü", "1_000"),
    *("99999999999999999999999", "0.0000000000000000001", "0.000000000000000001", "999999999999999999"),
)
"""What people type into a field."""
MANY: Final = Decimal(100_000)
"""A count without an upper limit is not tried with more than this."""


def declared(case: Case) -> None:
    """The entry is complete, and its JSON Schema can be written."""
    entry = case.entry
    try:
        check_entry(entry)
    except UnableToAddStrategy as refusal:
        raise Broken(str(refusal)) from None
    for words, what in ((entry.title, "title"), (entry.title_pt, "title_pt"), (entry.help, "help")):
        if not words.strip():
            raise Broken(f"the entry has no {what}")
    json.dumps(entry.schema(), allow_nan=False)
    for field in entry.fields:
        if not (field.title.strip() and field.help.strip()):
            raise Broken(f"the field {field.key} has no title or no help")
        if field.default is not None:
            try:
                field.read(field.default)
            except UnableToConfigure as refusal:
                raise Broken(f"the default of {field.key} breaks its own limits: {refusal}") from None
    strategy = case.build()
    must_have_methods(strategy)
    if strategy.name != entry.name:
        raise Broken(f"the strategy calls itself '{strategy.name}', its entry '{entry.name}'; they must be one")
    if type(strategy.start()).__name__ not in KINDS:
        raise Broken(f"{type(strategy.start()).__name__} does not stand in the records of the entry: it cannot be kept")
    if dict(strategy.config) != dict(case.config):
        raise Broken("strategy.config is not the configuration that was given; hand it to super().__init__ as it is")


def configuration(case: Case) -> None:
    """What is typed is built or refused with `UnableToConfigure`; nothing else is raised, now or at the start."""
    if not _starts(case, case.config):
        raise Broken("the configuration of this check is refused; give config=… and price=… that it accepts")
    for config in _crooked(case):
        try:
            _starts(case, config)
        except Exception as fault:
            given = {key: value for key, value in config.items() if case.config.get(key) != value}
            raise Broken(f"{given} raises {type(fault).__name__}: {fault}; raise UnableToConfigure") from fault


def previewed(case: Case) -> None:
    """The preview comes out, twice alike, and can be told as JSON."""
    price = _first_price(case)
    entry, strategy = case.entry, case.build()
    shown = entry.preview(strategy, price)
    if shown != entry.preview(strategy, price):
        raise Broken("the preview says something else when asked again")
    if isinstance(shown, Preview):
        for row in shown.rows:
            if len(row.cells) != len(shown.columns):
                raise Broken(
                    f"a row of the preview has {len(row.cells)} cells, and there are {len(shown.columns)} columns"
                )


def _crooked(case: Case) -> Iterator[Mapping[str, str]]:
    yield {**case.config, "there is no such key": "1"}
    yield {}
    for field in case.entry.fields:
        for given in _tried(field):
            yield {**case.config, field.key: given}
        yield {key: value for key, value in case.config.items() if key != field.key}


def _tried(field: Field) -> Iterator[str]:
    yield from field.choices
    yield from ("yes", "no", "1m", "1h", "1w", "1h,1d", "none")
    for given in CROOKED:
        unlimited = field.kind in ("count", "duration") and field.most is None
        if not (unlimited and given.isdecimal() and Decimal(given) > MANY):
            yield given
    for bound in (field.least, field.most):
        if bound is not None:
            yield from (format(bound, "f"), format(bound + 1, "f"), format(bound - 1, "f"))


def _starts(case: Case, config: Mapping[str, str]) -> bool:
    """Whether a bot with that configuration starts; False where it is refused."""
    price = _first_price(case)
    try:
        strategy = case.entry.build(dict(config), case.market, case.investment)
        strategy.check(strategy.trigger or price)
        case.entry.preview(strategy, price)
    except UnableToConfigure:
        return False
    bot = Bot(case.market, Limits(case.investment, breakers=False))
    state = bot.start(strategy, opened(case.investment, strategy.own_base, price))
    for event in (Started(0, "k"), Tick(1, price), Tick(60_000, price * 2), Tick(120_000, price / 2)):
        state = bot.step(state, event).state
    if state.ledger.quote < ZERO:
        raise Broken("the quote fell below zero")
    return True


def _first_price(case: Case) -> Decimal:
    return Decimal(case.tape.prices.item(0, 0)) * case.tape.unit

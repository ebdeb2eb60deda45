"""What is written is read back exactly; what is not known exactly is refused."""

import dataclasses
import json
import time
from collections.abc import Mapping
from decimal import Decimal
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autogrid.storage.codecs import KINDS, UnableToReadRecord
from autogrid.storage.encoding import (
    decode,
    decode_any,
    decode_changes,
    decode_config,
    decode_many,
    encode,
    encode_changes,
    encode_config,
    encode_many,
)
from autogrid.trading import event, ledger, market, order, plan, risk, state
from autogrid.trading.event import Cancelled, EditAsked, Filled, Tick
from autogrid.trading.ledger import Ledger
from autogrid.trading.order import Order
from autogrid.trading.plan import Cancel, Place
from autogrid.trading.state import BotState, Step
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.grid import memory as grid_memory
from autogrid.trading.strategies.grid.grid import Grid
from autogrid.trading.strategies.grid.memory import GridMemory
from autogrid.trading.strategies.strategy import Strategy
from tests.builders import FOUR_CELLS, PLAIN_MARKET, D, Hand, bot_of, new_order

ROOMS = (event, ledger, market, order, plan, risk, state, grid_memory)
GRID = Grid(FOUR_CELLS, PLAIN_MARKET, D(10_000))

figures = st.decimals(allow_nan=False, allow_infinity=False, min_value=D(-(10**30)), max_value=D(10**30))


def records_of(module: ModuleType) -> list[type]:
    """The named tuples and dataclasses that a module defines."""
    return [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and (hasattr(thing, "_fields") or dataclasses.is_dataclass(thing))
    ]


PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Decimal: figures,
    int: st.integers(),
    str: st.text(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
    Any: st.deferred(lambda: instances(GridMemory)),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field with that type hint may have."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and hint in KINDS.values():
        return st.deferred(lambda: instances(hint))
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, UnionType):
        return st.one_of([values_of(one) for one in inner])
    if origin is Mapping:
        return st.dictionaries(st.text(), values_of(inner[1]), max_size=3)
    if origin in (frozenset, tuple):
        fixed = origin is tuple and inner[-1] is not ...
        return st.tuples(*map(values_of, inner)) if fixed else st.lists(values_of(inner[0]), max_size=3).map(origin)
    assert origin is Strategy, hint
    return st.just(GRID)


def instances(kind: type) -> st.SearchStrategy[Any]:
    """Any record of that kind."""
    hints = get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind) if f.init] if dataclasses.is_dataclass(kind) else list(hints)
    given = st.fixed_dictionaries({name: values_of(hints[name]) for name in names})
    return given.map(lambda values: kind(**values))


def rebuild(name: str, config: Mapping[str, str]) -> Any:
    return build(name, config, PLAIN_MARKET, D(10_000))


@pytest.mark.parametrize("module", ROOMS, ids=lambda module: module.__name__)
def test_every_kind_of_record_can_be_written(module: ModuleType) -> None:
    found = records_of(module)
    assert found
    missing = [kind.__name__ for kind in found if KINDS.get(kind.__name__) is not kind]
    assert not missing, f"add {missing} to KINDS in storage/codecs.py"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(data=st.data())
def test_what_is_written_is_read_back(kind: str, data: st.DataObject) -> None:
    record = data.draw(instances(KINDS[kind]))
    written = encode(record)
    again: Any = decode(KINDS[kind], written, rebuild)
    assert again == record
    assert type(again) is type(record)
    assert encode(again) == written


@given(st.lists(instances(Place) | instances(Cancel)))
def test_several_records_are_read_back_in_order(commands: list[Any]) -> None:
    again = decode_many(encode_many(commands))
    assert again == tuple(commands)
    assert [type(one) for one in again] == [type(one) for one in commands]


@settings(max_examples=15)
@given(instances(BotState), instances(BotState))
def test_the_changes_of_a_state_lead_from_the_one_to_the_other(before: BotState, after: BotState) -> None:
    assert decode_changes(encode_changes(before, after), before) == after
    assert encode_changes(after, after) == ""


@given(st.dictionaries(st.text(), st.text()))
def test_a_configuration_is_read_back(config: dict[str, str]) -> None:
    assert decode_config(encode_config(config)) == config


def test_records_that_are_equal_as_tuples_keep_their_kinds() -> None:
    cancelled = Cancelled(1, "n-1-a")
    assert type(decode_any(encode(cancelled))) is Cancelled
    with pytest.raises(UnableToReadRecord, match="Cancelled stands where Tick is expected"):
        decode(Tick, encode(cancelled))


def test_the_form_of_the_journal_stays_as_it_is() -> None:
    """Such texts stand in databases; a change here needs another version, and a way to read this one."""
    fill = Filled(5, "n-1-0-0b", "t9", D("98000.10"), D("0.00100"), D("0.001"), "BTC", D("0E+3"), True)
    assert encode(fill) == (
        '{"version":3,"record":"Filled","at_ms":5,"order_id":"n-1-0-0b","fill_id":"t9","price":"98000.1",'
        '"quantity":"0.001","fee":"0.001","fee_asset":"BTC","fee_value":"0","maker":true}'
    )
    assert encode_many([Place(new_order()), Cancel("x")]) == (
        '{"version":3,"records":[{"record":"Place","order":{"record":"Order","status":"intended","filled":"0",'
        '"value":"0","fee_base":"0","fee_quote":"0","fee_value":"0","fill_ids":[],"id":"n-1-0-0b","slot":"0-0b",'
        '"side":"buy","kind":"limit","price":"100","quantity":"1","cancel_asked":false,"trigger":null,'
        '"stop_price":null},"initial":false,"exits":false,"why":""},{"record":"Cancel","order_id":"x"}]}'
    )
    assert encode(EditAsked(1, {"upper": "2"})) == (
        '{"version":3,"record":"EditAsked","at_ms":1,"config":{"upper":"2"}}'
    )


TICK = {"version": 3, "record": "Tick", "at_ms": 1, "price": "2", "traded": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 4},
        {"version": True},
        {"version": None},
        {"record": "Tock"},
        {"record": None},
        {"price": 2},
        {"price": 2.5},
        {"price": "2e5"},
        {"price": "NaN"},
        {"price": "Infinity"},
        {"price": ""},
        {"price": " 2"},
        {"price": "1_000"},
        {"price": "٢"},
        {"at_ms": "1"},
        {"at_ms": True},
        {"at_ms": 1.0},
        {"traded": 1},
        {"volume": "1"},
    ],
    ids=str,
)
def test_what_is_not_known_exactly_is_refused(wrong: dict[str, Any]) -> None:
    assert decode(Tick, json.dumps(TICK)) == Tick(1, D(2), True)
    with pytest.raises(UnableToReadRecord, match="restore a backup"):
        decode(Tick, json.dumps({**TICK, **wrong}))


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"Tick"', "null", json.dumps({"version": 1})])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(UnableToReadRecord):
        decode_any(text)


def test_a_field_that_is_missing_is_refused() -> None:
    for name in ("at_ms", "price", "traded"):
        with pytest.raises(UnableToReadRecord, match=name):
            decode_any(json.dumps({key: value for key, value in TICK.items() if key != name}))


def test_a_record_of_the_wrong_kind_inside_another_is_refused() -> None:
    text = encode(Place(new_order())).replace('"record":"Order"', '"record":"Cell"')
    with pytest.raises(UnableToReadRecord, match="Cell stands where Order is expected"):
        decode_any(text)


@pytest.mark.parametrize(("name", "value"), [("status", "lost"), ("side", "hold"), ("kind", "iceberg")])
def test_a_word_that_does_not_exist_is_refused(name: str, value: str) -> None:
    text = json.dumps({**json.loads(encode(new_order())), name: value})
    with pytest.raises(UnableToReadRecord, match=value):
        decode(Order, text)


def test_changes_of_a_field_that_a_state_has_not_are_refused() -> None:
    _, first = bot_of()
    with pytest.raises(UnableToReadRecord, match="mood"):
        decode_changes('{"version":3,"mood":"low"}', first)


def test_a_float_is_never_written() -> None:
    price: Any = 1.5
    with pytest.raises(AssertionError, match="no figure of money"):
        encode(Tick(1, price))


def test_a_state_without_its_strategy_is_refused() -> None:
    _, first = bot_of()
    with pytest.raises(UnableToReadRecord, match="grid"):
        decode(BotState, encode(first))


def test_a_step_of_fifty_cells_is_written_in_well_under_a_millisecond() -> None:
    bot, first = bot_of({"lower": "8000", "upper": "12000", "grids": "50"})
    hand = Hand(bot, first).started()
    hand.price("10000")
    hand.accept_all()
    hand.fill("open-0")
    hand.accept_all()
    before = hand.state
    step = hand.fill(next(slot for slot, one in before.standing.items() if one.side == "buy"))
    moved = before._replace(price=D("10000.01"), at_ms=before.at_ms + 1)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        encode(step.event), encode_many(step.commands), encode_many(step.refused), encode_changes(before, moved)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.000_5
    assert isinstance(step, Step)
    assert isinstance(before.ledger, Ledger)

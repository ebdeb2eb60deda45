"""What versions 1 and 2 wrote is read; what no version wrote is refused."""

import json

import pytest

from autogrid.storage.codecs import UnableToReadRecord
from autogrid.storage.encoding import decode, decode_many, encode, encode_many
from autogrid.storage.upgrades import SINCE_1, SINCE_2
from autogrid.trading.event import Accepted
from autogrid.trading.market import Market
from autogrid.trading.plan import Place, Target
from autogrid.trading.strategies.dca.memory import DcaMemory
from autogrid.trading.strategies.signals.held import HeldEntry, Terms
from tests.builders import D, new_order
from tests.trading.made_up_dca import bot_with


def as_version(version: int, text: str) -> str:
    """`text` without the fields that this version did not have."""
    later = (SINCE_1, SINCE_2) if version == 1 else (SINCE_2,)

    def older(value: object) -> object:
        if isinstance(value, list):
            return [older(one) for one in value]
        if not isinstance(value, dict):
            return value
        gone = {name for since in later for name in since.get(str(value.get("record")), {})}
        return {name: older(one) for name, one in value.items() if name not in gone}

    found = older(json.loads(text))
    assert isinstance(found, dict)
    return json.dumps(found | {"version": version})


def as_version_1(text: str) -> str:
    return as_version(1, text)


def test_commands_of_version_1_are_read_as_if_their_new_fields_had_always_been_empty() -> None:
    places = [Place(new_order(), initial=True), Place(new_order(), exits=True)]
    assert list(decode_many(as_version_1(encode_many(places)))) == places


def test_a_record_of_version_1_inside_another_is_read_too() -> None:
    target = Target("0-0b", "buy", D(100), D(1))
    assert decode(Target, as_version_1(encode(target))) == target


def test_a_record_of_version_1_that_lacks_another_field_is_refused() -> None:
    written = json.loads(as_version_1(encode(Target("0-0b", "buy", D(100), D(1)))))
    del written["alone"]
    with pytest.raises(UnableToReadRecord, match="alone"):
        decode(Target, json.dumps(written))


def test_a_record_of_this_version_that_lacks_a_new_field_is_refused() -> None:
    written = json.loads(encode(Target("0-0b", "buy", D(100), D(1))))
    del written["why"]
    with pytest.raises(UnableToReadRecord, match="why"):
        decode(Target, json.dumps(written))


def test_texts_that_version_2_wrote_are_read() -> None:
    """As they stand in databases."""
    accepted = '{"version":2,"record":"Accepted","at_ms":5,"order_id":"n-1-0-0b"}'
    assert decode(Accepted, accepted) == Accepted(5, "n-1-0-0b", "")
    placed = (
        '{"version":2,"records":[{"record":"Place","order":{"record":"Order","status":"intended","filled":"0",'
        '"value":"0","fee_base":"0","fee_quote":"0","fee_value":"0","fill_ids":[],"id":"n-1-0-0b","slot":"0-0b",'
        '"side":"buy","kind":"limit","price":"100","quantity":"1","cancel_asked":false},"initial":false,'
        '"exits":false,"why":""}]}'
    )
    assert decode_many(placed) == (Place(new_order()),)


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_bot_of_an_older_version_held_has_no_stop_at_the_exchange(version: int) -> None:
    bot, state = bot_with({"stop_loss": "0.05"})
    assert decode(DcaMemory, as_version(version, encode(state.memory))) == state.memory
    assert decode(Market, as_version(version, encode(bot.market))).stops == "none"
    entry = HeldEntry(1, "open", Terms(True, D("0.02"), D("0.04"), D(0)), D(100), D(1), 0, "")
    assert decode(HeldEntry, as_version(version, encode(entry))) == entry


def test_a_record_of_version_2_that_lacks_a_field_of_version_1_is_refused() -> None:
    written = json.loads(as_version(2, encode(Target("0-0b", "buy", D(100), D(1)))))
    del written["why"]
    with pytest.raises(UnableToReadRecord, match="why"):
        decode(Target, json.dumps(written))


def test_an_order_with_a_stop_is_read_back() -> None:
    order = new_order("sell", kind="oco")._replace(trigger=D("95"), stop_price=D("94.5"))
    assert decode_many(encode_many([Place(order)])) == (Place(order),)

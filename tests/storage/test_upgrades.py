"""What version 1 wrote is read; what no version wrote is refused."""

import json

import pytest

from autogrid.storage.codecs import UnableToReadRecord
from autogrid.storage.encoding import decode, decode_many, encode, encode_many
from autogrid.storage.upgrades import SINCE_1
from autogrid.trading.plan import Place, Target
from tests.builders import D, new_order


def as_version_1(text: str) -> str:
    """`text` without the fields that version 1 did not have."""

    def older(value: object) -> object:
        if isinstance(value, list):
            return [older(one) for one in value]
        if not isinstance(value, dict):
            return value
        gone = SINCE_1.get(str(value.get("record")), {})
        return {name: older(one) for name, one in value.items() if name not in gone}

    found = older(json.loads(text))
    assert isinstance(found, dict)
    return json.dumps(found | {"version": 1})


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

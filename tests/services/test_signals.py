"""Alerts from outside: read strictly, counted once, limited."""

import hashlib
import hmac
import json

import pytest

from autogrid.services.signals import Alert, UnableToReadAlert, is_signed, read_alert
from tests.builders import D


@pytest.mark.parametrize(
    ("body", "alert"),
    [
        ({"action": "buy", "id": "7"}, Alert("7", "enter", None)),
        ({"action": "LONG", "id": 7, "size": "0.25"}, Alert("7", "enter", D("0.25"))),
        ({"action": "close", "id": "a", "price": "64000.5", "ticker": "BTCUSDT"}, Alert("a", "leave", None)),
        ({"action": "sell", "id": "a", "size": 0.5}, Alert("a", "leave", D("0.5"))),
    ],
)
def test_an_alert_is_read(body: dict[str, object], alert: Alert) -> None:
    assert read_alert(json.dumps(body).encode()) == alert


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"buy", "not JSON"),
        (b'["buy"]', "no JSON object"),
        (b"{}", "action is ''"),
        (b'{"action": "short"}', "action is 'short'"),
        (b'{"action": "buy", "leverage": 10}', "unknown key 'leverage'"),
        (b'{"action": "buy", "size": "2"}', "size is 2"),
        (b'{"action": "buy", "size": "lots"}', "'lots' is not a number"),
        (b'{"action": "buy", "id": ""}', "1 to 64 characters"),
        (b'{"action": "buy", "id": "' + b"x" * 65 + b'"}', "1 to 64 characters"),
        (b'{"action": "buy", "id": ["x"]}', "1 to 64 characters"),
        (b" " * 5000, "5000 bytes"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_what_is_no_alert_is_refused_with_what_would_be(body: bytes, says: str) -> None:
    with pytest.raises(UnableToReadAlert, match=says.replace("(", "\\(")):
        read_alert(body)


def test_an_alert_without_an_id_counts_by_its_text() -> None:
    one, same, other = (read_alert(body) for body in (b'{"action":"buy"}', b'{"action":"buy"}', b'{"action":"buy" }'))
    assert one.id == same.id != other.id


def test_only_the_secret_signs() -> None:
    body = b'{"action":"buy"}'
    right = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert is_signed(body, "secret", right)
    assert is_signed(body, "secret", f" {right.upper()}\n")
    assert not is_signed(body, "other", right)
    assert not is_signed(body + b" ", "secret", right)
    assert not is_signed(body, "secret", "")

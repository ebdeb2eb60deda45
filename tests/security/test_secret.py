"""A secret shows itself to nobody who does not ask for it."""

import copy
import json
import logging
import pickle
import traceback

import pytest

from autogrid.security.secret import HIDDEN, Secret, scrubbed

CANARY = "kanarienvogel-7f3a"


@pytest.mark.parametrize(
    "shown",
    [str, repr, lambda secret: f"{secret}", lambda secret: f"{secret!r:>30}", lambda secret: f"{[secret]}"],
)
def test_no_way_of_printing_shows_it(shown: object) -> None:
    assert callable(shown)
    found = shown(Secret(CANARY))
    assert CANARY not in found
    assert HIDDEN in found


def test_it_appears_in_no_log_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with pytest.raises(ValueError) as caught:
        raise ValueError(f"bad {secret}", secret)
    logging.getLogger("any").error("it failed with %s", secret, exc_info=caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in caplog.text
    assert HIDDEN in caplog.text


def test_it_is_neither_pickled_nor_copied_nor_written_as_json() -> None:
    secret = Secret(CANARY)
    for act in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as caught:
            act(secret)
        assert CANARY not in str(caught.value)
    assert not hasattr(secret, "__dict__")


def test_it_gives_its_text_when_asked_and_is_equal_to_one_of_the_same_text_only() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert not Secret("")


def test_words_of_others_are_scrubbed_of_it() -> None:
    words = scrubbed(f"GET /a?key={CANARY}&again={CANARY}", Secret(CANARY), Secret(""))
    assert words == f"GET /a?key={HIDDEN}&again={HIDDEN}"

"""Which keys may be used: every combination of what a key may do."""

import itertools

import pytest

from autogrid.engine.venue import Rights
from autogrid.services.key_rights import judge

SAFE = Rights(reads=True, trades=True, withdraws=False, bound=True)


@pytest.mark.parametrize(
    ("rights", "vouched", "state", "says"),
    [
        (SAFE, False, "good", ""),
        (SAFE, True, "good", ""),
        (SAFE._replace(withdraws=True), False, "refused", "withdraw"),
        (SAFE._replace(withdraws=True), True, "refused", "withdraw"),
        (SAFE._replace(trades=False), True, "refused", "may not trade"),
        (SAFE._replace(reads=False), True, "refused", "may not read"),
        (SAFE._replace(withdraws=None), False, "unsaid", "--cannot-withdraw"),
        (SAFE._replace(withdraws=None), True, "good", ""),
        (SAFE._replace(trades=None), False, "unsaid", "trade"),
        (SAFE._replace(trades=None), True, "good", ""),
        (SAFE._replace(withdraws=None, trades=False), True, "refused", "may not trade"),
        (Rights(None, None, None, None), False, "unsaid", "MEXC does not say"),
        (Rights(None, None, None, None), True, "good", ""),
    ],
)
def test_the_verdict_over_a_key(rights: Rights, vouched: bool, state: str, says: str) -> None:
    verdict = judge("mexc", rights, vouched=vouched)
    assert (verdict.state, bool(verdict.reason)) == (state, state != "good")
    assert says in verdict.reason


def test_no_combination_lets_a_key_through_that_can_withdraw_or_of_which_that_is_not_known() -> None:
    for said in itertools.product((True, False, None), repeat=4):
        rights = Rights(*said)
        for vouched in (True, False):
            verdict = judge("binance", rights, vouched=vouched)
            if verdict.state == "good":
                assert rights.withdraws is not True
                assert rights.trades is not False
                assert rights.reads is not False
                assert vouched or (rights.withdraws is False and rights.trades is True and rights.reads is True)
            assert (verdict.state == "unsaid") <= (None in said[:3])


def test_a_key_that_works_from_anywhere_is_warned_of() -> None:
    assert judge("bybit", SAFE, vouched=False).warnings == ()
    (warning,) = judge("bybit", SAFE._replace(bound=False), vouched=False).warnings
    assert "bind it" in warning
    assert "Bybit" in warning
    (warning,) = judge("bybit", SAFE._replace(bound=None), vouched=False).warnings
    assert "does not say" in warning


def test_who_vouches_is_told_for_what() -> None:
    warnings = judge("mexc", SAFE._replace(withdraws=None), vouched=True).warnings
    assert "you vouch" in warnings[0]
    assert "withdraw nor transfer" in warnings[0]

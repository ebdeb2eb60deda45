"""Binance's rate limits."""

import pytest

from autogrid.simulator.binance.limits import Limits, Window
from autogrid.simulator.binance.refusals import UnableToAnswer


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000 // 86_400_000 * 86_400_000

    def __call__(self) -> int:
        return self.ms


def status(limits: Limits, weight: int = 1, orders: int = 0) -> tuple[int, int | None]:
    try:
        limits.ask(weight, orders)
    except UnableToAnswer as refusal:
        return refusal.status, refusal.wait_s
    return 200, None


def test_a_window_forgets_at_the_next_whole_stretch() -> None:
    window = Window(10_000, 2)
    assert [window.use(1, 1_000), window.use(1, 9_999), window.use(1, 9_999), window.use(1, 10_000)] == [
        True,
        True,
        False,
        True,
    ]
    assert (window.used(19_999), window.used(20_000)) == (1, 0)
    assert (window.left_s(10_000), window.left_s(19_999)) == (10, 1)


def test_who_goes_beyond_the_weight_is_told_how_long_to_wait_and_who_does_not_is_banned() -> None:
    clock = Clock()
    limits = Limits(clock)
    assert status(limits, 6000) == (200, None)
    clock.ms += 20_000
    assert status(limits) == (429, 40)
    clock.ms += 1_000
    assert status(limits) == (418, 120)
    clock.ms += 119_000
    assert status(limits) == (418, 1)
    clock.ms += 1_000
    assert status(limits) == (200, None)
    assert limits.refused == 3


def test_who_waits_may_go_on() -> None:
    clock = Clock()
    limits = Limits(clock)
    status(limits, 6001)
    clock.ms += 60_000
    assert status(limits) == (200, None)


def test_orders_are_counted_by_themselves() -> None:
    clock = Clock()
    limits = Limits(clock)
    assert {status(limits, orders=1) for _ in range(100)} == {(200, None)}
    with pytest.raises(UnableToAnswer, match="current limit is 100 orders per 10 SECOND") as refusal:
        limits.ask(1, 1)
    assert (refusal.value.number, refusal.value.status, refusal.value.wait_s) == (-1015, 429, 10)
    assert status(limits) == (200, None)
    clock.ms += 10_000
    assert status(limits, orders=1) == (200, None)


def test_headers_tell_what_was_used() -> None:
    limits = Limits(Clock())
    limits.ask(20, 2)
    assert limits.headers(ordering=True) == {
        "X-MBX-USED-WEIGHT": "20",
        "X-MBX-USED-WEIGHT-1M": "20",
        "X-MBX-ORDER-COUNT-10S": "2",
        "X-MBX-ORDER-COUNT-1D": "2",
    }
    assert "X-MBX-ORDER-COUNT-10S" not in limits.headers(ordering=False)
    limits.slow_down(5)
    limits.forgive()
    assert status(limits) == (200, None)

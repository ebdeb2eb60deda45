"""A clock that goes on evenly, whatever is done to the machine's."""

import time

import pytest

from autogrid.engine.lease import steady_ms
from autogrid.exchanges.ccxt_wire import Wire
from autogrid.exchanges.even_clock import even_ms, even_s
from autogrid.exchanges.public_client import public_client

HOUR_S = 3_600


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_of_the_machines_clock_does_not_move_it(monkeypatch: pytest.MonkeyPatch, jump_s: int) -> None:
    before, real = even_ms(), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + jump_s * 10**9)
    monkeypatch.setattr(time, "time", lambda: (real() + jump_s * 10**9) / 10**9)
    assert before <= even_ms() < before + 60_000
    assert before <= even_s() * 1_000 < before + 60_000


def test_it_goes_on_as_time_does() -> None:
    even, steady = even_ms(), steady_ms()
    while steady_ms() < steady + 5:
        pass
    assert 4 <= even_ms() - even < 60_000


@pytest.mark.asyncio
@pytest.mark.parametrize("exchange", ["binance", "bybit", "mexc"])
async def test_what_an_exchange_is_asked_bears_the_even_time_after_a_jump(
    monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    client = public_client(exchange)
    wire = Wire(client)
    before, real = even_ms(), time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + HOUR_S * 10**9)
    assert before <= client.nonce() < before + 60_000
    assert before <= wire.now_ms() < before + 60_000
    await wire.aclose()

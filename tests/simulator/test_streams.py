"""The sending side of streams: what faults do to events, and what they leave alone."""

import asyncio
from typing import Any

import pytest

from autogrid.simulator.faults import Fault, Faults
from autogrid.simulator.streams import Frame, Subscriber, Subscribers


class Socket:
    """Takes frames and knows when so many have come."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()

    async def send_str(self, frame: str) -> None:
        self.frames.put_nowait(frame)

    async def send_bytes(self, frame: bytes) -> None:
        self.frames.put_nowait(frame)


class Transport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Request:
    def __init__(self) -> None:
        self.transport = Transport()


def subscriber(*faults: Fault) -> tuple[Subscriber, Any, Any]:
    socket, request, wanted = Socket(), Request(), Faults(1)
    for fault in faults:
        wanted.add(fault)
    return Subscriber(socket, request, wanted), socket, request.transport  # type: ignore[arg-type]


async def got(socket: Socket, number: int) -> list[Frame]:
    return [await asyncio.wait_for(socket.frames.get(), 5) for _ in range(number)]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "came"),
    [
        ("", ["one", "two", "three"]),
        ("duplicate-event", ["one", "one", "two", "three"]),
        ("swap-events", ["two", "one", "three"]),
        ("drop-event", ["two", "three"]),
        ("bad-frame", ["o", "one", "two", "three"]),
        ("stall", []),
    ],
)
async def test_a_fault_does_to_the_events_what_its_name_says(kind: str, came: list[str]) -> None:
    stream, socket, _ = subscriber(*([Fault(kind, count=1)] if kind else []))
    for event in ("one", "two", "three"):
        stream.send(event)
    stream.answer("end")
    assert await got(socket, len(came) + 1) == [*came, "end"]
    await stream.close()


@pytest.mark.asyncio
async def test_of_one_order_only_the_newest_update_comes_where_they_coalesce() -> None:
    stream, socket, _ = subscriber(Fault("coalesce", count=2))
    for event, key in (("7 new", "7"), ("7 part", "7"), ("8 new", "8"), ("7 filled", "7")):
        stream.send(event, key)
    assert await got(socket, 3) == ["8 new", "7 part", "7 filled"]
    await stream.close()


@pytest.mark.asyncio
async def test_an_update_replaces_one_of_the_same_order_that_was_held() -> None:
    stream, socket, _ = subscriber(Fault("coalesce", count=1))
    for event in ("7 new", "7 part"):
        stream.send(event, "7")
    stream.answer("end")
    assert await got(socket, 2) == ["7 part", "end"]
    await stream.close()


@pytest.mark.asyncio
async def test_a_held_event_comes_by_itself_where_none_overtakes_it() -> None:
    stream, socket, _ = subscriber(Fault("swap-events", count=1))
    stream.send("one")
    assert await got(socket, 1) == ["one"]
    await stream.close()


@pytest.mark.asyncio
async def test_a_stall_ends_and_what_fell_into_it_is_lost() -> None:
    stream, socket, _ = subscriber(Fault("stall", count=1, ms=20))
    stream.send("one")
    stream.send("two")
    stream.answer("pong")
    assert await got(socket, 1) == ["pong"]
    while socket.frames.empty():
        stream.send("three")
        await asyncio.sleep(0.01)
    assert (await got(socket, 1)) == ["three"]
    await stream.close()


@pytest.mark.asyncio
async def test_a_dropped_stream_breaks_without_a_word() -> None:
    stream, socket, transport = subscriber(Fault("drop-stream", count=1))
    stream.send("one")
    assert transport.aborted
    assert socket.frames.empty()
    await stream.close()


@pytest.mark.asyncio
async def test_all_streams_are_dropped_or_silenced_together() -> None:
    stream, socket, transport = subscriber()
    everyone = Subscribers()
    everyone.add(stream)
    assert everyone.stall() == 1
    stream.send("one")
    assert everyone.drop() == len(everyone) == 1
    assert transport.aborted
    everyone.remove(stream)
    assert len(everyone) == 0
    await stream.close()
    assert socket.frames.empty()

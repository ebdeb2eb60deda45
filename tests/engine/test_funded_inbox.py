"""A deposit is handed on once the account was asked, and what is asked of funds keeps its order."""

import asyncio
from collections.abc import Callable

import pytest

from autogrid.trading.event import Event, FundsAsked, PauseAsked, ResumeAsked
from autogrid.trading.money import Amount
from autogrid.wiring.funded_inbox import FundedInbox
from tests.builders import D


def asked(amount: str) -> Callable[[int], Event]:
    return lambda at_ms: FundsAsked(at_ms, D(amount))


def taken(inbox: FundedInbox) -> list[Event]:
    found = []
    while (one := inbox.take()) is not None:
        found.append(one(7))
    return found


def pause(at_ms: int) -> Event:
    return PauseAsked(at_ms, cancel=False)


@pytest.mark.asyncio
async def test_what_comes_behind_a_deposit_waits_for_it_and_a_pause_does_not() -> None:
    may_answer = asyncio.Event()

    async def unable(amount: Amount) -> str:
        await may_answer.wait()
        return "too much" if amount > 100 else ""

    inbox = FundedInbox(unable)
    inbox.put(1, asked("500"))
    inbox.put(2, asked("-5"))
    inbox.put(3, asked("50"))
    inbox.put(4, ResumeAsked)
    inbox.put(5, pause)
    inbox.put(1, asked("500"))
    await asyncio.sleep(0)
    assert taken(inbox) == [pause(7)]
    may_answer.set()
    await asyncio.sleep(0.01)
    inbox.put(1, asked("500"))
    inbox.put(6, ResumeAsked)
    assert taken(inbox) == [
        FundsAsked(7, D("500"), "too much"),
        FundsAsked(7, D("-5")),
        FundsAsked(7, D("50")),
        ResumeAsked(7),
        ResumeAsked(7),
    ]


@pytest.mark.asyncio
async def test_a_fault_of_the_question_refuses_that_deposit_with_its_words_and_the_next_is_asked_about() -> None:
    faults = [ValueError("no such record")]

    async def unable(_: Amount) -> str:
        if faults:
            raise faults.pop()
        return ""

    inbox = FundedInbox(unable)
    inbox.put(1, asked("500"))
    inbox.put(2, asked("5"))
    await asyncio.sleep(0.01)
    first, second = taken(inbox)
    assert isinstance(first, FundsAsked)
    assert "no such record" in first.refused
    assert second == FundsAsked(7, D("5"))


@pytest.mark.asyncio
async def test_a_closed_inbox_asks_no_more() -> None:
    inbox = FundedInbox(lambda _: asyncio.sleep(60, ""))
    inbox.put(1, asked("5"))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.sleep(0.01)
    assert taken(inbox) == []
    assert inbox._working is not None
    assert inbox._working.cancelled()

"""A deposit is handed on once the account was asked, and what is asked of funds keeps its order."""

import asyncio
from collections.abc import Callable

import pytest

from autogrid.trading.event import Event, FundsAsked, PauseAsked
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


@pytest.mark.asyncio
async def test_what_is_asked_of_funds_keeps_its_order_and_nothing_else_waits_for_the_account() -> None:
    may_answer = asyncio.Event()

    async def unable(amount: Amount) -> str:
        await may_answer.wait()
        return "too much" if amount > 100 else ""

    inbox = FundedInbox(unable)
    inbox.put(1, asked("500"))
    inbox.put(2, asked("-5"))
    inbox.put(3, asked("50"))
    inbox.put(4, lambda at_ms: PauseAsked(at_ms, cancel=False))
    inbox.put(1, asked("500"))
    await asyncio.sleep(0)
    assert taken(inbox) == [PauseAsked(7, cancel=False)]
    may_answer.set()
    await asyncio.sleep(0.01)
    assert taken(inbox) == [
        FundsAsked(7, D("500"), "too much"),
        FundsAsked(7, D("-5")),
        FundsAsked(7, D("50")),
    ]


@pytest.mark.asyncio
async def test_a_closed_inbox_asks_no_more() -> None:
    inbox = FundedInbox(lambda _: asyncio.sleep(60, ""))
    inbox.put(1, asked("5"))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.sleep(0)
    assert taken(inbox) == []
    assert all(task.cancelled() for task in inbox._asking.values())

"""The event that carries out what a person asked of a bot."""

from collections.abc import Callable
from typing import Final, Literal

from autogrid.storage.requests import Request
from autogrid.trading.event import (
    ActionAsked,
    EditAsked,
    Event,
    FundsAsked,
    KillAsked,
    PauseAsked,
    ResumeAsked,
    SignalCame,
    StopAsked,
)
from autogrid.trading.money import figure

SIGNALS: Final[dict[str, Literal["enter", "leave"]]] = {"enter": "enter", "leave": "leave"}


def event_of(request: Request) -> Callable[[int], Event]:
    """The event of a request, at the time it is taken."""
    payload = request.payload
    match request.kind:
        case "pause":
            return lambda at_ms: PauseAsked(at_ms, payload.get("cancel") == "yes")
        case "resume":
            return ResumeAsked
        case "stop":
            return lambda at_ms: StopAsked(at_ms, payload.get("sell") == "yes")
        case "kill":
            return KillAsked
        case "edit":
            return lambda at_ms: EditAsked(at_ms, dict(payload))
        case "action":
            amount = figure(payload["amount"]) if "amount" in payload else None
            return lambda at_ms: ActionAsked(at_ms, payload.get("action", ""), amount)
        case "funds":
            return lambda at_ms: FundsAsked(at_ms, figure(payload.get("amount", "0")))
        case "signal":
            size = figure(payload["size"]) if "size" in payload else None
            action = SIGNALS[payload.get("action", "enter")]
            return lambda at_ms: SignalCame(at_ms, payload.get("id", ""), action, size)

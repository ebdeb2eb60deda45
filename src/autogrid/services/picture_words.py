"""What a picture of a bot says, all in one place, so that another language is one more file like this.

In braces stand figures; they come as plain text, ready to be read.
"""

from collections.abc import Mapping
from typing import Final

STATES: Final[Mapping[str, str]] = {
    "new": "waiting for the first price",
    "waiting": "waiting{meanwhile}{what}",
    "opening": "starting: buying the coins that the upper cells will sell",
    "running": "running{what}",
    "above": "out of range: price above the highest line; the bot stays and sends nothing",
    "below": "out of range: price below the lowest line; the bot stays and sends nothing",
    "paused": "paused: no new order is placed; {resting} still rest",
    "killed": "stopped by the kill switch: no order is placed until a person lifts it",
    "silent": "no price has come for too long: no new order is placed until prices are back",
    "breaker": "the safety breaker is open ({rule}: {why}): no new buys until {until}",
    "trial": "the safety breaker is half open ({rule}: {why}): a few orders are let through on trial",
    "ending": "ending: selling its coins ({why})",
    "ended": "ended: {why}",
}
"""By state."""

ORDERS: Final[Mapping[str, str]] = {
    "intended": "on its way",
    "sending": "on its way",
    "working": "resting",
    "partial": "part filled",
    "unclear": "answer lost, being looked up",
    "cancelling": "being taken out",
}
"""By the status of an order that has not ended."""

BEGINNING: Final = "starting: buying its first coins"
"""Of a strategy that has no cells, in place of the state `opening`."""

WITHOUT_ORDER: Final = ", with no order out"
WITH_ORDERS: Final = ", with {resting} out"

EMPTY_LINE: Final = "no order at {line}: one line always stays free, the one that was traded last"
TRIGGER: Final = "no order yet: the bot waits {trigger}"
HELD_BACK: Final = "no order for '{slot}': held back by the rule '{rule}': {why}"
SLOT_BACKS_OFF: Final = "no order for '{slot}': refused {times} by the exchange{words}; tried again at {until}"
NONE_PAUSED: Final = "no new order: the bot is paused"
NONE_KILLED: Final = "no order: the kill switch is on"
NONE_SILENT: Final = "no new order: no price has come for too long"
NONE_BREAKER: Final = "no new buy: the safety breaker is open ({rule}: {why}) until {until}"
NONE_NEW: Final = "no order yet: no price has come so far"
NONE_WANTED: Final = "no order: it wants none at this moment"
ALL_OUT: Final = "every order it wants at this moment is out"
OPENING: Final = "no sell at {line} yet: its coins are being bought"
WAITS_FOR_RISE: Final = "no buy at {line} yet: it is placed once the price rises above {line}"
REFUSED: Final = "no {side} at {line}: held back by the rule '{rule}': {why}"
BACKS_OFF: Final = "no {side} at {line}: refused {tries} times by the exchange{words}; tried again at {until}"
BACKS_OFF_ONCE: Final = "no {side} at {line}: refused by the exchange{words}; tried again at {until}"
PAUSED: Final = "no {side} at {line}: the bot is paused"
KILLED: Final = "no {side} at {line}: the kill switch is on"
SILENT: Final = "no {side} at {line}: no price has come for too long"
BREAKER: Final = "no {side} at {line}: the safety breaker is open ({rule}: {why}) until {until}"
PENDING: Final = "no {side} at {line} at this moment: it is placed with the next price"
STAYS: Final = "the price {price} is {where} of the range {low} to {high}: the bot stays and sends nothing"
ENDING: Final = "no new orders: the bot is selling its coins ({why})"
ENDED: Final = "no orders: the bot has ended ({why})"
ABOVE: Final = "above the top"
BELOW: Final = "below the bottom"

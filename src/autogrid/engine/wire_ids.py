"""The ids that orders bear at an exchange: `[a-z0-9-]`, at most 32 characters, of one bot and of one of its runs.

    bot b3k9x2aa, order 5f0c91-17-7.3b (nonce, number, slot)  ->  b3k9x2aa-5f0c91-17

The slot stays at home: it may hold characters that an exchange refuses. The nonce is new at every start of the bot, so
a restored backup repeats none.
"""

import re
from typing import Final

OURS: Final = re.compile(r"(b[a-z0-9]{7})-[0-9a-z]{1,12}-\d{1,10}")


def wire_id(bot_id: str, order_id: str) -> str:
    """The id at the exchange of a bot's order."""
    nonce, number, _ = order_id.split("-", 2)
    return f"{bot_id}-{nonce}-{number}"


def bot_of(client_id: str) -> str | None:
    """The bot that an order at the exchange belongs to; None where AutoGrid did not send it."""
    found = OURS.fullmatch(client_id)
    return found[1] if found else None

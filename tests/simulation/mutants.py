"""Faults planted in the live protocol, each of which some seed of the simulation must find.

As `tests/parity/mutants.py`: a text that stands once in a file becomes another. `seeds` are ones that find it, the
quickest first; `only` leaves out the kinds of faults that are not needed, so that it is found sooner.
"""

from typing import Final, NamedTuple


class Planted(NamedTuple):
    """One fault."""

    name: str
    file: str
    text: str
    instead: str
    seeds: tuple[int, ...]
    only: str = ""
    """Kinds of faults, by commas; empty: all."""
    days: float = 0.5


DESK: Final = "engine/desk.py"
OUTGOING: Final = "engine/outgoing.py"
ROUNDS: Final = "engine/rounds.py"
LEASE: Final = "engine/lease.py"
KNOWN: Final = "engine/known_orders.py"
ACCOUNT: Final = "engine/account.py"
SESSION: Final = "engine/session.py"
JOURNAL: Final = "storage/journal.py"


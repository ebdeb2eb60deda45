"""What the parts of a run share."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.simulation.chaos import Chaos
from tests.simulation.checks import Checks
from tests.simulation.clock import VirtualLoop
from tests.simulation.engine import Engine
from tests.simulation.exchange_side import ExchangeSide
from tests.simulation.inline_sqlite import InlineDatabase
from tests.simulation.scenario import Scenario


@dataclass
class Stage:
    """A run: its world, its processes, and who watches."""

    loop: VirtualLoop
    scenario: Scenario
    chance: random.Random
    """Of the world: prices, people, moments."""
    chaos: Chaos
    side: ExchangeSide
    checks: Checks
    user: InlineDatabase
    """As people reach the database."""
    note: Callable[[str, str], None]
    """Into the trace."""
    engines: list[Engine] = field(default_factory=list)
    """The processes that live."""
    prices: dict[str, Decimal] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """Bots that have ended, and why."""
    quiet: bool = True
    """The price stands, and nobody does anything."""

"""How long live trading waits for what. One place, so that a drill can run the same code faster."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds."""

    settle_s: float = 10.0
    """After the last moment at which an exchange may accept a request, before *not found* counts."""
    look_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
    """Between two looks for an order whose fate is unclear, by how often it was looked for."""
    answer_s: float = 15.0
    """A request that was not answered for so long is not waited for."""
    queue_s: float = 30.0
    """An order that could not leave for so long is given back to its bot, which decides anew."""
    gather_s: float = 0.3
    """Before the round of a bot that starts, after the last other bot on its symbol that shares it has asked."""
    listen_s: float = 2.0
    """So long a bot that starts waits for the account's stream, before it asks what is open."""
    round_s: float = 60.0
    """Between two comparisons with what the exchange says."""
    blind_s: float = 5.0
    """The same, while the account's stream is broken."""
    end_s: float = 1.0
    """After an order's end was told or asked for, before it is looked up with its trades."""
    silent_s: float = 30.0
    """Prices that were not heard for so long are silent."""
    close_s: float = 5.0
    """So long a stop waits for answers on their way."""
    misses: int = 2
    """So often *not found* must come."""
    gone_s: float = 60.0
    """So long an order that rested must be unknown before it counts as gone."""
    gone: int = 3
    """So many rounds an order that rested must be unknown before it counts as gone."""

    def after(self, tries: int) -> float:
        """Before the next look, where so many were in vain."""
        return self.look_s[min(tries, len(self.look_s) - 1)]


PATIENT: Final = Timing()

"""Faults planted in the live protocol, each of which some seed of the simulation must find.

As `tests/parity/mutants.py`: a text that stands once in a file becomes another. `seed` is one that finds it, as the
protocol was when it was written; `only` leaves out the kinds of faults that are not needed, so that it is found sooner.
"""

from typing import Final, NamedTuple

from tests.simulation.run import Plan

TRIED: Final = 6
"""Seeds."""


class Planted(NamedTuple):
    """One fault."""

    name: str
    file: str
    text: str
    instead: str
    seed: int
    only: str = ""
    """Kinds of faults, by commas; empty: all."""
    strength: float = 1.0
    engines: int | None = None
    bots: int | None = None
    days: float = 0.3

    @property
    def plans(self) -> list[Plan]:
        """The runs of which one finds it, most likely the first."""
        only = tuple(kind for kind in self.only.split(",") if kind)
        seeds = range(self.seed, self.seed + TRIED)
        return [Plan(seed, self.days, only, self.strength, self.bots, self.engines) for seed in seeds]


DESK: Final = "engine/desk.py"
OUTGOING: Final = "engine/outgoing.py"
ROUNDS: Final = "engine/rounds.py"
LEASE: Final = "engine/lease.py"
KNOWN: Final = "engine/known_orders.py"
ACCOUNT: Final = "engine/account.py"
SESSION: Final = "engine/session.py"
JOURNAL: Final = "storage/journal.py"

PLANTED: Final = (
    Planted(
        "an order without an answer is taken for refused",
        OUTGOING,
        "        except (ExchangeUnclear, TimeoutError):\n            sender.unclear(known)\n",
        "        except (ExchangeUnclear, TimeoutError):\n            sender.refused(known, 'other', 'no answer')\n",
        8000,
    ),
    Planted(
        "an order without an answer is sent again",
        OUTGOING,
        "        except (ExchangeUnclear, TimeoutError):\n            sender.unclear(known)\n",
        "        except (ExchangeUnclear, TimeoutError):\n            self._orders.appendleft(order)\n",
        8000,
    ),
    Planted(
        "an order without an answer is taken for placed",
        OUTGOING,
        "            if own.exchange_id and own.client_id == intent.client_id:\n",
        "            if own.status:\n",
        8000,
    ),
    Planted(
        "'not found' counts while the order may still arrive",
        DESK,
        "elif asked_ms >= known.deadline_ms + timing.settle_s * 1_000:",
        "elif asked_ms >= 0:",
        8009,
    ),
    Planted(
        "'not found' counts the first time",
        DESK,
        "if missed >= timing.misses and known.is_unanswered:",
        "if known.is_unanswered:",
        8009,
        only="question lost,not found by mistake,answer lost,event lost,events coalesced,stream stalls,burst",
        strength=3,
    ),
    Planted(
        "a fault while asking counts as 'not found'",
        DESK,
        "continue  # a fault while asking says nothing of the order",
        "own, asked_ms = None, known.deadline_ms + 1_000_000",
        8001,
    ),
    Planted(
        "the last moment at which an order may arrive is forgotten",
        OUTGOING,
        "known.deadline_ms = self._hold.steady_ms() + window_ms",
        "known.deadline_ms = 0",
        8001,
    ),
    Planted(
        "orders leave before their step is kept",
        SESSION,
        """            if is_news(state, step):
                await journal.append(step, state, exchange.cursor)  # kept before it is sent: a crash loses nothing
            state = step.state
""",
        """            for command in step.commands:
                await exchange.execute(command)
            if is_news(state, step):
                await journal.append(step, state, exchange.cursor)
            state = step.state
            step = step._replace(commands=())
""",
        8000,
    ),
    Planted(
        "an order that was cancelled is taken for ended though the cancel was lost",
        DESK,
        "        self._chores.begin(self._look_later(known))\n",
        "        self._tell(Cancelled(self._now(), known.order.id))\n",
        8000,
    ),
    Planted(
        "an end is told before its trades",
        DESK,
        "        if own.filled > order.filled:\n",
        "        if own.filled < order.filled:\n",
        8010,
    ),
    Planted(
        "a fill is booked each time it is told",
        "trading/order.py",
        "        (*order.fill_ids, fill.fill_id),\n",
        "        order.fill_ids,\n",
        8000,
    ),
    Planted(
        "the exchange is not asked each minute",
        ACCOUNT,
        "if self._blind or waited >= self.timing.round_s:",
        "if self._blind:",
        8001,
        only="event lost,stream stalls,burst,partial fills",
    ),
    Planted(
        "an order that is open no more is not looked up",
        DESK,
        "                self._chores.begin(self._look_ended(known))\n",
        "                pass\n",
        8000,
    ),
    Planted(
        "a cancel that an earlier run had asked for is not repeated",
        DESK,
        "self._take_out(known)  # asked before, perhaps by an earlier run, and not done",
        "pass",
        8003,
        only="kill,killed at a time,request,kill switch,away before,burst,partial fills",
        strength=3,
    ),
    Planted(
        "what was open at the start is not looked up",
        DESK,
        "if known.is_unanswered:  # one round tells",
        "if not known.client_id:  # one round tells",
        8000,
    ),
    Planted(
        "what was decided during the start is looked up as if it had left",
        DESK,
        "for known in before:  # and not what",
        "for known in self.known.open:  # and not what",
        8005,
    ),
    Planted(
        "the kill switch is not asked when an order leaves",
        OUTGOING,
        "        if self.is_killed(sender):\n            sender.refused",
        "        if sender.bot_id in ():\n            sender.refused",
        8006,
        only="kill switch,database slow,burst,partial fills",
        strength=6,
    ),
    Planted(
        "an order may arrive after its lease has ended",
        LEASE,
        "return max(1, min(LONGEST_WINDOW_MS, left_ms - MARGIN_MS))",
        "return LONGEST_WINDOW_MS",
        8044,
        only="freeze,renewals fail,burst,partial fills,slow there,manual trade,events swapped",
        strength=6,
        engines=2,
        bots=6,
    ),
    Planted(
        "the journal takes the steps of an engine that lost its lease",
        JOURNAL,
        'tables.leases.c.epoch == bindparam("epoch")',
        'tables.leases.c.epoch >= bindparam("epoch")',
        8000,
        only="freeze,renewals fail,burst,partial fills,slow there,manual trade,events swapped",
        strength=6,
        engines=2,
        bots=6,
    ),
    Planted(
        "an order that waited for too long is given back and leaves all the same",
        OUTGOING,
        "                old.sender.unsent(old.known)\n",
        "                old.sender.unsent(old.known)\n                self._begin(self._place(old), [old.sender])\n",
        8001,
        only="rate limit,away before,maintenance,burst,partial fills",
        strength=3,
    ),
    Planted(
        "a round is told to the first bot alone",
        ACCOUNT,
        "        for link in self._on(symbol):\n            if isinstance(found, Round):",
        "        for link in self._on(symbol)[:1]:\n            if isinstance(found, Round):",
        8001,
    ),
    Planted(
        "a cancel that could not leave is forgotten",
        OUTGOING,
        "                    self._wait(one)\n            return\n",
        "                    self.trouble = str(away)\n            return\n",
        8001,
        only="rate limit,away before,burst,partial fills,request,kill switch",
        strength=3,
    ),
    Planted(
        "two orders of a run bear one id",
        "engine/wire_ids.py",
        'return f"{bot_id}-{nonce}-{number}"',
        'return f"{bot_id}-{nonce}-{int(number) // 2}"',
        8000,
    ),
    Planted(
        "an order that was taken back leaves all the same",
        OUTGOING,
        "        self._orders = deque(one for one in self._orders if one.known is not known)\n",
        "        return before > 0\n",
        8018,
        only="rate limit,away before,burst,partial fills,request,kill switch",
        strength=3,
    ),
    Planted(
        "a bot that was refused its order is told nothing",
        OUTGOING,
        "            order.sender.refused(order.known, no.why, str(no))\n",
        "            pass\n",
        8001,
    ),
)

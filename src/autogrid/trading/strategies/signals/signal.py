"""Signal: enters and leaves when somebody outside says so, by a TradingView alert or a script. It looks at no candles.

Rules: docs/strategies/signal.md.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from autogrid.trading.event import SignalCame
from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Amount, text
from autogrid.trading.plan import Wish
from autogrid.trading.strategies.fields import Field, read_all
from autogrid.trading.strategies.guard import MAX_SLIPPAGE, STOP_AT
from autogrid.trading.strategies.signals.fields import (
    STOP_HELPS,
    STOP_TITLES,
    TARGET_HELPS,
    TARGET_TITLES,
    guarding,
    number,
    optional_number,
    whole,
)
from autogrid.trading.strategies.signals.held import Positions, Terms
from autogrid.trading.strategies.signals.on_signals import OnSignals
from autogrid.trading.strategies.signals.positions import given_up, left, unsold_let_go
from autogrid.trading.strategies.signals.sizing_by_risk import by_share
from autogrid.trading.strategies.strategy import View

LASTS_MS: Final = 60_000
"""A purchase that could not be made by then is given up: the signal is stale."""
REMEMBERED: Final = 64
"""So many of the last signals are known again."""


def _optional_share(key: str, titles: tuple[str, str], helps: tuple[str, str]) -> Field:
    return Field(
        key, "share", *titles, *helps, optional=True, above_zero=True, most=Decimal(1), below_most=True, group="exit"
    )


FIELDS: Final = (
    Field(
        "size",
        "share",
        "Size",
        "Tamanho",
        "share of the equity in one entry, where the signal names none",
        "parte do patrimônio em uma entrada, onde o sinal não diz",
        default="0.25",
        above_zero=True,
        most=Decimal(1),
    ),
    _optional_share("stop_loss", STOP_TITLES, STOP_HELPS),
    _optional_share("take_profit", TARGET_TITLES, TARGET_HELPS),
    Field(
        "max_entries",
        "count",
        "Entries",
        "Entradas",
        "most entries at the same time; further signals are passed over",
        "máximo de entradas ao mesmo tempo; sinais a mais são ignorados",
        default="1",
        least=Decimal(1),
        most=Decimal(10),
    ),
    STOP_AT,
    MAX_SLIPPAGE,
)


class SignalMemory(NamedTuple):
    """All that a signal bot remembers."""

    positions: Positions
    ids: tuple[str, ...]
    """Of the last signals, oldest first: one that comes again is the same."""
    last: str
    """What came of the last one, for a person."""


class Signal(OnSignals[SignalMemory]):
    """A signal bot with its configuration."""

    name = "signal"
    hears_signals = True

    def __init__(self, config: Mapping[str, str], market: Market, investment: Amount) -> None:
        """Raises `UnableToConfigure` where the configuration breaks a limit."""
        super().__init__(config, market, investment)
        values = read_all(FIELDS, config)
        self.most = number(values["size"])
        self.max_entries = whole(values["max_entries"])
        stop, target = optional_number(values["stop_loss"]), optional_number(values["take_profit"])
        self.terms = Terms(True, stop or ZERO, target or ZERO, ZERO, *guarding(values, market))
        self.take_profit = target

    def start(self) -> SignalMemory:
        """A bot that has heard nothing."""
        return SignalMemory(Positions(), (), "")

    def signalled(self, memory: SignalMemory, signal: SignalCame, view: View) -> SignalMemory:
        """Enter or leave; a signal that came before changes nothing, one that cannot be followed is passed over."""
        if signal.signal_id in memory.ids:
            return memory
        ids = (*memory.ids[1 - REMEMBERED :], signal.signal_id)
        positions = memory.positions
        if not view.price:
            return SignalMemory(positions, ids, f"{signal.signal_id}: passed over, no price is known yet")
        if positions.leaving or positions.ended:
            return SignalMemory(positions, ids, f"{signal.signal_id}: passed over, the bot is ending")
        positions = given_up(unsold_let_go(positions, view), view.at_ms)
        if signal.action == "leave":
            held = "sells all" if positions.entries else "nothing to sell"
            return SignalMemory(
                left(positions, f"signal {signal.signal_id}", view.price), ids, f"{signal.signal_id}: {held}"
            )
        return self._entered(positions, ids, signal, view)

    def targets(self, memory: SignalMemory, view: View) -> Wish:
        """As its positions want it; every turn of the price counts, since a signal is sized at the last one."""
        return super().targets(memory, view)._replace(every=True)

    def _entered(self, positions: Positions, ids: tuple[str, ...], signal: SignalCame, view: View) -> SignalMemory:
        name = signal.signal_id
        if len(positions.entries) >= self.max_entries:
            return SignalMemory(positions, ids, f"{name}: passed over, {len(positions.entries)} entries are open")
        share = self.most if signal.size is None else min(max(signal.size, ZERO), ONE)
        sized = by_share(view, share, self.terms.stop_at(view.price, view.market))
        why = f"signal {name} at {text(view.price)}, {text(share)} of the equity"
        after = self.entered(positions, self.terms, sized, view, why, LASTS_MS)
        if after is positions:
            return SignalMemory(positions, ids, f"{name}: passed over, too small to be ordered and sold ({sized.by})")
        return SignalMemory(after, ids, f"{name}: buys {text(sized.quantity)} {view.market.base}")

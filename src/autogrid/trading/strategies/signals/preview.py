"""What a strategy on signals would do, told before money moves: an entry at a usual stop, its fees."""

from decimal import Decimal
from typing import Final

from autogrid.trading.ledger import opened
from autogrid.trading.market import net_of
from autogrid.trading.money import ZERO, Price, Share, text
from autogrid.trading.strategies.guard import Example, told
from autogrid.trading.strategies.preview import Fact, Preview
from autogrid.trading.strategies.signals.fields import NAMES
from autogrid.trading.strategies.signals.held import Terms
from autogrid.trading.strategies.signals.ppp_vishva import PppVishva
from autogrid.trading.strategies.signals.rsi_reversal import RsiReversal
from autogrid.trading.strategies.signals.signal import Signal
from autogrid.trading.strategies.signals.sizing_by_risk import Sized, by_risk, by_share
from autogrid.trading.strategies.signals.sma_cross import SmaCross
from autogrid.trading.strategies.strategy import View

OnCandles = PppVishva | SmaCross | RsiReversal
AnySignals = PppVishva | SmaCross | RsiReversal | Signal

USUAL_ATR: Final = Decimal("0.0027")
"""ATR(14) of 15-minute candles as a share of the close, BTC/USDT 2025, median; ETH and SOL have about twice of it."""
USUAL_ATR_MS: Final = 900_000
SMALL_MS: Final = 900_000
"""On candles of this length and shorter ones, fees eat the edge of PPP Vishva."""
ROUND_TRIPS: Final = 3
"""A stop nearer than the fees of so many round trips asks for a confirmation."""
CENT: Final = Decimal("0.01")


def preview(strategy: AnySignals, price: Price) -> Preview:
    """The strategy as it would enter at `price`. Raises `UnableToConfigure`."""
    strategy.check(price)
    market = strategy.market
    view = View(0, price, market, opened(strategy.investment))
    stop_share = usual_stop(strategy)
    stop = market.price_down(price * (1 - stop_share))
    if isinstance(strategy, Signal):
        sized = by_share(view, strategy.most, stop if stop_share else ZERO)
    else:
        risk = strategy.settings.risk if isinstance(strategy, PppVishva) else strategy.risk
        sized = by_risk(view, Terms(True, stop_share, ZERO, ZERO), risk, strategy.most)
    fees = ROUND_TRIPS * 2 * market.taker_fee
    facts = [Fact("investment", "Investment", "Investimento", text(strategy.investment), market.quote)]
    if strategy.warm_up and strategy.timeframe_ms:
        facts.append(Fact("warm_up", "Candles to warm up", "Velas de aquecimento", str(strategy.warm_up)))
        days = Decimal(strategy.warm_up * strategy.timeframe_ms) / 86_400_000
        facts.append(Fact("warm_up_days", "Days to warm up", "Dias de aquecimento", text(round(days, 1)), "d"))
    if stop_share:
        facts.append(Fact("usual_stop", "Usual stop", "Stop usual", _percent(stop_share), "%"))
        loss = sized.quantity * (price - stop) + sized.quantity * (price + stop) * market.taker_fee
        facts.append(Fact("entry_loss", "Loss at the stop", "Perda no stop", text(round(loss, 2)), market.quote))
    cost = (sized.quantity * price).quantize(CENT)
    facts += [
        Fact("entry_quantity", "One entry", "Uma entrada", text(sized.quantity), market.base),
        Fact("entry_cost", "It costs", "Ela custa", text(cost), market.quote),
        Fact("round_trip_fee", "Fees of a round trip", "Taxas de ida e volta", _percent(2 * market.taker_fee), "%"),
        Fact("break_even", "Three round trips of fees", "Taxas de três idas e voltas", _percent(fees), "%"),
    ]
    is_near = bool(stop_share) and stop_share < fees
    warnings = tuple(_warnings(strategy, sized, stop_share, fees, stop))
    return Preview(price, facts=tuple(facts), warnings=warnings, confirm=is_near)


def usual_stop(strategy: AnySignals) -> Share:
    """How far below an entry the stop usually lies, as a share; zero where there is none.

    A stop in ATR is reckoned with what BTC/USDT had in 2025, growing with the square root of the candle's length.
    """
    if not isinstance(strategy, PppVishva):
        return strategy.terms.stop
    longer = Decimal(strategy.settings.looks.timeframe_ms) / USUAL_ATR_MS
    return (USUAL_ATR * longer.sqrt() * strategy.settings.stop_atr).quantize(Decimal("0.0001"))


def _warnings(strategy: AnySignals, sized: Sized, stop_share: Share, fees: Share, stop: Price) -> list[str]:
    found = []
    length = strategy.timeframe_ms
    if length is not None and length <= SMALL_MS:
        found.append(
            f"On {NAMES[length]} candles fees eat the edge: these rules lost money there in 2025, mostly to fees. "
            "Take 1h or longer."
        )
    if stop_share and stop_share < fees:
        found.append(
            f"A usual stop, {_percent(stop_share)} %, is nearer than three round trips of fees, {_percent(fees)} %: "
            "take a longer timeframe or a wider stop."
        )
    if not sized.quantity:
        found.append(f"An entry at a usual stop would be too small to be ordered and sold ({sized.by}).")
    elif sized.by == "max_position":
        found.append(
            f"The cap of {_percent(strategy.most)} % of the equity decides the size of an entry, not the risk: the "
            "stop costs less than the risk that is set."
        )
    if stop_share:
        found.append(_stop_words(strategy, sized, stop))
    else:
        found.append("There is no stop: an entry is held until a signal or its target ends it.")
    return found


def _stop_words(strategy: AnySignals, sized: Sized, stop: Price) -> str:
    """Where the stop rests, and what that means while the computer sleeps."""
    has_target = isinstance(strategy, PppVishva) or bool(strategy.terms.target)
    at_exchange, slippage = strategy.settings.guarding if isinstance(strategy, PppVishva) else strategy.terms[4:6]
    example = Example(strategy.market.quantity(sized.quantity * net_of(strategy.market.most_base_fee)), stop)
    return told(strategy.market, example, at_exchange=at_exchange, take_profits=has_target, slippage=slippage)


def _percent(share: Share) -> str:
    return text(round(share * 100, 3))

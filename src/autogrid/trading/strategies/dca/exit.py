"""Where a position is sold: take-profit prices net of fees, what each target sells, the stop and the trailing line."""

from typing import NamedTuple

from autogrid.trading.market import Market
from autogrid.trading.money import ONE, ZERO, Amount, Price, Quantity, Share
from autogrid.trading.strategies.dca.config import DcaSettings
from autogrid.trading.strategies.dca.memory import Aim, Deal, Position


class Terms(NamedTuple):
    """What a DCA bot trades by."""

    settings: DcaSettings
    market: Market
    investment: Amount

    @property
    def at_exchange(self) -> bool:
        """Whether stops rest at the exchange."""
        return self.market.stops != "none" and self.settings.stop_at == "exchange"


def profit_price(terms: Terms, position: Position, deal: Deal | None, profit: Share) -> Price:
    """The lowest price on the tick at which the position earns `profit`, after fees unless it is a gross one."""
    settings, market = terms.settings, terms.market
    base, cost = position.gross if settings.gross else position.pool
    keep = ONE if settings.gross else ONE - market.maker_fee
    if settings.profit_from == "base_order" and deal is not None:
        aim = cost + profit * deal.base_order
    else:
        aim = cost * (ONE + profit)
    return market.price_up(aim / (base * keep))


def sellable(position: Position, market: Market) -> Quantity:
    """The coins in whole lots."""
    return market.quantity(position.base) if position.base > 0 else ZERO


def shared_out(terms: Terms, position: Position, deal: Deal | None) -> Position:
    """With all coins divided anew among the take-profits that are not done.

    One that would be too small to order is left to the last, and a last that is too small to the one before.
    """
    settings, market = terms.settings, terms.market
    goals = settings.goals
    if not goals or position.base <= 0:
        return position._replace(aims=())
    whole = sellable(position, market)
    if len(goals) == 1:
        return position._replace(aims=(Aim(whole, ZERO, False),))
    done = [aim.done for aim in position.aims] if len(position.aims) == len(goals) else [False] * len(goals)
    if all(done):
        done[-1] = False
    open_ones = [index for index, is_done in enumerate(done) if not is_done]
    part = sum((goals[index].share for index in open_ones), ZERO)
    wanted = [ZERO] * len(goals)
    for index in open_ones:
        share = market.quantity(whole * goals[index].share / part)
        price = profit_price(terms, position, deal, goals[index].profit)
        wanted[index] = share if share >= market.least_quantity(price) else ZERO
    last = open_ones[-1]
    wanted[last] = ZERO
    rest = whole - sum(wanted)
    if rest < market.least_quantity(profit_price(terms, position, deal, goals[last].profit)):
        last = next((index for index in reversed(open_ones) if wanted[index]), last)
    wanted[last] += rest
    return position._replace(aims=tuple(Aim(one, ZERO, is_done) for one, is_done in zip(wanted, done, strict=True)))


def stop_price(terms: Terms, position: Position, deal: Deal | None) -> Price | None:
    """The price at or below which all is sold; None where there is no stop."""
    settings, market = terms.settings, terms.market
    if deal is None or deal.start is None or position.base <= 0:
        return None
    stop: Price | None = None
    base, cost = position.pool
    if settings.stop_loss is not None:
        reference = deal.start if settings.stop_from == "base_order" else cost / base
        stop = market.price_down(reference * (ONE - settings.stop_loss))
    if settings.break_even and any(aim.done for aim in position.aims):
        level = market.price_up(cost / (base * (ONE - market.taker_fee)))
        stop = level if stop is None else max(stop, level)
    return stop


def trailing_line(terms: Terms, peak: Price) -> Price:
    """The price at or below which an armed trailing take-profit sells."""
    return terms.market.price_down(peak * (ONE - (terms.settings.trailing or ZERO)))


def after_aim(position: Position, index: int, quantity: Quantity) -> Position:
    """With `quantity` more sold by the take-profit of that index."""
    if index >= len(position.aims):
        return position
    aim = position.aims[index]
    sold = aim.sold + quantity
    aim = Aim(aim.wanted, sold, aim.done or sold >= aim.wanted)
    return position._replace(aims=(*position.aims[:index], aim, *position.aims[index + 1 :]))


def all_sold(position: Position) -> bool:
    """Whether no take-profit has anything left to sell."""
    return all(aim.done or not aim.wanted for aim in position.aims)

"""Everything that can happen to a bot. Times are UTC milliseconds and come in with the event."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from autogrid.trading.candle import Candle
from autogrid.trading.money import Amount, Price, Quantity, Share


class Tick(NamedTuple):
    """The market traded at `price`."""

    at_ms: int
    price: Price
    traded: bool = True
    """False inside the jump between two candles: the price was passed there, and nobody traded at it."""


class CandleClosed(NamedTuple):
    """A candle of the strategy's timeframe is closed. What is ordered in answer meets the market after it."""

    at_ms: int
    """When it closed."""
    candle: Candle
    late: bool = False
    """Told only now, when a later one is closed already: the market has moved on."""


class Sending(NamedTuple):
    """The order is leaving for the exchange at this moment."""

    at_ms: int
    order_id: str


class Accepted(NamedTuple):
    """The exchange took the order into its book."""

    at_ms: int
    order_id: str
    exchange_id: str = ""
    """What the exchange calls it; empty where that is not known."""


class Rejected(NamedTuple):
    """The exchange refused the order for certain; nothing was traded."""

    at_ms: int
    order_id: str
    reason: str


class Filled(NamedTuple):
    """Part or all of an order was traded. `fill_id` is the exchange's: a second one of it is the same fill."""

    at_ms: int
    order_id: str
    fill_id: str
    price: Price
    quantity: Quantity
    fee: Amount
    """Of `fee_asset`."""
    fee_asset: str
    fee_value: Amount
    """In quote, of a fee in a third asset; zero where the fee is in base or quote."""
    maker: bool


class Cancelled(NamedTuple):
    """The exchange took the order out of its book because we asked."""

    at_ms: int
    order_id: str


class Expired(NamedTuple):
    """The exchange took the order, or the rest of it, out of its book by itself."""

    at_ms: int
    order_id: str


class Unclear(NamedTuple):
    """The order was sent and its answer is unknown: it is looked up, never sent again."""

    at_ms: int
    order_id: str


class Missing(NamedTuple):
    """The exchange, asked often enough, knows nothing of the order: it never arrived."""

    at_ms: int
    order_id: str


class Started(NamedTuple):
    """The bot is being run, for the first time or again. `nonce` is new each time and goes into its order ids."""

    at_ms: int
    nonce: str
    candle_ms: int = 0
    """Length of the candles that the prices come from; 0: they are live."""


class FeedSilent(NamedTuple):
    """No heartbeat and no price came for too long, or none came yet."""

    at_ms: int
    starting: bool = False
    """The bot has just been started: nothing fell silent."""


class FeedBack(NamedTuple):
    """The feed speaks again; after a start, all that was open before is settled too."""

    at_ms: int
    found: str = ""
    """What was found at the start, for a person; empty otherwise."""


class PauseAsked(NamedTuple):
    """The user wants no new orders. `cancel`: nor the ones that rest."""

    at_ms: int
    cancel: bool


class ResumeAsked(NamedTuple):
    """The user wants a paused bot to go on, or lifts a kill."""

    at_ms: int


class StopAsked(NamedTuple):
    """The user wants the bot to end. `sell`: its base is sold at market, else it is kept."""

    at_ms: int
    sell: bool


class KillAsked(NamedTuple):
    """The kill switch: every order of ours goes, none is placed until a person lifts it."""

    at_ms: int


class EditAsked(NamedTuple):
    """The user confirmed another configuration for the strategy."""

    at_ms: int
    config: Mapping[str, str]


class ActionAsked(NamedTuple):
    """The user wants something that only this strategy can do, such as closing the deal that runs."""

    at_ms: int
    action: str
    """As the strategy's catalogue entry names it."""
    amount: Amount | None
    """In quote, where the action takes one."""


class FundsAsked(NamedTuple):
    """The user gives the bot more quote, or (below zero) takes free quote out of it."""

    at_ms: int
    amount: Amount
    refused: str = ""
    """Why the bot is not given it; empty where the account has it free."""


class SignalCame(NamedTuple):
    """Somebody outside says when to trade: a TradingView alert, a script, a person."""

    at_ms: int
    signal_id: str
    """The sender's; a second one of it is the same signal."""
    action: Literal["enter", "leave"]
    size: Share | None
    """Of the bot's equity; None: as the strategy is configured."""


OrderEvent: TypeAlias = Sending | Accepted | Rejected | Filled | Cancelled | Expired | Unclear | Missing
UserEvent: TypeAlias = (
    PauseAsked | ResumeAsked | StopAsked | KillAsked | EditAsked | ActionAsked | FundsAsked | SignalCame
)
Event: TypeAlias = Tick | CandleClosed | OrderEvent | UserEvent | Started | FeedSilent | FeedBack

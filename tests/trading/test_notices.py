"""What strategies say of themselves while they wait."""

from autogrid.trading.candle import Candle
from autogrid.trading.ledger import opened
from autogrid.trading.strategies.catalogue import build
from autogrid.trading.strategies.dca.schedule import shown_time
from autogrid.trading.strategies.strategy import AnyStrategy, View
from tests.builders import MINUTE_MS, PLAIN_MARKET, START_MS, D

HOUR_MS = 60 * MINUTE_MS


def view(price: str, at_ms: int = START_MS) -> View:
    """A look at that price."""
    return View(at_ms, D(price), PLAIN_MARKET, opened(D(1000)))


def heard(bot: AnyStrategy, candles: int) -> object:
    """The memory after so many candles that fall and fall."""
    memory = bot.look(bot.start(), view("1000"))
    for number in range(candles):
        close = 1000.0 - number * 0.1
        candle = Candle(START_MS + number * HOUR_MS, close + 0.1, close + 0.2, close - 0.1, close, 1.0)
        memory = bot.hear(memory, candle, view(str(close), START_MS + (number + 1) * HOUR_MS))
    return memory


def test_ppp_vishva_says_what_an_entry_lacks() -> None:
    bot = build("ppp_vishva", {"confirm_timeframes": "none"}, PLAIN_MARKET, D(1000))
    assert bot.notices(heard(bot, 20)) == ()
    (told,) = bot.notices(heard(bot, bot.warm_up + 5))
    assert told.startswith("no entry on the last closed candle: the close ")
    for lack in ("is not above EMA(100)", "no new UT Bot buy within 3 candles", "the EWO is not over 0"):
        assert lack in told


def test_other_strategies_on_signals_say_what_they_wait_for() -> None:
    cross = build("sma_cross", {"timeframe": "1h"}, PLAIN_MARKET, D(1000))
    assert cross.notices(heard(cross, cross.warm_up + 5)) == ("no order: it waits for its signal on a closed candle",)
    signal = build("signal", {}, PLAIN_MARKET, D(1000))
    told = ("no order: it waits to be told, with a signal",)
    assert signal.notices(signal.look(signal.start(), view("1000"))) == told


def test_dca_says_when_the_next_purchase_is_due_until_the_budget_is_spent() -> None:
    config = {"mode": "accumulate", "every": "daily", "amount": "10", "hour": "6", "first": "anchor"}
    bot = build("dca", config, PLAIN_MARKET, D(1000))
    memory = bot.look(bot.start(), view("1000"))
    assert bot.notices(memory) == ("the next purchase is due at 2025-05-20 06:00 UTC",)
    deal = build("dca", {}, PLAIN_MARKET, D(1000))
    assert deal.notices(deal.look(deal.start(), view("1000"))) == ()


def test_times_are_shown_in_utc() -> None:
    assert shown_time(0) == "1970-01-01 00:00 UTC"
    assert shown_time(START_MS + 6 * HOUR_MS + 7 * MINUTE_MS) == "2025-05-20 06:07 UTC"

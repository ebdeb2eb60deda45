"""Planted faults in stops at the exchange: what they cover, when they are trusted, what the bot does behind them."""

from typing import Final

from tests.parity.mutants import Mutant

BOOK = "tests/trading/test_stops_in_the_book.py"
DEALS = "tests/trading/test_stops_at_exchange.py"
ENTRIES = "tests/trading/test_stops_of_entries.py"

STOP_MUTANTS: Final = (
    Mutant(
        "a stop that a fall jumped over is still trusted",
        "trading/strategies/guard.py",
        "return price >= least and rest",
        "return rest",
        f"{DEALS}::test_a_fall_through_the_limit_is_sold_at_market_once_the_stop_is_out_of_the_book",
    ),
    Mutant(
        "a stop that does not sell is trusted for ever",
        "trading/strategies/dca/close.py",
        "if view.at_ms < memory.guard.trusted_ms and sells_there(",
        "if sells_there(",
        f"{DEALS}::test_a_stop_that_has_not_sold_in_time_is_taken_out_and_all_is_sold_at_market",
    ),
    Mutant(
        "the stop of an entry that does not sell is trusted for ever",
        "trading/strategies/signals/guarded.py",
        "if sells and view.at_ms < entry.guard.trusted_ms:",
        "if sells:",
        f"{ENTRIES}::test_a_stop_that_has_not_sold_in_time_is_taken_out_and_all_is_sold_at_market",
    ),
    Mutant(
        "a stop whose answer is not there yet is trusted",
        "trading/order.py",
        'is_there = self.status in ("working", "partial") and not self.cancel_asked',
        "is_there = not self.cancel_asked",
        f"{DEALS}::test_a_stop_that_is_not_known_to_rest_is_not_counted_on",
    ),
    Mutant(
        "a take-profit that traded in part is taken for one that still has its stop",
        "trading/plan.py",
        "    if order.is_take_profit_only:\n        return target.trigger is None\n",
        "",
        f"{DEALS}::test_a_take_profit_that_trades_in_part_gets_a_stop_for_what_is_left",
    ),
    Mutant(
        "the next stop is sent while the last one still holds the coins",
        "trading/plan.py",
        "if target.quantity > free_base:",
        "if target.quantity > free_base + 1000:",
        f"{DEALS}::test_coins_of_a_half_filled_safety_order_have_a_stop_of_their_own_and_join_the_others",
    ),
    Mutant(
        "the stop leaves out the coins that no take-profit sells",
        "trading/strategies/dca/guarded.py",
        "    if rest >= least:\n",
        "    if rest >= least and not found:\n",
        f"{DEALS}::test_coins_of_a_half_filled_safety_order_have_a_stop_of_their_own_and_join_the_others",
    ),
    Mutant(
        "the coins of a half filled safety order are forgotten when the exchange sells",
        "trading/strategies/dca/close.py",
        'memory = gathered(memory)._replace(stage="exiting", why=stop_words(memory, order)',
        'memory = memory._replace(stage="exiting", why=stop_words(memory, order)',
        f"{DEALS}::test_the_end_by_a_stop_sells_the_coins_of_a_half_filled_safety_order_too",
    ),
    Mutant(
        "the stop at the exchange follows every tick",
        "trading/strategies/guard.py",
        "return market.price_down(line // step * step)",
        "return market.price_down(line)",
        f"{DEALS}::test_a_line_that_rises_is_followed_in_steps",
    ),
    Mutant(
        "a stop that is refused is sent again and again",
        "trading/strategies/guard.py",
        "return self._replace(refusals=self.refusals + 1)",
        "return self",
        f"{DEALS}::test_stops_that_are_refused_three_times_are_left_to_the_bot",
    ),
    Mutant(
        "what the stop of an oco sold counts as take-profit",
        "trading/order.py",
        'or (order.kind == "oco" and fill.price < order.price)',
        "or False",
        f"{DEALS}::test_a_stop_that_sells_in_part_is_left_to_sell_the_rest_for_some_time",
    ),
    Mutant(
        "a simulated stop sells below its limit",
        "trading/matching.py",
        "max(limit, worse)",
        "worse",
        f"{BOOK}::test_slippage_makes_it_worse_and_never_worse_than_its_limit",
    ),
    Mutant(
        "a simulated stop gets a price inside a jump",
        "trading/matching.py",
        "        if self.at.in_jump:\n            self.waiting.append(resting.order.id)\n            return None\n",
        "",
        f"{BOOK}::test_one_that_wakes_inside_a_jump_fills_at_the_jumps_end_if_its_limit_allows",
    ),
    Mutant(
        "the stop of a simulated oco outlives its take-profit",
        "trading/matching.py",
        "elif resting.trigger is not None:  #",
        "elif resting.trigger is not None and not resting:  #",
        f"{BOOK}::test_a_take_profit_that_trades_in_part_loses_its_stop_and_rests_on_with_the_rest",
    ),
)

"""Planted faults: each breaks one safeguard of the core, and names the test that must notice.

A test that cannot fail is a defect; this table is how we know that these can. A mutant whose source text is found no
more fails with a message: move it to where the safeguard now stands.
"""

from typing import Final, NamedTuple

PARITY = "tests/parity/test_backtest_equals_oracle.py::test_one_setting_at_a_time_agrees_wherever_the_price_starts"
VECTORS = "tests/trading/test_grid_vectors.py"
REQUESTS = "tests/trading/test_bot_requests.py"
MATCHING = "tests/trading/test_matching.py"
LEDGER = "tests/trading/test_ledger.py"


class Mutant(NamedTuple):
    """One fault: `text`, which stands once in `file` (below src/autogrid), becomes `instead`; `breaks` must fail."""

    name: str
    file: str
    text: str
    instead: str
    breaks: str


MUTANTS: Final = (
    Mutant(
        "a deposit that was granted does not count until it is in a ledger",
        "wiring/reserves.py",
        "return own + [one for promised in self._promised.values() for one in promised]",
        "return own",
        "tests/engine/test_reserves.py::test_what_is_granted_counts_before_it_is_in_a_ledger",
    ),
    Mutant(
        "what is asked of funds overtakes a deposit",
        "wiring/funded_inbox.py",
        "if overtakes or not (self._behind or isinstance(event, FundsAsked)):",
        "if overtakes or not (isinstance(event, FundsAsked) and event.amount > 0):",
        "tests/engine/test_funded_inbox.py::test_what_comes_behind_a_deposit_waits_for_it_and_a_pause_does_not",
    ),
    Mutant(
        "an exchange id is taken for one order on all markets",
        "engine/rounds.py",
        "        key = symbol, exchange_id\n",
        '        key = "", exchange_id\n',
        "tests/engine/test_rounds.py::test_an_id_is_looked_up_once_and_is_another_order_on_another_market",
    ),
    Mutant(
        "of a trade with oneself one side is told",
        "exchanges/dialect.py",
        'return f"{trade.trade_id}.{trade.side}"',
        "return trade.trade_id",
        "tests/exchanges/test_ccxt_exchange.py::test_of_a_trade_with_oneself_both_sides_are_told[bybit]",
    ),
    Mutant(
        "a run of a bot that has failed goes on beside the next one",
        "engine/inbox.py",
        "            await source.aclose()\n",
        "            self._priced = False\n",
        "tests/engine/test_inbox.py::test_a_run_that_is_broken_off_leaves_nothing_of_its_exchange_behind",
    ),
    Mutant(
        "a quantity is rounded up to the lot",
        "trading/market.py",
        "return round_down(number, self.lot)",
        "return round_up(number, self.lot)",
        f"{VECTORS}::test_bybits_quantity_buys_0_08795882_and_sells_0_08787086",
    ),
    Mutant(
        "a fee is rounded down",
        "trading/matching.py",
        "return exact.quantize(UNIT, ROUND_UP)",
        'return exact.quantize(UNIT, "ROUND_DOWN")',
        f"{PARITY}[1050000-fees in a third asset]",
    ),
    Mutant(
        "a cost is rounded down",
        "trading/money.py",
        "return (cost * part / whole).quantize(UNIT, ROUND_HALF_EVEN)",
        'return (cost * part / whole).quantize(UNIT, "ROUND_DOWN")',
        f"{LEDGER}::test_a_draw_rounds_half_to_the_even_unit",
    ),
    Mutant(
        "a line is rounded down to the tick",
        "trading/money.py",
        "to_integral_value(ROUND_HALF_EVEN)",
        'to_integral_value("ROUND_FLOOR")',
        f"{VECTORS}::test_the_lines_of_the_rules",
    ),
    Mutant(
        "a cell forgets the fee of its buy",
        "trading/ledger.py",
        "return fill.quantity - fill.fee if fill.fee_asset == market.base else fill.quantity",
        "return fill.quantity",
        f"{VECTORS}::test_okxs_fills_earn_0_04167062_and_leave_dust_that_cost_0_00077878",
    ),
    Mutant(
        "a fee is left out of the books",
        "trading/order.py",
        "order.fee_base + fill.fee if asset == market.base else order.fee_base",
        "order.fee_base",
        f"{LEDGER}::test_a_buy_with_its_fee_in_base",
    ),
    Mutant(
        "the fee of the opening is taken twice",
        "trading/strategies/grid/grid.py",
        "received + received_of(fill, view.market)",
        "received + received_of(fill, view.market) - fill.fee",
        f"{VECTORS}::test_bybits_grid_places_these_very_orders",
    ),
    Mutant(
        "left-over coins are dropped",
        "trading/strategies/grid/memory.py",
        "rest = Pool(base - stock, worth - cost)",
        "rest = NO_POOL",
        f"{VECTORS}::test_okxs_fills_earn_0_04167062_and_leave_dust_that_cost_0_00077878",
    ),
    Mutant(
        "a cell that was bought is bought again",
        "trading/strategies/grid/memory.py",
        'cell.name, cell.floor, cell.roof, cell.quantity, "full", cell.cycle, stock, cost,',
        'cell.name, cell.floor, cell.roof, cell.quantity, "empty", cell.cycle, stock, cost,',
        f"{PARITY}[1050000-as it is]",
    ),
    Mutant(
        "a slot is used twice",
        "trading/strategies/grid/memory.py",
        '"empty", cell.cycle + 1,',
        '"empty", cell.cycle,',
        f"{REQUESTS}::test_a_slot_is_never_used_twice",
    ),
    Mutant(
        "a second order is placed in a slot that has one",
        "trading/plan.py",
        "if target.slot not in standing",
        "if True",
        "tests/trading/test_plan.py::test_an_order_as_wanted_is_left_alone",
    ),
    Mutant(
        "a cancel is not awaited",
        "trading/plan.py",
        "if target.slot not in standing",
        "if (target.slot not in standing or standing[target.slot].cancel_asked)",
        "tests/trading/test_plan.py::test_a_changed_price_or_quantity_is_cancelled_first_and_placed_only_when_gone",
    ),
    Mutant(
        "a refused order is sent again at once",
        "trading/plan.py",
        "return Backoff(tries, at_ms + min(",
        "return Backoff(tries, at_ms + 0 * min(",
        f"{REQUESTS}::test_a_refused_order_is_tried_again_after_a_wait_that_doubles",
    ),
    Mutant(
        "a fill is booked twice",
        "trading/order.py",
        "if fill.fill_id in order.fill_ids:",
        "if not fill.fill_id:",
        f"{REQUESTS}::test_a_fill_after_its_cancel_is_booked_once",
    ),
    Mutant(
        "an order may be filled with more than it is",
        "trading/order.py",
        "if filled > order.quantity:",
        "if filled > 2 * order.quantity:",
        "tests/trading/test_order_table.py::test_more_than_was_ordered_cannot_be_filled",
    ),
    Mutant(
        "orders are sent before they are kept",
        "engine/session.py",
        "            if is_news(state, step):\n",
        "            for command in step.commands:\n"
        "                await exchange.execute(command)\n"
        "            if is_news(state, step):\n",
        "tests/engine/test_session_keeps_before_it_sends.py::test_an_order_is_kept_before_it_is_sent",
    ),
    Mutant(
        "what a cancelled order held stays held",
        "trading/bot.py",
        "ledger = hold(state.ledger, known, order, self.market)",
        "ledger = state.ledger",
        f"{REQUESTS}::test_a_pause_may_cancel_what_rests",
    ),
    Mutant(
        "an order that turns up again holds nothing",
        "trading/bot.py",
        'if known.status == "absent" and order.status in OPEN:',
        "if not known.id:",
        f"{REQUESTS}::test_an_absent_order_that_fills_in_part_holds_its_rest_again",
    ),
    Mutant(
        "the funds of a batch are counted once for each order",
        "trading/risk.py",
        "free_quote -= needs",
        "free_quote -= 0 * needs",
        "tests/trading/test_risk.py::test_funds_are_counted_down_within_one_batch",
    ),
    Mutant(
        "the stop-loss is passed at its very price",
        "trading/strategies/grid/grid.py",
        "price <= settings.stop_loss:",
        "price < settings.stop_loss:",
        f"{REQUESTS}::test_a_risk_exit_beats_a_pause_a_silent_feed_and_every_order",
    ),
    Mutant(
        "nobody is woken at the stop-loss",
        "trading/strategies/grid/grid.py",
        "return Wish(targets, settings.stop_loss, min(waits, default=None))",
        "return Wish(targets, None, min(waits, default=None))",
        f"{PARITY}[1050000-stop-loss, sold]",
    ),
    Mutant(
        "a stop inside a jump fills at its own price",
        "trading/matching.py",
        "if not self.at.in_jump:",
        "if self.at.price:",
        "tests/parity/test_backtest_equals_oracle.py::test_a_stop_or_a_trigger_inside_a_jump_agrees",
    ),
    Mutant(
        "a cell buys again while the grid ends",
        "trading/strategies/grid/grid.py",
        'after.stage not in ("opening", "running")',
        'after.stage not in ("opening", "running", "exiting")',
        f"{REQUESTS}::test_a_sell_that_fills_before_its_cancel_arrives_places_no_new_buy",
    ),
    Mutant(
        "high and low are walked in the other order",
        "wiring/simulation.py",
        "        backwards=walk.backwards,\n",
        "        backwards=not walk.backwards,\n",
        f"{PARITY}[1050000-as it is]",
    ),
    Mutant(
        "a touch is not enough",
        "trading/matching.py",
        'market.tick if rules.fill == "through" else ZERO',
        "market.tick",
        f"{PARITY}[1050000-as it is]",
    ),
    Mutant(
        "the younger of two equal prices goes first",
        "trading/matching.py",
        "self._age += 1",
        "self._age -= 1",
        f"{MATCHING}::test_buys_fill_in_falling_order_of_price_and_equal_prices_by_age",
    ),
    Mutant(
        "the exchange lends",
        "trading/matching.py",
        "return None if self._affords(order) else NO_FUNDS",
        "return None",
        f"{MATCHING}::test_an_order_without_free_funds_is_refused_as_the_exchange_would",
    ),
    Mutant(
        "an order that was held back is forgotten",
        "trading/bot.py",
        "if new is None or state.refused or ",
        "if new is None or ",
        f"{REQUESTS}::test_an_order_that_was_held_back_is_not_forgotten_when_another_fills",
    ),
    Mutant(
        "nobody is woken when the breaker cools down",
        "trading/bot.py",
        "retry_ms=self._reopens_ms(state, at_ms),",
        "retry_ms=None,",
        f"{REQUESTS}::test_after_the_cooldown_two_orders_go_on_trial_and_then_all_are_placed",
    ),
    Mutant(
        "what gets through in between ends the throttling",
        "trading/risk.py",
        "return None, risk._replace(placed_at=(*recent, at_ms))",
        "return None, risk._replace(placed_at=(*recent, at_ms), throttled_since=None)",
        "tests/trading/test_risk.py::test_orders_that_go_on_at_the_limit_for_a_minute_trip_the_breaker",
    ),
    Mutant(
        "the kill switch lets orders through",
        "trading/risk.py",
        "if holds.killed:",
        "if holds.killed and not place.exits:",
        "tests/trading/test_risk.py::test_a_hold_refuses_orders_and_only_the_kill_switch_an_exit",
    ),
    Mutant(
        "an order nobody knows is taken for one that rests",
        "trading/reconcile.py",
        "if order.status in UNKNOWN_MEANS_GONE:",
        "if order.status not in UNKNOWN_MEANS_GONE:",
        "tests/trading/test_reconcile.py::test_an_order_without_an_answer_that_the_exchange_does_not_know_never_arrived",
    ),
)

"""Planted faults in what a grid may do beside the plain one: trail, grow, keep coins, and stop."""

from typing import Final

from tests.parity.mutants import Mutant

TRAILING = "tests/trading/test_grid_trailing.py"
INFINITY = "tests/trading/test_grid_infinity.py"
REVERSE = "tests/trading/test_grid_reverse.py"
REINVEST = "tests/trading/test_grid_reinvest.py"
FUNDS = "tests/trading/test_grid_funds.py"
STOPS = "tests/trading/test_grid_stops.py"

GRID_MUTANTS: Final = (
    Mutant(
        "the range rises at its old top",
        "trading/strategies/grid/trailing.py",
        "return roof if (limit is None",
        "return floor if (limit is None",
        f"{TRAILING}::test_binances_example_rises_at_49000_and_again_at_53000",
    ),
    Mutant(
        "the range may not reach its limit",
        "trading/strategies/grid/trailing.py",
        "roof <= limit",
        "roof < limit",
        f"{TRAILING}::test_the_limit_ends_it",
    ),
    Mutant(
        "the stop-loss stays where it was when the range rises",
        "trading/strategies/grid/trailing.py",
        "if stop is None or steps <= 0:",
        "if stop is None or steps >= 0:",
        f"{TRAILING}::test_the_stop_loss_moves_with_the_lowest_line",
    ),
    Mutant(
        "a new top is bought before the quote of the old bottom is free",
        "trading/strategies/grid/grid.py",
        'after=slot if target.side == "buy" else ""',
        'after=""',
        f"{TRAILING}::test_the_new_buy_waits_until_the_old_one_is_gone",
    ),
    Mutant(
        "a cell with a half done buy is thrown away",
        "trading/strategies/grid/trailing.py",
        'if c.phase in ("empty", "waiting") and not c.bought',
        'if c.phase in ("empty", "waiting")',
        f"{TRAILING}::test_a_cell_with_a_half_done_buy_is_left_and_the_next_empty_one_goes",
    ),
    Mutant(
        "a line beneath is paid with quote that other cells need",
        "trading/strategies/grid/trailing.py",
        "needs <= spare_quote(memory, ledger, self._market)",
        "needs <= ledger.quote",
        f"{TRAILING}::test_a_line_beneath_is_not_paid_with_quote_that_cells_above_still_need",
    ),
    Mutant(
        "a name of a cell is given twice",
        "trading/strategies/grid/trailing.py",
        "return str(max((int(name) for name in memory.cells), default=-1) + 1)",
        "return str(len(memory.cells))",
        f"{TRAILING}::test_several_steps_are_taken_at_once_when_the_price_jumps",
    ),
    Mutant(
        "the range sinks below its limit",
        "trading/strategies/grid/trailing.py",
        "(limit is not None and floor < limit)",
        "(limit is not None and roof < limit)",
        f"{TRAILING}::test_trailing_down_ends_at_its_limit_and_above_the_stop_loss",
    ),
    Mutant(
        "an infinity grid forgets that it starts between two lines",
        "trading/strategies/grid/infinity.py",
        "value / (start if is_first else floor)",
        "value / floor",
        f"{INFINITY}::test_the_first_cell_buys_back_what_it_sold_though_it_started_beneath_its_floor",
    ),
    Mutant(
        "coins of a cell that opens stay in the store as well",
        "trading/strategies/grid/infinity.py",
        "store=rest,",
        "",
        f"{INFINITY}::test_the_coins_are_worth_800_at_every_line_however_high",
    ),
    Mutant(
        "what rounding leaves adds up from line to line",
        "trading/strategies/grid/infinity.py",
        "stock = market.quantity(max(store.base - value / roof, ZERO))",
        "stock = quantity",
        f"{INFINITY}::test_the_coins_are_worth_800_at_every_line_however_high",
    ),
    Mutant(
        "a rebuy does not leave room for its fee",
        "trading/strategies/grid/reverse.py",
        "// (cell.floor * (ONE + market.quote_fee) * lot) * lot",
        "// (cell.floor * lot) * lot",
        f"{REVERSE}::test_with_fees_in_quote_the_rebuy_is_paid_by_the_sale_alone",
    ),
    Mutant(
        "a gain in coins is sold with the next cycle",
        "trading/strategies/grid/reverse.py",
        "stock = min(cell.stock, market.quantity(base))",
        "stock = market.quantity(base)",
        f"{REVERSE}::test_it_sells_the_same_quantity_again_and_again_and_the_gain_never",
    ),
    Mutant(
        "a gain in coins is valued at the price of the sale",
        "trading/strategies/grid/reverse.py",
        "gain = (cell.received - cell.stock) * cell.floor",
        "gain = (cell.received - cell.stock) * cell.roof",
        f"{REVERSE}::test_the_tally_values_the_gain_at_the_price_of_the_rebuy",
    ),
    Mutant(
        "a withdrawal that is no whole lot takes too little",
        "trading/strategies/grid/growth.py",
        "-round_up(share / divisor, market.lot)",
        "-(share // (divisor * market.lot) * market.lot)",
        f"{FUNDS}::test_a_withdrawal_makes_the_next_buys_smaller",
    ),
    Mutant(
        "a second deposit takes the place of the first",
        "trading/strategies/grid/growth.py",
        "before._replace(due=before.due + part)",
        "before._replace(due=part)",
        f"{FUNDS}::test_two_deposits_add_up",
    ),
    Mutant(
        "the reserve is invested with a deposit",
        "trading/strategies/grid/growth.py",
        "share = abs(amount) * (ONE - settings.reserve) / (ONE + market.quote_fee)",
        "share = abs(amount) / (ONE + market.quote_fee)",
        f"{FUNDS}::test_a_deposit_touches_no_order_and_enlarges_each_cell_when_it_has_sold",
    ),
    Mutant(
        "a deposit enlarges its cell with each cycle again",
        "trading/strategies/grid/growth.py",
        "Growth(ZERO, gain, put)",
        "Growth(due, gain, put)",
        f"{FUNDS}::test_a_deposit_touches_no_order_and_enlarges_each_cell_when_it_has_sold",
    ),
    Mutant(
        "profit is put to work twice",
        "trading/strategies/grid/growth.py",
        "gain - more * price, put + more * price",
        "gain, put + more * price",
        f"{REINVEST}::test_the_worked_example_buys_more_after_each_round_trip",
    ),
    Mutant(
        "profit is put to work with quote that other cells need",
        "trading/strategies/grid/growth.py",
        "free = spare_quote(memory, view.ledger, market)",
        "free = view.ledger.quote",
        f"{REINVEST}::test_it_never_wants_more_than_there_is",
    ),
    Mutant(
        "the price of a total stop forgets the fees in a third asset",
        "trading/strategies/grid/stops.py",
        "ledger.funded_value + ledger.fee_value - ledger.quote",
        "ledger.funded_value - ledger.quote",
        f"{STOPS}::test_fees_in_a_third_asset_count_for_the_price_at_which_the_total_is_met",
    ),
    Mutant(
        "a stop that waits begins to wait at every look",
        "trading/strategies/grid/stops.py",
        "beyond_ms = view.at_ms if since is None else since",
        "beyond_ms = view.at_ms",
        f"{STOPS}::test_the_price_must_stay_beyond_the_stop_for_all_of_the_time",
    ),
    Mutant(
        "a stop that waits goes on waiting above its price",
        "trading/strategies/grid/stops.py",
        "beyond_ms = None",
        "beyond_ms = since",
        f"{STOPS}::test_the_price_must_stay_beyond_the_stop_for_all_of_the_time",
    ),
    Mutant(
        "a total loss is taken of the quote that is left",
        "trading/strategies/grid/stops.py",
        "-settings.total_loss_stop * ledger.funded_value",
        "-settings.total_loss_stop * ledger.quote",
        f"{STOPS}::test_the_worked_example_ends_at_5_per_cent_of_loss",
    ),
)

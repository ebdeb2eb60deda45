"""What `autogrid demo` says, all in one place, so that another language is one more file like this."""

from typing import Final

TITLE: Final = "AutoGrid demo"
WHAT: Final = "a grid bot on {symbol}"
WHAT_SHORT: Final = "{symbol}"
PAPER: Final = "paper money: nothing is sent anywhere"
PAPER_SHORT: Final = "paper money, nothing is sent"
MADE_UP: Final = "MADE-UP PRICES"
MADE_UP_WHY: Final = "no exchange could be reached"
MADE_UP_ASKED: Final = "from the seed {seed}"
LIVE: Final = "LIVE PRICES"
LIVE_FROM: Final = "public, from {exchange}"
TAPE: Final = "PAST PRICES"
PACE: Final = "{pace} times faster than life"
LIFE: Final = "at the pace of life"
PACE_FREE: Final = "as fast as it goes"
IDEA: Final = "It buys a little at each line the price falls to, and sells it again one line higher. Again and again."
IDEA_SHORT: Final = "Buys at each line down, sells one line up."

LADDER: Final = "Ladder"
LADDER_OF: Final = "{cells} cells: buy at a line, sell one line up"
LADDER_DOTS: Final = "{cells} cells; each • is a round trip made"
PRICE_TITLE: Final = "Price"
MONEY: Final = "Money"
FILLS: Final = "Last trades"
FREE_LINE: Final = "free line"
SELL: Final = "sell"
BUY: Final = "buy"
TO_BEGIN: Final = "to begin"
BOUGHT: Final = "bought"
SOLD: Final = "sold"
HELD_BACK: Final = "{side} held back"
WAITS: Final = "buy waits for a rise"
COMES: Final = "sell comes with its coins"
MORE_ABOVE: Final = "{count} more above"
MORE_BELOW: Final = "{count} more below"
TRIPS: Final = "{count} round trips"
TRIP: Final = "1 round trip"
NO_TRADES: Final = "none yet: the price has not touched a line"
NO_PRICE: Final = "waiting for the first price"

WORTH: Final = "Worth now"
WORTH_NOTE: Final = "of {put_in} put in"
GRID: Final = "Grid profit"
GRID_SHORT: Final = "Grid"
GRID_NOTE: Final = "from {trips}"
TREND: Final = "Trend"
TREND_NOTE: Final = "its coins' rise or fall"
TOTAL: Final = "Total profit"
TOTAL_SHORT: Final = "Total"
HOLDING: Final = "Just holding"
HOLDING_SHORT: Final = "Holding"
HOLDING_NOTE: Final = "had it all become {base}"
FEES: Final = "Fees paid"
FEES_NONE: Final = "none"

EARNED: Final = ": {trips} earned "
PRICES_OVER: Final = "the prices have come to their end"
QUIT: Final = "q quits"
ELAPSED: Final = "watched {elapsed}"
TOO_SMALL: Final = "Make this window larger, please (at least {width} x {height})."

LOOKING: Final = "Looking for live public prices:"
TRYING: Final = "  {exchange} …"
NOT_REACHED: Final = "  {exchange}: {why}"
TOO_SLOW: Final = "no price came in time"
CONNECTING: Final = "  an exchange answers; getting ready …"
TROUBLE: Final = "no prices at this moment: {why}"
NO_NETWORK: Final = "No exchange can be reached from here; the demo goes on with made-up prices."

EVENT_MADE_UP: Final = "made-up prices, no exchange could be reached"
EVENT_MADE_UP_ASKED: Final = "made-up prices, from the seed {seed}"
EVENT_START: Final = (
    "paper grid on {symbol}: {grids} cells from {lower} to {upper}, {investment} {quote}; nothing is sent anywhere"
)
EVENT_FILL: Final = "{did} {quantity} {base} at {price}"
EVENT_PROFIT: Final = ", the round trip earned {profit} {quote}"

ENDED: Final = "You watched a paper grid bot for {elapsed} of {kind}."
MADE: Final = "It made {total} {quote} on {investment}: {grid} from {trips}, {trend} from the price's own move."
WOULD_HOLD: Final = "Just holding {base} would have made {hold} {quote}."
MADE_UP_NOTE: Final = "The prices were made up: this shows how a grid works, not what it would earn."
NOTHING_YET: Final = "It had not begun: no price came."
OF_LIVE: Final = "live prices"
OF_TAPE: Final = "past prices ({span} of them)"
OF_MADE_UP: Final = "made-up prices ({span} of them)"
NEXT: Final = "What next"
NEXT_STEPS: Final = (
    "  Try it on real past prices:",
    "    autogrid data download binance {symbol} 1h --from 2025-01-01",
    "    autogrid backtest grid --candles FILE --investment {investment} \\",
    "      --set lower={lower} --set upper={upper} --set grids={grids}",
    "  Run a paper bot of your own:",
    "    autogrid bot create grid --account paper --symbol {symbol} \\",
    "      --investment {investment} --set lower={lower} --set upper={upper} --set grids={grids}",
)
LOWEST: Final = "LOWEST"
HIGHEST: Final = "HIGHEST"

AHEAD: Final = "What happens next"
IF_FALLS: Final = "Falls to {line}: it buys {quantity} {base} there."
IF_RISES: Final = "Rises to {line}: it sells {quantity} {base} there, one line above where it bought."
NOTE_GRID: Final = "Grid profit is earned and stays. Trend is what the coins it holds gain or lose with the price."

BAD_SPEED: Final = "--speed is {given}; it is how much faster than life the tape runs: 1, 60, 300, or 0 for no pause"
BAD_SECONDS: Final = "--seconds is {given}; it must be above 0"
BAD_PAIR: Final = "--symbol is '{given}'; write it like BTC/USDT"
ONE_SIDE: Final = "give both --lower and --upper, or neither: then they are chosen around the first price"
TAPE_AND_SEED: Final = "give --tape or --seed, not both: a tape holds its own prices"

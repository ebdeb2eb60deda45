"""The one loop. Backtest, paper and live differ in what is handed to it, and in nothing else."""

from contextlib import aclosing

from autogrid.engine.ports import Exchange, Journal
from autogrid.trading.bot import Bot
from autogrid.trading.state import BotState, is_news


async def run(bot: Bot, state: BotState, exchange: Exchange, journal: Journal) -> BotState:
    """Run `bot` from `state` until it has ended or the exchange has no more to tell; its last state."""
    expected = bot.quiet(state)
    exchange.expect(expected)
    async with aclosing(exchange.events()) as events:  # however it ends, nothing of this run goes on
        async for event in events:
            step = bot.step(state, event)
            if is_news(state, step):
                await journal.append(step, state, exchange.cursor)  # kept before it is sent: a crash loses nothing
            state = step.state
            quiet = bot.quiet(state)
            if quiet is not expected:
                exchange.expect(quiet)
                expected = quiet
            for command in step.commands:
                await exchange.execute(command)  # the one place where an order is sent
            if state.ended_why:
                break
    return state

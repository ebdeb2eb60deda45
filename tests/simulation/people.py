"""The people of a run: what they ask of their bots, and the kill switch."""

from decimal import Decimal

from autogrid.storage import kills
from autogrid.storage.requests import RequestKind, add_request, take_requests
from autogrid.trading.money import text
from tests.simulation.engine import Engine
from tests.simulation.stage import Stage

POLL_S = 0.2
"""So often an engine looks at what is wanted."""


class People:
    """Those whose bots they are."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._signals = 0
        self._paused: dict[str, None] = {}

    async def ask(self, bot_id: str, kind: RequestKind, payload: dict[str, str]) -> None:
        """Ask a bot for something."""
        if bot_id in self._stage.ended:
            return
        async with self._stage.user.database.writing() as connection:
            number = await add_request(connection, bot_id, kind, payload, self._stage.side.now_ms())
            requests = [one for one in await take_requests(connection, bot_id) if one.id == number]
        self._stage.note("asks", f"{bot_id} {kind} {payload}")
        for engine in self._stage.engines:
            self._stage.loop.call_later(POLL_S, engine.asked, requests[0], context=engine.host.context)

    async def wish(self) -> None:
        """A person asks a bot for something."""
        chance = self._stage.chance
        bot = chance.choice(self._stage.scenario.bots)
        kinds: list[RequestKind] = ["pause", "resume", "funds", "edit"]
        if bot.strategy == "signal":
            kinds = ["signal", "signal", "signal", *kinds]
        kind = chance.choice(kinds)
        match kind:
            case "pause":
                self._paused[bot.id] = None
                await self.ask(bot.id, "pause", {"cancel": chance.choice(("yes", "no"))})
            case "resume":
                self._paused.pop(bot.id, None)
                await self.ask(bot.id, "resume", {})
            case "funds":
                amount = Decimal(chance.choice((100, 200, -100)))
                if self._stage.checks.outside[bot.account, "USDT"] - 1_500 > amount:
                    await self.ask(bot.id, "funds", {"amount": text(amount)})
            case "edit" if bot.strategy == "grid":
                grids = str(chance.choice((6, 9, 14)))
                await self.ask(bot.id, "edit", {**bot.config, "grids": grids})
            case "signal":
                self._signals += 1
                action = chance.choice(("enter", "leave"))
                await self.ask(bot.id, "signal", {"id": f"s{self._signals}", "action": action})
            case _:
                pass
        if chance.random() < 0.01:
            await self.ask(bot.id, "stop", {"sell": chance.choice(("yes", "no"))})

    async def kill_switch(self) -> None:
        """A person kills a bot, an account's bots, or all; or lifts what was killed."""
        chance = self._stage.chance
        if self._stage.checks.killed_ms and chance.random() < 0.7:
            await self.lift()
            return
        scope = chance.choice(("bot", "account", "all"))
        bot = chance.choice(self._stage.scenario.bots)
        target = {"bot": bot.id, "account": bot.account}.get(scope, "")
        hit = {
            "bot": [bot.id],
            "account": [one.id for one in self._stage.scenario.bots if one.account == bot.account],
        }.get(scope, [one.id for one in self._stage.scenario.bots])
        async with self._stage.user.database.writing() as connection:
            await kills.add_kill(connection, _scope(scope), target, "a person", self._stage.side.now_ms())
        now = self._stage.side.now_ms()
        for bot_id in hit:
            self._stage.checks.killed_ms.setdefault(bot_id, now)
            await self.ask(bot_id, "kill", {})
        self._stage.note("kill switch", f"{scope} {target}")
        self._tell_kills()

    async def lift(self) -> None:
        """A person lifts every kill, and lets every bot go on."""
        async with self._stage.user.database.writing() as connection:
            for kill in await kills.standing(connection):
                await kills.lift(connection, kill.scope, kill.target, self._stage.side.now_ms())
        killed = list(self._stage.checks.killed_ms)
        self._stage.checks.killed_ms.clear()
        for bot_id in dict.fromkeys([*killed, *self._paused]):
            await self.ask(bot_id, "resume", {})
        self._paused.clear()
        self._tell_kills()

    def _tell_kills(self) -> None:
        for engine in self._stage.engines:
            engine.host.was_frozen = engine.host.frozen
            self._stage.loop.call_later(POLL_S, self._tell_one, engine, context=engine.host.context)

    def _tell_one(self, engine: Engine) -> None:
        self._stage.loop.create_task(engine.kills_changed())


def _scope(name: str) -> kills.Scope:
    assert name in ("bot", "account", "all")
    return name  # type: ignore[return-value]

"""A relay between AutoGrid and PostgreSQL that goes wrong at a COMMIT, where a test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["", "cut before", "cut after", "silent", "mute"]
SOCKET = ".s.PGSQL.5432"
COMMIT = b"\x0cCOMMIT;"
"""The end of a message of that one statement. BEGIN … READ COMMITTED is none."""


class Relay:
    """Passes on what either side says."""

    def __init__(self, server: Path, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.fault: Fault = ""
        """What happens at the next COMMIT: the connection is cut before it reaches the server, or before the answer
        comes back, or no answer comes any more. Mute: so from now on."""
        self.commits = 0
        self.talks: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        me = asyncio.current_task()
        assert me is not None
        self.talks.add(me)
        theirs, ours = await asyncio.open_unix_connection(str(self._server / SOCKET))
        silent = asyncio.Event()
        sides = {
            asyncio.create_task(self._pass_up(reader, ours, silent)),
            asyncio.create_task(self._pass_down(theirs, writer, silent)),
        }
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            ours.transport.abort()
            writer.transport.abort()
            self.talks.discard(me)

    async def _pass_up(self, reader: asyncio.StreamReader, ours: asyncio.StreamWriter, silent: asyncio.Event) -> None:
        while said := await reader.read(65_536):
            if COMMIT in said:
                self.commits += 1
                if self.fault == "cut before":
                    return
                if self.fault:
                    silent.set()
            if self.fault == "mute":
                silent.set()
            ours.write(said)
            await ours.drain()

    async def _pass_down(
        self, theirs: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while said := await theirs.read(65_536):
            if silent.is_set():
                if self.fault == "cut after":
                    return
                continue
            writer.write(said)
            await writer.drain()


@asynccontextmanager
async def relay(server: Path, folder: Path) -> AsyncIterator[Relay]:
    """A relay before the server whose socket lies in `server`; its own lies in `folder`."""
    between = Relay(server, folder)
    listening = await asyncio.start_unix_server(between.talk, str(folder / SOCKET))
    try:
        yield between
    finally:
        listening.close()
        talks = list(between.talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)  # connections that were aborted close in the next round of the loop

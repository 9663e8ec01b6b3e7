import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.races.racer import LIMIT, Command, Setting, Streams, heard, line, outcome
from tests.world import World

PROCESSES = 4


@dataclass
class Track:
    """Where races are run: by several processes at once, or by this one alone."""

    world: World
    setting: Setting
    racers: list[Streams] = field(default_factory=list)
    all_here: asyncio.Event = field(default_factory=asyncio.Event)
    keys: int = 0

    def key(self) -> str:
        self.keys += 1
        return f"race-{self.keys:06}"

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A racer that has come, or a command that one sends."""
        said = await heard((reader, writer))
        if said == "racer":
            writer.write(line(self.setting))
            self.racers.append((reader, writer))
            if len(self.racers) == PROCESSES:
                self.all_here.set()
        elif said is not None:
            writer.write(line(await outcome(said)))
            await writer.drain()
            writer.close()

    async def run(self, commands: Sequence[Command], processes: int) -> list[Any]:
        """Their outcomes, in the order of the commands."""
        if processes == 1:
            return await asyncio.gather(*(outcome(command) for command in commands))
        racers = self.racers[:processes]
        parts = [commands[at::processes] for at in range(processes)]
        for (_, writer), part in zip(racers, parts, strict=True):
            writer.write(line(part))
        assert [await heard(racer) for racer in racers] == ["ready"] * processes
        for _, writer in racers:
            writer.write(line("go"))
        told: list[Any] = [None] * len(commands)
        for at, racer in enumerate(racers):
            told[at::processes] = await heard(racer)
        return told


@pytest.fixture
async def track(world: World, settings: Any, clock: Any) -> AsyncIterator[Track]:
    with tempfile.TemporaryDirectory(prefix="pb_races_") as folder:  # pytest's own is too deep for a socket's name
        made = Track(world, Setting(settings, bytes(range(32)), clock.now()))
        async with _racing(made, Path(folder) / "track"):
            yield made


@asynccontextmanager
async def _racing(track: Track, path: Path) -> AsyncIterator[None]:
    server = await asyncio.start_unix_server(track.met, path, limit=LIMIT)
    program = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.races.racer", str(path), str(PROCESSES))
    try:
        async with asyncio.timeout(60):
            await track.all_here.wait()
        yield
    finally:
        for _, writer in track.racers:
            writer.close()
        await program.wait()
        server.close()
        await server.wait_closed()

"""The server under load: a process of its own, another one that sends, and how busy the first was."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from tests.bench.commands import request
from tests.bench.load import Round

R = TypeVar("R")

BUSY_MIN = 0.9
TRIES_MAX = 2
START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Serving:
    """`say` is told of every round: what it measured, and whether the server was busy enough for it to count."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say
        self.port, self.bare_port = free_port(), free_port()
        self.idle_rounds = 0

    async def start(self) -> None:
        ports = (str(self.port), str(self.bare_port))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.app", str(self.folder), *ports
        )
        until = asyncio.get_running_loop().time() + START_SECONDS
        while not await self._answers():
            assert self.process.returncode is None, "the server did not start"
            assert asyncio.get_running_loop().time() < until, "the server does not answer"
            await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        for port in (self.port, self.bare_port):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
        return True

    async def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        await self.process.wait()

    async def load(
        self,
        name: str,
        make: Callable[[], list[bytes]],
        seconds: float | None,
        *,
        bare: bool = False,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Round:
        """Send what `make` prepares, again with new ones if the server had too little to do."""
        for _ in range(TRIES_MAX):
            if before is not None:
                await before()
            found = await self.send(make(), seconds, bare=bare)
            assert set(found.statuses) <= {"200", "201"}, f"{name}: {found.statuses} {found.refused}"
            self.say(
                f"  {name:14} {found.rate:7.0f}/s  p50 {found.p50_ms:5.1f}  p99 {found.p99_ms:6.1f} ms  "
                f"server {found.busy:.0%} busy"
            )
            if found.busy >= BUSY_MIN:
                return found
        self.say(f"  {name}: not busy enough in {TRIES_MAX} tries, counted all the same")
        self.idle_rounds += 1
        return found

    async def send(self, requests: list[bytes], seconds: float | None = None, *, bare: bool = False) -> Round:
        file = self.folder / "requests.msgpack"
        file.write_bytes(msgspec.msgpack.encode(requests))
        port = self.bare_port if bare else self.port
        sending = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.load", str(port), str(self.process.pid), str(file),
            *([] if seconds is None else ["--seconds", str(seconds)]),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        told, _ = await sending.communicate()
        assert sending.returncode == 0, "the load generator failed"
        return msgspec.json.decode(told, type=Round)

    async def everybody_leaves(self) -> None:
        await self.send([request("POST", "/api/bench/everybody-leaves", "")])

    async def asked(self, method: str, path: str, kind: type[R]) -> R:
        """One request of the bench itself, which may take its time."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=None) as client:
            answer = await client.request(method, path)
        assert answer.is_success, answer.text
        return msgspec.json.decode(answer.content, type=kind)

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1000

"""Serving: the lock, the database, the app, the jobs, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import Callable, Generator, Sequence

import uvicorn
from litestar.types import ASGIApp, Receive, Scope, Send

from pointsbank.app import backup_daily, first_run, installation, jobs, lock, routes_first_run, wiring
from pointsbank.app import database as databases
from pointsbank.app.address import EVERYWHERE, LOCAL
from pointsbank.app.first_run import FirstRun
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Busy, NotWritten
from pointsbank.kit.settings import Settings
from pointsbank.ledger.sealing import Sealer

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 10
LAST_SLICES = 50


class PortTaken(Exception):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"端口 {port} 已被占用（{host}）。请关掉占用它的程序，或用 POINTSBANK_PORT 换一个。")


class WriterDied(Exception):
    def __init__(self) -> None:
        super().__init__("写入数据库的任务意外停止，程序已退出。请看日志，然后重新启动。")


class OpenHttp(Exception):
    def __init__(self) -> None:
        super().__init__("不加密的 http 只能在本机使用。确实要在内网使用，请设置 POINTSBANK_ALLOW_HTTP=1。")


def quiet_collector() -> None:
    """Collect once and then rarely: measured, it takes the slowest answers from 37 ms to 7 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take a signal as the wish to stop: uvicorn raises it again in the end, but we have a database to close."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(host, port) from error
    return listener


def _listeners(settings: Settings) -> list[socket.socket]:
    """The address that was asked for, and this machine's own, where commands of the shell find the server."""
    is_heard = settings.host in {"127.0.0.1", "localhost", *EVERYWHERE}
    listeners: list[socket.socket] = []
    for host in (settings.host,) if is_heard else (settings.host, "127.0.0.1"):
        try:
            listeners.append(_listen(host, settings.port))
        except PortTaken:
            for listener in listeners:
                listener.close()
            raise
    return listeners


class _Serving:
    """The HTTP server on sockets that listen already."""

    def __init__(self, app: ASGIApp, listeners: Sequence[socket.socket]) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            proxy_headers=False,
        )
        self.server = _Server(config)
        self.task = asyncio.create_task(self.server.serve(sockets=list(listeners)))

    async def stop(self) -> None:
        self.server.should_exit = True
        await self.task


class _Door:
    """Leads to the first run, and once that is finished to the bank; who comes in between waits."""

    def __init__(self, app: ASGIApp, finished: asyncio.Event) -> None:
        self.app, self.finished = app, finished
        self.bank_is_open = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.finished.is_set():
            await self.bank_is_open.wait()
        await self.app(scope, receive, send)

    def lead_to(self, bank: ASGIApp) -> None:
        self.app = bank
        self.bank_is_open.set()


async def serve(
    settings: Settings,
    ready: Callable[[], None] = lambda: None,
    asks: Callable[[FirstRun], None] = lambda _: None,
) -> None:
    """Serve until told to stop; returns after everything acknowledged is on disk.

    `ready` is called when the bank is open. Where nothing is founded yet the first run is open first: then `asks` is
    called, and once the bank is founded the same address leads to it.
    """
    if not (settings.host in LOCAL or settings.allow_http or (settings.public_url or "").startswith("https://")):
        raise OpenHttp
    with contextlib.ExitStack() as held:
        listeners = _listeners(settings)
        for listener in listeners:
            held.enter_context(listener)
        if not settings.database_url:
            held.enter_context(lock.held(settings.data, f"http://127.0.0.1:{settings.port}"))
        if await databases.is_founded(settings):
            first_run.forget(settings)
            await _serve(settings, lambda app: _Serving(app, listeners), ready)
        else:
            await _serve_first_run(settings, listeners, ready, asks)


async def _serve_first_run(
    settings: Settings,
    listeners: Sequence[socket.socket],
    ready: Callable[[], None],
    asks: Callable[[FirstRun], None],
) -> None:
    run = FirstRun(settings)
    door = _Door(routes_first_run.create_app(run), run.finished)
    serving = _Serving(door, listeners)

    def open_bank(app: ASGIApp) -> _Serving:
        door.lead_to(app)
        return serving

    finished = asyncio.create_task(run.finished.wait())
    try:
        asks(run)
        await asyncio.wait({serving.task, finished}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.task.done():
            await _serve(settings, open_bank, ready)
    finally:
        finished.cancel()
        await serving.stop()


async def _serve(settings: Settings, opened: Callable[[ASGIApp], _Serving], ready: Callable[[], None]) -> None:
    """The founded bank; `opened` lets people in to it."""
    clock = Clock()
    async with databases.opened(settings, clock) as database:
        found = await installation.check(settings)
        serving = opened(wiring.create_app(settings, clock, found))
        sealer = Sealer()
        recurring = [asyncio.create_task(work) for work in (jobs.keep_running(), jobs.keep_sealing(sealer))]
        if database.is_sqlite and not found.is_demo:
            recurring.append(asyncio.create_task(backup_daily.keep_making(settings)))
        writing = database.writer_task
        watched = {serving.task, *recurring} | ({writing} if writing else set())
        quiet_collector()
        ready()
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        serving.server.should_exit = True
        for task in recurring:
            task.cancel()
        await serving.task
        for task in recurring:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if writing is None or not writing.done():
            # What is lost is a few minutes of when sessions were used, and what is not sealed now is sealed later.
            with contextlib.suppress(Busy, NotWritten):
                await jobs.write_uses()
                await sealer.run(slices=LAST_SLICES)
        if writing is not None and writing.done():
            raise WriterDied

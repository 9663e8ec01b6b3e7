"""Serving: the lock, the database, the app, the jobs, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import Callable, Generator, Sequence

import uvicorn

from pointsbank.app import database as databases
from pointsbank.app import installation, jobs, lock, wiring
from pointsbank.kit.clock import Clock
from pointsbank.kit.settings import Settings

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 10
LOCAL = ("127.0.0.1", "localhost", "::1")


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
    is_heard = settings.host in {"127.0.0.1", "localhost", "0.0.0.0", "::"}  # noqa: S104  only compared with
    listeners: list[socket.socket] = []
    for host in (settings.host,) if is_heard else (settings.host, "127.0.0.1"):
        try:
            listeners.append(_listen(host, settings.port))
        except PortTaken:
            for listener in listeners:
                listener.close()
            raise
    return listeners


async def serve(settings: Settings, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop; returns after everything acknowledged is on disk. `ready` is called when it is open."""
    if not (settings.host in LOCAL or settings.allow_http or (settings.public_url or "").startswith("https://")):
        raise OpenHttp
    with contextlib.ExitStack() as held:
        listeners = _listeners(settings)
        for listener in listeners:
            held.enter_context(listener)
        if not settings.database_url:
            held.enter_context(lock.held(settings.data, f"http://127.0.0.1:{settings.port}"))
        await _serve(settings, listeners, ready)


async def _serve(settings: Settings, listeners: Sequence[socket.socket], ready: Callable[[], None]) -> None:
    clock = Clock()
    async with databases.opened(settings, clock) as database:
        found = await installation.check(settings)
        app = wiring.create_app(settings, clock, found)
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
        server = _Server(config)
        recurring = asyncio.create_task(jobs.keep_running())
        serving = asyncio.create_task(server.serve(sockets=list(listeners)))
        writing = database.writer_task
        watched = {serving, recurring} | ({writing} if writing else set())
        quiet_collector()
        ready()
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        recurring.cancel()
        await serving
        with contextlib.suppress(asyncio.CancelledError):
            await recurring
        if writing is not None and writing.done():
            raise WriterDied

"""Chromium, and the program in a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import Result
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
)

from tests.app.shell import shell_in
from tests.browser.serve import facts_of
from tests.browser.towns import PASSWORD
from tests.chromium import chromium_opened

ROOT = Path(__file__).parents[2]
PHONE, DESK = (390, 844), (1280, 800)
PATIENCE_MS = 20_000
START_SECONDS = 60
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Served:
    url: str
    folder: Path
    facts: dict[str, Any]
    signed_in: dict[str, Any] = field(default_factory=dict)

    def forward(self, **span: float) -> dict[str, int]:
        """Let time pass on the server; answers what its jobs did then."""
        answer = httpx.post(f"{self.url}/test/forward", json=span, headers={"Origin": self.url}, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def command(self, *words: str) -> Result:
        """The same in this process, in a thread, since a browser has this one: it need not import everything anew."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(shell_in(self.folder), *words).result()

    def shell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the shell on the same data folder, as it is while the server runs."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("POINTSBANK_")}
        return subprocess.run(
            [Path(sys.executable).with_name("pointsbank"), *words],
            env={**inherited, "POINTSBANK_DATA": str(self.folder)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for a module and no longer: other tests need the thread."""
    with chromium_opened() as opened:
        yield opened


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def stable() -> Iterator[subprocess.Popen[str]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POINTSBANK_")}
    words = [sys.executable, "-m", "tests.browser.serve"]
    with subprocess.Popen(
        words, cwd=ROOT, env=inherited, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        yield process
        assert process.stdin is not None
        process.stdin.close()


def until(what: Callable[[], bool], otherwise: str) -> None:
    latest = time.monotonic() + START_SECONDS
    while not what():
        assert time.monotonic() < latest, otherwise
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: Path,
    stable: subprocess.Popen[str],
) -> Iterator[Served]:  # fmt: skip
    """The server of a module, over the town that the module names in TOWN."""
    folder, port, town = tmp_path_factory.mktemp("served"), free_port(), request.module.TOWN
    if town != "nothing":
        shutil.copy(template, folder)
    assert stable.stdin is not None
    assert stable.stdout is not None
    stable.stdin.write(json.dumps({"folder": str(folder), "port": port, "town": town}) + "\n")
    stable.stdin.flush()
    pid = int(stable.stdout.readline())
    facts = facts_of(folder)
    until(lambda: facts.exists() or is_gone(pid), "the server did not start")
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        client.get(f"{url}/livez").raise_for_status()
    yield Served(url, folder, json.loads(facts.read_text("utf-8")))
    os.kill(pid, signal.SIGTERM)
    until(lambda: is_gone(pid), "the server did not stop")


@dataclass
class Watch:
    """Everything a browser complained of, and every request that left the host."""

    host: str
    wrong: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        context.on("request", self._asked)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # A refusal is an answer with a page: `_answered` decides about those. And we block the worker ourselves.
        expected = ("Failed to load resource", "Service Worker registration blocked by Playwright")
        if message.type in ("error", "warning") and not message.text.startswith(expected):
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != self.host:
            self.wrong.append(f"left the host: {request.url}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.resource_type in ("document", "fetch")
        if response.status >= (500 if is_page else 400):
            self.wrong.append(f"{response.status}: {response.url}")


@pytest.fixture
def enter(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """Opens a browser of somebody's own: `enter(PHONE)`, `enter(DESK, login="clerk")`, or with an open session."""
    watch = Watch(urlsplit(served.url).netloc)
    contexts: list[BrowserContext] = []

    def open_browser(
        size: tuple[int, int], *, login: str = "", session: str = "", has_script: bool = True, has_worker: bool = False
    ) -> Page:
        context = chromium.new_context(
            base_url=served.url, locale="zh-CN", timezone_id="Asia/Shanghai", java_script_enabled=has_script,
            service_workers="allow" if has_worker else "block",
            viewport={"width": size[0], "height": size[1]}, has_touch=size == PHONE,
            storage_state=served.signed_in.get(login),
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        if session:
            context.add_cookies([{"name": "sid", "value": session, "url": served.url}])
        watch.over(context)
        contexts.append(context)
        page = context.new_page()
        if login and login not in served.signed_in:
            sign_in(page, login)
            served.signed_in[login] = context.storage_state()
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert watch.wrong == []


def sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("main button:has-text('登录')")
    page.wait_for_url(lambda url: "sign-in" not in url)


def at_work(page: Page, login: str, url: str) -> None:
    """Sessions of staff end when they lie idle, and time passes quickly here."""
    page.goto(url)
    if "/sign-in" in page.url:
        sign_in(page, login)
        page.goto(url)

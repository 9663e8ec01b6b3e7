"""Chromium for tests, without windows. Without it they are skipped aloud; with PB_REQUIRE_BROWSER=1 they fail."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
MISSING = "no Chromium: apt-get install chromium-headless-shell, or name one in CHROMIUM"
ARGUMENTS = [
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--no-first-run", "--disable-site-isolation-trials", "--renderer-process-limit=1",
]  # fmt: skip


@contextmanager
def chromium_opened() -> Iterator[Browser]:
    """While it is open, this thread can run no other event loop."""
    if CHROMIUM is None:
        if os.environ.get("PB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"PB_REQUIRE_BROWSER is set; {MISSING}")
        pytest.skip(MISSING)
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()

"""The pictures of the README, taken from the demo: `python -m tests.browser.pictures` (`make pictures`).

They show the program as it is today: whoever changes how a page looks takes them anew.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import free_port
from tests.chromium import ARGUMENTS, CHROMIUM

PROGRAM = str(Path(sys.executable).with_name("pointsbank"))
FOLDER = Path(__file__).with_name("pictures")
PHONE, DESK = {"width": 390, "height": 780}, {"width": 1280, "height": 800}
COLOURS = 256
PATIENCE_SECONDS = 60


class Demo:
    def __init__(self, browser: Browser, folder: Path, port: int) -> None:
        self.browser, self.folder, self.port = browser, folder, port
        self.url = f"http://127.0.0.1:{port}"

    def facts(self) -> dict[str, Any]:
        words = [PROGRAM, "demo", "--folder", str(self.folder), "--facts"]
        return dict(json.loads(subprocess.check_output(words, text=True)))

    def opened(self, size: dict[str, int]) -> Page:
        context = self.browser.new_context(
            base_url=self.url, viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", service_workers="block",
            device_scale_factor=1.5 if size == PHONE else 1,
        )  # fmt: skip
        return context.new_page()

    def signed_in(self, role: str, community: int = 0) -> Page:
        known = self.facts()
        place = known["communities"][community]["id"]
        login = next(one for one in known["logins"] if one["role"] == role and one["place_id"] == place)
        page = self.opened(DESK)
        page.goto("/sign-in")
        page.fill("#login", login["login"])
        page.fill("#password", login["password"])
        page.click("main button:has-text('登录')")
        page.wait_for_load_state()
        return page


def counter(demo: Demo) -> Page:
    known, page = demo.facts(), demo.signed_in("counter_staff")
    home = known["communities"][0]["id"]
    good = [one for one in known["goods"] if one["community_id"] == home and one["stock"] > 2]
    card = next(one for one in known["cards"] if one["community_id"] == home)
    page.goto(f"/redemption/counters/{good[0]['counter_id']}")
    for code in (card["code"], *(one["barcode"] for one in good[:3])):
        page.fill("#scan", code)
        page.press("#scan", "Enter")
        page.wait_for_timeout(900)
    return page


def today(demo: Demo) -> Page:
    page = demo.signed_in("community_admin")
    page.goto("/todo")
    return page


def home(demo: Demo) -> Page:
    page = demo.opened(PHONE)
    page.goto(demo.facts()["residents"][0]["activation"])
    page.click("main button")
    page.goto("/home")
    return page


def why(demo: Demo) -> Page:
    page = demo.opened(PHONE)
    page.goto(demo.facts()["residents"][1]["activation"])
    page.click("main button")
    page.goto("/ledger?side=in")
    page.click(".ledger a")
    page.wait_for_load_state()
    return page


def notice(demo: Demo) -> Page:
    page = demo.signed_in("community_admin", community=1)  # the first has no days of notice
    page.goto("/notices")
    page.click("main a[href^='/notices/']")
    page.wait_for_load_state()
    page.goto(f"{page.url}/print")
    return page


PICTURES: dict[str, Callable[[Demo], Page]] = {
    "counter": counter, "today": today, "home": home, "why": why, "notice": notice,
}  # fmt: skip


def take(demo: Demo) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, drawn in PICTURES.items():
        page, file = drawn(demo), FOLDER / f"{name}.png"
        page.screenshot(path=file)
        page.context.close()
        with Image.open(file) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    port, folder = free_port(), Path(tempfile.mkdtemp())
    words = [PROGRAM, "demo", "--folder", str(folder), "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POINTSBANK_")}
    with subprocess.Popen(words, env=inherited, stdout=subprocess.DEVNULL) as serving, sync_playwright() as playwright:
        try:
            give_up = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < give_up:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.5)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            take(Demo(browser, folder, port))
        finally:
            serving.terminate()
            serving.wait(20)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()

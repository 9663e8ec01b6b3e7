"""static/app.js in Chromium, on a page that has the attributes and nothing else."""

import threading
import time
from urllib.parse import parse_qs

import pytest
import uvicorn

from pointsbank.web import assets
from tests.chromium import chromium_opened

pytestmark = pytest.mark.browser
CARD, RICE, SALT = "81000005360625710042", "2000000000121", "2000000000350"

PAGE = """<!doctype html><html lang="zh-CN" class="staff"><meta charset="utf-8"><title>台</title>
<link rel="icon" href="data:,"><script src="{script}" defer></script>
<body data-offline="没连上网，点这里再试" data-slow="网络慢" data-unreadable="这不是积分码"><main>
<form id="scan" method="post" action="/scan" data-swap="#basket">
<input type="hidden" name="request_key" value="first-key"><input data-scan name="code" autocomplete="off"></form>
<section id="basket">{basket}</section>
<form id="confirm" method="post" action="/confirm" data-swap="#basket">
<button data-confirm name="go" value="1">确认</button></form>
<button data-key="F8" type="button" id="undo">撤销</button>
<input id="seats" type="number" min="1" max="3" value="1">
<button type="button" data-add="1" data-for="seats" id="more">多</button>
<table data-grid><tr><td><input id="a1"><td><input id="b1"></tr><tr data-row="more"><td><input id="m1"></tr>
<tr><td><input id="a2"><td><input id="b2"></tr><tr data-row="more"><td><input id="m2"></tr></table>
<section id="live" data-refresh-seconds="1" data-refresh-url="/live">0 <b data-countdown></b></section>
<form id="plain" method="post" action="/slow"><button id="once">提交</button></form>
</main></body></html>"""


class Desk:
    """A counter that writes down what it was sent."""

    url = ""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.codes: list[str] = []
        self.keys: list[str] = []
        self.confirmed = self.refreshed = self.slow = 0
        self.is_broken = self.is_refusing = False

    def basket(self) -> str:
        return f'<section id="basket">{" ".join(self.codes)} / {self.confirmed}</section>'

    async def __call__(self, scope, receive, send) -> None:
        body = (await receive()).get("body", b"") if scope["type"] == "http" else b""
        if scope["type"] != "http":
            return
        path, status, more = scope["path"], 200, []
        asset = assets.shelf().by_url.get(path)
        if asset is not None:
            await self.answer(send, 200, asset.body, asset.headers)
            return
        sent = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        text = PAGE.format(script=assets.shelf().url("app.js"), basket=self.basket())
        if path == "/scan":
            self.keys.append(sent["request_key"])
            status = 502 if self.is_broken else 409 if self.is_refusing else 200
            text = '<div class="problem" role="alert">还差 14 分。</div>' if self.is_refusing else self.basket()
            more = [(b"x-problem", b"short")] if self.is_refusing else []
            if status == 200:
                self.codes.append(sent.get("code", ""))
                text = self.basket()
        elif path == "/confirm":
            self.confirmed += int(sent["go"])
            text = self.basket()
        elif path == "/live":
            self.refreshed += 1
            text = f'<section id="live" data-refresh-seconds="1" data-refresh-url="/live">{self.refreshed}</section>'
        elif path == "/slow":
            self.slow += 1
            time.sleep(0.3)  # noqa: ASYNC251  # a server that is slow to answer
        await self.answer(send, status, text.encode(), [(b"content-type", b"text/html; charset=utf-8"), *more])

    async def answer(self, send, status, body, headers) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def context():
    """One for all: none of these pages sets a cookie, and each test has a tab of its own."""
    with chromium_opened() as browser:
        opened = browser.new_context(locale="zh-CN", service_workers="block")
        opened.new_page()  # as long as one tab is open, the next needs no new process
        yield opened


@pytest.fixture(scope="module")
def served():
    made = Desk()
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    yield made
    server.should_exit = True
    server.force_exit = True
    thread.join()


@pytest.fixture
def desk(served):
    served.clear()
    return served


@pytest.fixture
def page(context, desk):
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(desk.url)
    yield opened
    opened.close()
    assert wrong == []


def burst(page, code: str, end: str | None = "Enter", *, ime: bool = False, pause_ms: int = 4) -> None:
    """What a scanner does: keys 4 ms apart. With an input method on, only the place of a key is known."""
    page.evaluate(
        """async ([code, end, ime, pause]) => {
            const press = (key, code) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
                {key: ime ? 'Process' : key, code, keyCode: ime ? 229 : 0, bubbles: true, cancelable: true}))
            for (const letter of code) {
                press(letter, (/[0-9]/.test(letter) ? 'Digit' : 'Key') + letter)
                await new Promise(done => setTimeout(done, pause))
            }
            if (end) press(end, end)
        }""",
        [code, end, ime, pause_ms],
    )


def wait_for(page, ready) -> None:
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until, "nothing happened"
        page.wait_for_timeout(20)


@pytest.mark.parametrize("end", ["Enter", "NumpadEnter", "Tab", None])
@pytest.mark.parametrize("ime", [False, True])
def test_a_scan_arrives_whatever_ends_it_and_whatever_input_method_is_on(page, desk, end, ime):
    burst(page, CARD, end, ime=ime)
    wait_for(page, lambda: desk.codes == [CARD])
    assert page.evaluate("document.activeElement.name") == "code"
    assert page.input_value("[data-scan]") == ""


def test_a_double_trigger_counts_once_and_a_later_scan_counts_again(page, desk):
    burst(page, RICE)
    burst(page, RICE)
    page.wait_for_timeout(900)
    burst(page, RICE)
    wait_for(page, lambda: len(desk.codes) == 2)
    page.wait_for_timeout(100)
    assert desk.codes == [RICE, RICE]


def test_scans_faster_than_the_network_wait_their_turn(page, desk):
    for code in (CARD, RICE, SALT):
        burst(page, code)
    wait_for(page, lambda: len(desk.codes) == 3)
    assert desk.codes == [CARD, RICE, SALT]
    assert len(set(desk.keys)) == 3


def test_three_times_before_a_scan(page, desk):
    page.focus("[data-scan]")
    page.keyboard.press("3")
    page.wait_for_timeout(150)
    page.keyboard.press("NumpadMultiply")
    page.wait_for_timeout(150)
    burst(page, SALT)
    wait_for(page, lambda: desk.codes)
    assert desk.codes == [f"3*{SALT}"]


def test_enter_confirms_only_an_empty_box_at_rest(page, desk):
    burst(page, RICE)
    page.keyboard.press("Enter")
    wait_for(page, lambda: desk.codes == [RICE])
    assert desk.confirmed == 0
    page.wait_for_timeout(350)
    page.keyboard.press("Enter")
    wait_for(page, lambda: desk.confirmed == 1)


def test_letters_at_the_speed_of_a_scanner_are_no_code(page, desk):
    burst(page, "AB12345678")
    page.wait_for_selector("text=这不是积分码")
    assert desk.codes == []


def test_full_width_digits_that_arrive_as_text_are_read(page, desk):
    page.evaluate(
        "code => {const box = document.querySelector('[data-scan]'); box.value = code;"
        "box.dispatchEvent(new Event('input', {bubbles: true}))}",
        "".join(chr(ord(digit) + 0xFEE0) for digit in RICE),
    )
    wait_for(page, lambda: desk.codes)
    assert desk.codes == [RICE]


def test_a_code_typed_by_hand_is_sent_by_enter(page, desk):
    page.focus("[data-scan]")
    page.keyboard.type("571", delay=130)
    page.wait_for_timeout(150)
    assert desk.codes == []
    page.keyboard.press("Enter")
    wait_for(page, lambda: desk.codes == ["571"])


def test_a_lost_answer_is_asked_for_again_with_the_same_key(page, desk):
    desk.is_broken = True
    burst(page, RICE)
    page.wait_for_selector("text=没连上网，点这里再试")
    burst(page, SALT)
    desk.is_broken = False
    page.click("text=没连上网，点这里再试")
    wait_for(page, lambda: desk.codes == [RICE, SALT])
    assert desk.keys[0] == desk.keys[1] == "first-key"
    assert desk.keys[2] != "first-key"


def test_a_refusal_stands_beside_the_form_and_ends_the_key(page, desk):
    desk.is_refusing = True
    burst(page, RICE)
    page.wait_for_selector("#scan + .problem")
    desk.is_refusing = False
    burst(page, SALT)
    wait_for(page, lambda: desk.codes == [SALT])
    page.wait_for_selector(".problem", state="detached")
    assert desk.keys[0] != desk.keys[1]


def test_keys_press_what_carries_their_name(page):
    page.evaluate("document.getElementById('undo').onclick = () => document.title = 'undone'")
    page.keyboard.press("F8")
    assert page.title() == "undone"


def test_a_grid_is_walked_and_pasted_into(page):
    page.focus("#a1")
    page.evaluate(
        "() => {const data = new DataTransfer(); data.setData('text', '1\\t2\\r\\n3\\t4\\n');"
        "document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))}"
    )
    assert [page.input_value(f"#{cell}") for cell in ("a1", "b1", "a2", "b2")] == ["1", "2", "3", "4"]
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "a2"
    page.focus("#m1")
    page.keyboard.press("Enter")  # the second row of a line is walked by itself
    assert page.evaluate("document.activeElement.id") == "m2"


def test_a_number_is_counted_within_its_bounds(page):
    for _ in range(5):
        page.click("#more")
    assert page.input_value("#seats") == "3"


def test_a_part_renews_itself(page, desk):
    wait_for(page, lambda: desk.refreshed >= 2)
    assert page.inner_text("#live").startswith(str(desk.refreshed)[:1])


def test_an_impatient_hand_sends_a_form_once(page, desk):
    page.evaluate("() => {const b = document.getElementById('once'); b.click(); b.click()}")
    wait_for(page, lambda: desk.slow >= 1)
    page.wait_for_timeout(400)
    assert desk.slow == 1

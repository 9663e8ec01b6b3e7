"""The whole story in a real browser: from a poster to goods on the counter, and to books that add up."""

import io
import json
import re
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, at_work
from tests.made_up import MADE_UP

pytestmark = pytest.mark.browser
TOWN = "story"


def read_code(page, url: str) -> str:
    """What a phone reads from a picture with a code."""
    answer = page.request.get(url)
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.body())))
    return found.text


def path_of(url: str) -> str:
    return urlsplit(url).path


def scan(page, code: str, *, has_ime: bool = False) -> None:
    """What a scanner is to a page: keys faster than any hand. With an input method on, each is known only by its place.

    Sent from within the page: on a busy machine the way from here is slower than a scanner ever is.
    """
    page.evaluate(
        """([code, hasIme]) => {
            const press = (key, place) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {
                key: hasIme ? 'Process' : key, code: place, keyCode: hasIme ? 229 : 0, bubbles: true, cancelable: true,
            }))
            for (const digit of code) press(digit, 'Digit' + digit)
            press('Enter', 'Enter')
        }""",
        [code, has_ime],
    )


def confirm(page) -> None:
    """Enter, when the scanner has been at rest for long enough that this is no end of a scan."""
    page.wait_for_timeout(350)
    page.keyboard.press("Enter")


def announce(page, *, title: str, starts: str, ends: str, day: str = "2026-11-21") -> str:
    """The organiser makes an activity and publishes it; returns its address."""
    page.goto("/events/new")
    for name, value in (
        ("title", title), ("day", day), ("starts", starts), ("ends", ends), ("venue", "测试 1 号楼门口"),
        ("contact", "测试领队 10000000009"),
    ):  # fmt: skip
        page.fill(f"#{name}", value)
    page.select_option("#item_code", "A01")
    page.get_by_role("button", name="看一遍再发布").click()
    page.get_by_role("button", name="发布", exact=True).click()
    page.wait_for_url("**/events/*")
    expect(page.locator("h1")).to_have_text(title)
    return path_of(page.url)


def poster_of(page, activity: str) -> str:
    """Where the code on the printed poster leads."""
    page.goto(f"{activity}/poster")
    return path_of(read_code(page, f"{activity}/poster.png"))


def code_on_screen(page, activity: str) -> str:
    """Where the code leads that the projector shows right now."""
    at_work(page, "organiser", f"{activity}/projector")
    source = page.locator("#code").get_attribute("src")
    return path_of(read_code(page, source))


def register(page, poster: str, name: str, phone: str) -> None:
    page.goto(poster)
    page.fill("#name", name)
    page.fill("#phone", phone)
    page.get_by_role("button", name="同意并签到").click()
    expect(page.get_by_test_id("in")).to_contain_text("已签到")


def settle_as_new(page) -> None:
    """Staff say that the one who waits is a new resident."""
    page.goto("/todo")
    page.locator("tr", has_text="待核对").get_by_role("link").click()
    waiting = page.locator("section.panel", has_text="测**人")
    expect(waiting).to_contain_text("名册里没有同名或同手机的人")
    waiting.get_by_role("button", name="是新居民").click()
    expect(page.locator("main")).not_to_contain_text("测**人")


def come_and_go(resident, organiser, activity: str, served) -> None:
    """In and out by the code that rotates on the projector; the code of before is no good any more."""
    first = code_on_screen(organiser, activity)
    resident.goto(first)
    resident.get_by_role("button", name="我来签到").click()
    expect(resident.get_by_test_id("in")).to_contain_text("已签到")
    served.forward(hours=1, minutes=55)
    second = code_on_screen(organiser, activity)
    assert second != first
    resident.goto(first)
    expect(resident.locator("main")).to_contain_text("过期")
    resident.goto(second)
    resident.get_by_role("button", name="签退").click()
    expect(resident.locator("main")).to_contain_text("已签退")


def confirm_hours(page, activity: str, *, is_ticked: bool) -> None:
    """A line of the projector is ticked beforehand, one of the poster by hand."""
    at_work(page, "organiser", f"{activity}/confirm")
    box = page.locator("input[name=tick]")
    expect(box).to_be_checked(checked=is_ticked)
    box.check()
    page.get_by_role("button", name="确认打勾的人").click()
    expect(page.locator("main")).to_contain_text("已确认")


def sit_out_the_notice(resident, served) -> None:
    """After midnight the notice opens; when its days are over, and not before, points are the resident's."""
    assert served.forward(hours=8)["gather_notices"] > 0
    resident.goto("/notices")
    resident.locator("main a[href*='/notices/']").first.click()
    expect(resident.locator("main")).to_contain_text(re.compile(r"\d{3} \d{3} \d{3}　测试护绿"))
    assert served.forward(days=3, hours=22).get("settle_due", 0) == 0
    assert balance(resident) == 0
    assert served.forward(hours=2)["settle_due"] == 2
    assert balance(resident) == 3


def member_code(page) -> str:
    """The digits of the code on the phone, which its square says too."""
    page.goto("/code")
    digits = page.get_by_test_id("code-digits").text_content().replace(" ", "")
    assert read_code(page, page.locator(".code-card-square").get_attribute("src")) == digits
    return digits


def redeem_and_undo(clerk, code: str, salt: str) -> None:
    """Two goods, one of them found by its name; then F8, a reason, Enter. No hand leaves the keys."""
    scan(clerk, code)
    expect(clerk.get_by_test_id("available")).to_have_text("3")
    expect(clerk.locator(".member h1")).to_contain_text("测**人")
    scan(clerk, salt)
    expect(clerk.get_by_test_id("total")).to_have_text("1")
    clerk.keyboard.press("F4")
    expect(clerk.locator("#sought")).to_be_focused()
    clerk.keyboard.type("xyz")
    clerk.keyboard.press("Enter")
    expect(clerk.get_by_test_id("total")).to_have_text("3")
    confirm(clerk)
    expect(clerk.locator("main")).to_contain_text("兑换成功")
    expect(clerk.get_by_test_id("balance")).to_have_text("0")
    clerk.keyboard.press("F8")
    expect(clerk.locator("#reason")).to_be_focused()
    clerk.keyboard.press("2")
    clerk.keyboard.press("Enter")
    expect(clerk.locator("main")).to_contain_text("已撤销。3 分和 2 件商品都已退回。")


def read_the_passbook(page) -> None:
    """Two awards, an order, its undoing, another order; each line leads to its reason."""
    page.goto("/ledger")
    expect(page.locator(".ledger-row")).to_have_count(5)
    page.locator(".ledger-row", has_text="测试护绿").click()
    expect(page.locator("h1")).to_have_text("为什么是这个分")
    expect(page.locator("main")).to_contain_text("按 A01 志愿服务时长 计分")
    expect(page.locator("main")).to_contain_text("入账")
    page.goto("/ledger?side=out")
    page.locator(".ledger-row").first.click()
    page.get_by_role("link", name="看这一单").click()
    expect(page.locator("main")).to_contain_text("食用盐")


def test_from_the_poster_to_the_counter(enter, served):
    resident, organiser, admin = enter(PHONE), enter(DESK, login="organiser"), enter(DESK, login="admin")
    tidying = announce(organiser, title="测试楼道清洁", starts="12:01", ends="14:01")
    greening = announce(organiser, title="测试护绿", starts="15:00", ends="17:00")

    register(resident, poster_of(organiser, tidying), "测试新人", "10000000055")
    expect(resident.locator("main")).to_contain_text("社区会核对信息")
    settle_as_new(admin)

    served.forward(hours=3)
    come_and_go(resident, organiser, greening, served)
    served.forward(minutes=10)
    confirm_hours(organiser, tidying, is_ticked=False)
    confirm_hours(organiser, greening, is_ticked=True)
    resident.goto("/home")
    expect(resident.locator("#waiting + .ledger")).to_contain_text("测试护绿")
    sit_out_the_notice(resident, served)

    clerk, salt = enter(DESK, login="clerk"), served.facts["goods"][0]["barcode"]
    clerk.goto(served.facts["counter"])
    redeem_and_undo(clerk, member_code(resident), salt)
    served.forward(seconds=60)
    scan(clerk, member_code(resident))
    expect(clerk.get_by_test_id("available")).to_have_text("3")
    scan(clerk, salt)
    expect(clerk.get_by_test_id("total")).to_have_text("1")
    confirm(clerk)
    expect(clerk.get_by_test_id("balance")).to_have_text("2")

    read_the_passbook(resident)
    served.forward(seconds=1)
    report = json.loads(served.shell("ledger", "verify", "--json").stdout)
    # The points that the town began with are of no award; all that was earned and spent here is in order.
    assert {finding["what"] for finding in report["findings"]} <= MADE_UP, report


def balance(page) -> int:
    page.goto("/home")
    return int(page.get_by_test_id("balance").inner_text().split()[0])

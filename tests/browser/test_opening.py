"""A community worker opens a bank from nothing, in one afternoon and without leaving the browser."""

import io
import re
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.app.first_run import ANSWERS, PASSWORD
from tests.browser import rosters
from tests.browser.conftest import DESK, PHONE
from tests.browser.test_story import announce, balance, confirm, path_of, poster_of, scan

pytestmark = pytest.mark.browser
TOWN = "nothing"
CLERK_PASSWORD = "十二只喜鹊过河 34"
A4 = (210, 297)
MEDIA_BOX = re.compile(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]")
MM = 25.4 / 72


class Hand:
    """Presses what a person would press, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses = page, 0

    def press(self, what: Locator | str) -> None:
        self.presses += 1
        (self.page.get_by_role("button", name=what) if isinstance(what, str) else what).click()

    def follow(self, name: str) -> None:
        self.presses += 1
        self.page.locator("main").get_by_role("link", name=name).first.click()


def pages_of(page: Page) -> set[tuple[int, int]]:
    """The sizes in mm of what a printer is sent."""
    page.wait_for_load_state()
    boxes = MEDIA_BOX.findall(page.pdf(prefer_css_page_size=True, print_background=True))
    return {(round(float(width) * MM), round(float(height) * MM)) for width, height in boxes}


def codes_on(sheet: Locator) -> list[str]:
    picture = Image.open(io.BytesIO(sheet.screenshot()))
    return [found.text for found in zxingcpp.read_barcodes(picture.resize((picture.width * 2, picture.height * 2)))]


def found_the_bank(page: Page, first_run: str) -> None:
    """Seven steps, each with what was typed; then the sheet for the safe, and the door."""
    page.goto(first_run)
    for step, typed in {**ANSWERS, **PLACE}.items():
        assert path_of(page.url) == f"/steps/{step}"
        page.wait_for_load_state()  # choices that have yet to arrive would be none
        for name, value in typed.items():
            choices = page.locator(f"input[type=radio][name={name}]")
            if choices.count():
                page.locator(f"input[name={name}][value='{value}']").check()
            else:
                page.fill(f"#{name}", value)
        page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="建立积分银行").click(timeout=60_000)  # keys, tables and a password take a while
    expect(page.locator("h1")).to_contain_text("密钥页")
    assert pages_of(page) == {A4}
    page.get_by_label("已经打印或抄好").check()
    page.get_by_role("button", name="去登录").click()
    enter_with(page, "admin", PASSWORD)
    expect(page.locator("h1")).to_have_text("今日待办")


PLACE = {
    "place": {"street": "测试街道", "community": "测试社区", "buildings": "\n".join(rosters.BUILDINGS)},
    "passbook": {"holder": "person", "notice_days": "1"},
}


def open_as(page: Page, url: str, login: str, password: str) -> None:
    """Sessions of staff end when they lie idle, and time passes quickly here."""
    page.goto(url)
    if "/sign-in" in page.url:
        enter_with(page, login, password)
        page.goto(url)


def enter_with(page: Page, login: str, password: str) -> None:
    page.fill("#login", login)
    page.fill("#password", password)
    page.get_by_role("button", name="登录").click()


def bring_in_the_roster(page: Page, file: Path) -> None:
    """Four presses; the rows with faults are named and can be taken home."""
    rosters.write(file)
    page.goto("/people")
    page.locator("main").get_by_role("link", name="导入名册").click()
    hand = Hand(page)
    page.set_input_files("#file", file)
    hand.press("上传")
    hand.press(page.locator("label", has_text="已向每个人"))
    hand.press("去检查")
    expect(page.locator("h1")).to_contain_text("检查结果")
    expect(page.locator(".stat").first).to_contain_text(f"{rosters.PEOPLE}")
    for at in range(len(rosters.FAULTS)):
        expect(page.locator("main")).to_contain_text(f"{rosters.PEOPLE + 3 + at}")
    with page.expect_download() as taken:
        page.get_by_role("button", name="下载有问题的行").click()
    assert taken.value.suggested_filename.endswith(".xlsx")
    hand.press("导入没有问题的")
    expect(page.locator("main")).to_contain_text(f"{rosters.PEOPLE} 人进了名册")
    assert hand.presses == 4


def find(page: Page, name: str) -> None:
    page.goto("/people")
    page.fill("input[name=q]", name)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("table a").first.click()


def print_cards(page: Page) -> dict[str, str]:
    """Three presses for a building's cards; returns what the first sheet's codes say, by the name beside each."""
    page.goto("/people")
    hand = Hand(page)
    hand.follow("印卡")
    page.select_option("select[name=place]", label=rosters.BUILDINGS[0])
    hand.press("筛选")
    hand.press(page.get_by_role("button", name=re.compile("印 .* 张会员卡")))
    assert hand.presses <= 3
    assert pages_of(page) == {A4}
    fronts = page.locator(".sheet").first.locator(".card-front")
    expect(fronts).to_have_count(10)
    read = {}
    for at in (0, 4, 9):
        [code] = codes_on(fronts.nth(at))
        read[fronts.nth(at).locator("b").inner_text()] = code
    return read


def slip_of(page: Page, name: str) -> str:
    """Where the code on a person's activation slip leads."""
    page.goto("/people/cards/runs")
    page.locator("main table a").first.click()
    page.get_by_role("button", name="印激活条").click()
    slip = page.locator(".card-slip").first
    [address] = [text for text in codes_on(slip) if "/a/" in text]
    assert f"{name[0]}*{name[-1]}" in slip.inner_text()
    return path_of(address)


def hire_a_clerk(page: Page, name: str) -> str:
    """A resident becomes a clerk; the password is for one use."""
    find(page, name)
    page.get_by_role("link", name="岗位").first.click()
    page.fill("#login", "clerk")
    page.get_by_role("button", name="开通登录").click()
    one_time = page.get_by_test_id("one-time").inner_text()
    page.get_by_role("link", name="交好了").click()
    page.select_option("#role", label="兑换台")
    page.get_by_role("button", name="给这个岗位").click()
    return one_time


def begin_as_clerk(page: Page, one_time: str) -> None:
    page.goto("/sign-in")
    enter_with(page, "clerk", one_time)
    page.fill("#old", one_time)
    page.fill("#new", CLERK_PASSWORD)
    page.fill("#again", CLERK_PASSWORD)
    page.get_by_role("button", name="改密码").click()


def fill_the_shelf(page: Page) -> str:
    """A good with a label of its own, and twelve of it with source and value; returns its barcode."""
    page.goto("/stock/new")
    for name, value in (("name", "测试食用盐 400 g"), ("unit", "袋"), ("points", "1")):
        page.fill(f"#{name}", value)
    page.get_by_role("button", name="登记", exact=True).click()
    barcode = re.search(r"\b200\d{10}\b", page.locator("main").inner_text())
    assert barcode is not None
    page.goto("/stock/receive")
    hand = Hand(page)
    page.fill("#barcode", barcode[0])
    page.fill("#quantity", "12")
    page.locator("label", has_text="捐赠").first.click()
    page.fill("#donor", "测试粮店")
    page.fill("#value", "2.50")
    hand.press(page.get_by_role("button", name="入库", exact=True))
    expect(page.locator("main")).to_contain_text("12")
    return barcode[0]


def serve_at_an_event(admin: Page, resident: Page, served) -> None:
    """In with one tap and out with one tap by the poster, then the hours are confirmed with two presses."""
    activity = announce(admin, title="测试楼道清洁", starts="12:30", ends="14:30")
    poster = poster_of(admin, activity)
    served.forward(minutes=25)
    hand = Hand(resident)
    resident.goto(poster)
    hand.press("我来签到")
    expect(resident.get_by_test_id("in")).to_contain_text("已签到")
    served.forward(hours=2)
    resident.goto(poster)
    hand.press("签退")
    assert hand.presses == 2
    served.forward(minutes=30)
    open_as(admin, f"{activity}/confirm", "admin", PASSWORD)
    admin.locator("input[name=tick]").check()
    admin.get_by_role("button", name="确认打勾的人").click()
    expect(admin.locator("main")).to_contain_text("已确认")


def put_up_the_notice(page: Page, served) -> None:
    """The notice of the night, to be stamped and hung up; when its day is over the points are booked."""
    assert served.forward(hours=10)["gather_notices"] > 0
    hand = Hand(page)
    open_as(page, "/todo", "admin", PASSWORD)
    page.goto("/notices")
    hand.press(page.locator("main table a").first)
    hand.follow("打印")
    assert hand.presses <= 5
    expect(page.locator(".sheet").first).to_contain_text("公示")
    assert pages_of(page) == {A4}
    served.forward(days=1, hours=1)


def test_a_community_opens_from_nothing(enter, served, tmp_path):
    admin, resident, clerk = enter(DESK), enter(PHONE), enter(DESK)
    found_the_bank(admin, served.facts["first_run"])
    bring_in_the_roster(admin, tmp_path / "roster.xlsx")

    cards = print_cards(admin)
    for name, code in cards.items():
        admin.goto("/people")
        admin.fill("input[name=code]", code)
        admin.keyboard.press("Enter")
        expect(admin.locator("h1")).to_contain_text(f"{name[0]}*{name[-1]}")
    owner, card = next(iter(cards.items()))
    resident.goto(slip_of(admin, owner))
    resident.locator("main").get_by_role("button").click()
    assert balance(resident) == 0

    begin_as_clerk(clerk, hire_a_clerk(admin, rosters.name_of(3)))
    salt = fill_the_shelf(admin)
    serve_at_an_event(admin, resident, served)
    put_up_the_notice(admin, served)
    earned = balance(resident)
    assert earned > 0

    open_as(clerk, "/redemption/counters", "clerk", CLERK_PASSWORD)
    clerk.locator("main a").first.click()
    expect(clerk.locator("#scan")).to_be_focused()
    scan(clerk, card)
    expect(clerk.get_by_test_id("available")).to_have_text(str(earned))
    scan(clerk, salt)
    expect(clerk.get_by_test_id("total")).to_have_text("1")
    confirm(clerk)
    expect(clerk.locator("main")).to_contain_text("兑换成功")
    assert balance(resident) == earned - 1
    books = served.command("ledger", "verify")
    assert books.exit_code == 0, books.output

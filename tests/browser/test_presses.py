"""What a person has to press, counted: a day's work is as short as was promised. Typing is not counted."""

from fnmatch import fnmatch
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser
TOWN = "full"


class Walk:
    """From a page, by presses on what stands in it."""

    def __init__(self, page: Page, start: str) -> None:
        self.page, self.presses = page, 0
        page.goto(start)

    def press(self, selector: str) -> "Walk":
        self.presses += 1
        self.page.locator(f"main {selector}").first.click()
        return self

    def press_button(self, name: str) -> "Walk":
        self.presses += 1
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def to(self, address: str) -> int:
        """How many presses it took to arrive there."""
        self.page.wait_for_url(lambda url: fnmatch(urlsplit(url).path, address))
        return self.presses


def test_a_resident_is_one_press_from_what_counts(enter, served):
    page = enter(PHONE, session=served.facts["sessions"]["resident"])

    assert Walk(page, "/home").press("a:has-text('出示我的码')").to("/code") == 1
    assert Walk(page, "/home").press("a:has-text('查明细')").to("/ledger") == 1
    assert Walk(page, "/home").press("a:has-text('换东西')").to("/shop") == 1
    assert Walk(page, "/ledger").press(".ledger-row").to("/ledger/entries/*") == 1


def test_whatever_waits_today_is_one_press_away(enter, served):
    page = enter(DESK, session=served.facts["sessions"]["community_admin"])
    page.goto("/todo")
    doors = page.locator("main tbody tr").locator("a.button")
    waiting = doors.evaluate_all("all => all.map(one => one.getAttribute('href'))")

    assert len(waiting) >= 3
    for address in waiting:
        assert Walk(page, "/todo").press(f"a.button[href='{address}']").to(address) == 1


def test_an_activity_is_announced_with_its_poster_in_four_presses(enter, served):
    page = enter(DESK, session=served.facts["sessions"]["event_organiser"])
    walk = Walk(page, "/events").press("a[href='/events/new']")
    page.wait_for_url("**/events/new")
    for name, value in (
        ("title", "测试四下"), ("day", "2026-11-23"), ("starts", "09:00"), ("ends", "11:00"), ("venue", "测试广场"),
        ("contact", "测试领队 10000000003"),
    ):  # fmt: skip
        page.fill(f"#{name}", value)
    page.select_option("#item_code", "A01")
    walk.press("button:has-text('看一遍再发布')").press("button:text-is('发布')").press("a:has-text('海报')")

    assert walk.to("/events/*/poster") == 4


def test_a_passbook_is_printed_on_in_three_presses(enter, served):
    page = enter(DESK, session=served.facts["sessions"]["community_admin"])
    person = served.facts["values"]["person_id"]
    walk = Walk(page, f"/people/{person}").press("a[href$='/paper']")
    page.wait_for_url("**/paper")

    walk.press_button("打印").press_button("打好了")

    expect(page.get_by_text("没有新的要打")).to_be_visible()
    assert walk.presses == 3


def test_a_lost_card_is_replaced_in_two_presses(enter, served):
    page = enter(DESK, session=served.facts["sessions"]["grid_worker"])
    person = served.facts["values"]["person_id"]
    walk = Walk(page, f"/people/{person}").press("button:has-text('挂失并换新卡')")
    page.wait_for_load_state()
    walk.press("button:has-text('打印')")

    expect(page.locator(".card-front")).to_have_count(1)
    assert walk.presses == 2

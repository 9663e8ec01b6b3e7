"""Looking for somebody leaves no name in an address, and works with script and without."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_story import announce

pytestmark = pytest.mark.browser
TOWN = "story"


@pytest.mark.parametrize("has_script", [True, False])
def test_a_resident_is_found(enter, has_script):
    page = enter(DESK, login="admin", has_script=has_script)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/people")
    everybody = page.locator("tbody tr").count()
    page.fill("#q", "cslj")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("#q")).to_have_value("cslj")
    page.get_by_role("button", name="查找").click()
    page.locator("tbody a").click()
    page.wait_for_url(re.compile(r"/people/\d+$"))
    if has_script:  # sent in place, so that the way back leads to a page and not to a question about sending again
        page.go_back()
        expect(page.locator("tbody tr")).to_have_count(everybody)

    page.goto("/people")
    page.get_by_role("button", name="查找").click()
    expect(page.locator("tbody tr")).to_have_count(everybody)
    assert not [url for url in asked if "cslj" in url or "?" in url]


@pytest.mark.parametrize(("has_script", "initials"), [(True, "cslj"), (False, "csb")])
def test_a_name_is_picked_at_the_door(enter, has_script, initials):
    page = enter(PHONE, login="organiser", has_script=has_script)
    activity = announce(page, title="测试邻里会", starts="12:10", ends="14:10")
    page.goto(f"{activity}/roster")
    named = page.locator("#named")
    named.get_by_role("textbox").fill(initials)
    named.get_by_role("button", name="找", exact=True).click()
    expect(named.get_by_role("textbox")).to_have_value(initials)
    if has_script:
        expect(named.get_by_role("textbox")).to_be_focused()
    named.get_by_role("button", name="签到").click()
    expect(page.get_by_test_id("done")).to_be_visible()
    assert initials not in page.url

"""A scoring table is written as in a spreadsheet: walked with arrows, pasted into, undone, saved as one types."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser
TOWN = "story"
ZOOMED = (853, 533), (640, 400), (427, 267)  # a page of 1280 px at 150, 200 and 300 %
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")
CLOSELY = [["", True], ["large", True], ["larger", False]]
PASTE = """text => {
    const data = new DataTransfer()
    data.setData('text', text)
    const pasted = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
    document.activeElement.dispatchEvent(pasted)
}"""
FOCUSED = "() => document.activeElement.id"


@pytest.fixture
def page(enter) -> Page:
    """The draft, as whoever drafts it opens it."""
    opened = enter(DESK, login="admin")
    opened.goto("/scoring")
    opened.click("main .button:has-text('草')")
    opened.wait_for_url("**/scoring/versions/*")
    return opened


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_text(re.compile("^已保存 "))
    page.wait_for_function(
        "() => Array.from(document.querySelectorAll('.cells input')).every(i => i.value === i.defaultValue)"
    )


def value(page: Page, cell: str) -> str:
    return page.input_value(f"#{cell}")


def test_a_draft_is_written_as_in_a_spreadsheet(page):
    page.focus("#points-A01")
    walked = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "Tab"):
        page.keyboard.press(key)
        walked.append(page.evaluate(FOCUSED))
    assert walked == ["day_cap-A01", "day_cap-B01", "points-B01", "points-A01", "day_cap-A01"]

    page.focus("#points-A01")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    assert (value(page, "points-A01"), page.evaluate(FOCUSED)) == ("8", "points-B01")
    page.keyboard.press("Enter")
    page.keyboard.type("0")
    page.keyboard.press("ArrowLeft")
    assert (value(page, "points-B01"), page.evaluate(FOCUSED)) == ("20", "points-B01")
    page.keyboard.press("Escape")
    assert value(page, "points-B01") == "2"
    saved(page)
    expect(page.locator("#row-A01 .chip")).to_have_text("改")
    expect(page.locator("#against")).to_contain_text("改 1 条")

    page.focus("#points-A01")
    page.evaluate(PASTE, '12\t24\t"现场签到\n和照片"\r\n3\t6\t照片\r\n4\t8\t照片\r\n')
    expect(page.locator("#saved")).to_contain_text(re.compile("粘贴的内容比表格大|保存"))
    pasted = [value(page, cell) for cell in ("points-A01", "day_cap-A01", "evidence-A01", "points-B01", "evidence-B01")]
    assert pasted == ["12", "24", "现场签到 和照片", "3", "照片"]
    page.keyboard.press("Control+z")
    assert [value(page, cell) for cell in ("points-A01", "day_cap-A01", "points-B01")] == ["8", "", "2"]
    page.keyboard.press("Control+z")
    assert value(page, "points-A01") == "1"
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    assert [value(page, cell) for cell in ("points-A01", "day_cap-A01", "points-B01")] == ["12", "24", "3"]

    page.check("#ended-B01")
    expect(page.locator("#row-B01")).to_have_class("is-ended")
    saved(page)
    page.focus("#ended-B01")
    page.keyboard.press("Control+z")
    saved(page)
    expect(page.locator("#row-B01")).to_have_class("is-changed")
    page.reload()
    assert [value(page, cell) for cell in ("points-A01", "day_cap-A01", "points-B01")] == ["12", "24", "3"]
    assert not page.is_checked("#ended-B01")


COPIED = (
    "() => document.addEventListener('copy', event => { window.copied = event.clipboardData.getData('text/plain') })"
)
SELECTED = "() => Array.from(document.querySelectorAll('.is-selected input'), input => input.id)"
# A finger that goes down in the first cell, over the others, and up.
DRAGGED = """ids => {
    const at = id => { const box = document.getElementById(id).getBoundingClientRect(); return [box.x + 5, box.y + 5] }
    const touch = (type, id) => document.getElementById(ids[0]).dispatchEvent(new PointerEvent(type, {
        bubbles: true, pointerType: 'touch', buttons: 1, clientX: at(id)[0], clientY: at(id)[1]}))
    touch('pointerdown', ids[0])
    ids.slice(1).forEach(id => touch('pointermove', id))
    touch('pointerup', ids[0])
}"""


def test_a_block_is_selected_copied_emptied_filled_and_undone(page):
    block = ["points-A01", "day_cap-A01", "points-B01", "day_cap-B01"]
    page.evaluate(COPIED)
    page.focus("#points-A01")
    page.evaluate(PASTE, "3\t6\n4\t8\n")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate(SELECTED) == block
    page.keyboard.press("Control+c")
    assert page.evaluate("window.copied") == "3\t6\r\n4\t8"
    page.evaluate(PASTE, "9")
    assert [value(page, cell) for cell in block] == ["9", "9", "9", "9"]
    page.keyboard.press("Control+z")
    assert page.evaluate(SELECTED) == []
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")
    assert [value(page, cell) for cell in block] == ["3", "6", "4", "8"]

    page.hover("#points-B01")
    page.mouse.down()
    page.hover("#evidence-A01")
    page.mouse.up()
    assert page.evaluate(SELECTED) == [
        "points-A01", "day_cap-A01", "evidence-A01", "points-B01", "day_cap-B01", "evidence-B01",
    ]  # fmt: skip
    page.keyboard.type("5")
    assert (page.evaluate(SELECTED), value(page, "points-B01")) == ([], "5")
    page.keyboard.press("Escape")
    page.evaluate(DRAGGED, ["points-B01", "day_cap-B01"])
    assert page.evaluate(SELECTED) == ["points-B01", "day_cap-B01"]
    saved(page)


def test_what_was_not_saved_stays_and_says_so(page):
    page.focus("#name-A01")
    page.keyboard.type("测试改名")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("八")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_have_text("没有保存：A01 的分值：“八”不是数。请写数字，例如 8。")
    expect(page.locator("#points-A01")).to_have_attribute("aria-invalid", "true")
    assert value(page, "name-A01") == "测试改名"
    page.focus("#points-A01")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    saved(page)
    page.focus("#points-A01")
    page.keyboard.type("九")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("没有保存")
    page.keyboard.press("Control+z")
    saved(page)
    expect(page.locator("#points-A01")).not_to_have_attribute("aria-invalid", "true")

    page.context.set_offline(True)
    page.focus("#points-A01")
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("没有保存。写的都还在这一页")
    page.context.set_offline(False)
    page.click(".panel-foot button")
    saved(page)
    page.reload()
    assert [value(page, "name-A01"), value(page, "points-A01")] == ["测试改名", "6"]


def test_what_is_tried_is_what_one_sees(page):
    """A value that is still being typed is saved first, however long that takes, and one that cannot be stops it."""
    editor, saves = page.url, []

    def slowly(route, request):
        if request.method != "POST":
            return route.continue_()
        saves.append(request.post_data)
        time.sleep(0.7)
        return route.fulfill(response=route.fetch())

    page.route(editor, slowly)
    page.focus("#points-A01")
    page.keyboard.type("八")
    page.click("#trial button")
    expect(page.locator("#saved")).to_contain_text("“八”不是数")
    assert page.url == editor
    for points in ("77", "5"):
        page.focus("#points-A01")
        page.keyboard.type(points)
        page.click("#trial button")
        page.wait_for_url("**/overview/trial/*")
        expect(page.get_by_role("button", name="再算一次")).to_be_visible(timeout=30_000)
        page.goto(editor)
        assert value(page, "points-A01") == points
        expect(page.locator("#trial")).to_contain_text("近 12 个月的记录")
        expect(page.locator("#trial")).not_to_contain_text("试算以后又改过")
    assert len(saves) == 3


@pytest.mark.parametrize("size", ZOOMED)
def test_a_desk_whose_page_is_zoomed_goes_on_writing(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})

    expect(page.get_by_text("手机上只能看")).to_be_hidden()
    page.click("#points-A01")
    page.keyboard.type("5")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    saved(page)
    for cell in ("name-A01", "points-A01", "day_cap-A01", "evidence-A01", "ended-A01"):
        page.click(f"#{cell}", trial=True)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{page.url}/items/A01")
    expect(page.get_by_text("手机上只能看")).to_be_hidden()
    page.fill("#name", "缩放后改名")
    page.click("main .button-main")
    expect(page.locator("#name-A01")).to_have_value("缩放后改名")


def test_a_phone_reads_a_draft_and_changes_nothing(page, enter):
    phone = enter(PHONE, login="admin")
    phone.goto(page.url)

    expect(phone.locator("#row-A01")).to_contain_text("现场签到")
    expect(phone.get_by_text("手机上只能看")).to_be_visible()
    changing = ".cells input:visible, main button:visible, main a[href$='/sheet']:visible"
    assert phone.locator(changing).count() == 0
    for words in ("方向键", "从文件导入", "新增一条", "丢掉这份草稿", "现在试算", "再算一次", "交给议事会"):
        assert phone.locator("main").get_by_text(words).locator("visible=true").count() == 0, words
    assert phone.evaluate(LOOK, CLOSELY) == []
    for tail in ("items/A01", "settings", "sheet", "life"):
        phone.goto(f"{page.url}/{tail}")
        expect(phone.get_by_text("手机上只能看")).to_be_visible()
        assert phone.locator("main button:visible").count() == 0
        assert phone.evaluate(LOOK, CLOSELY) == []


def test_a_draft_is_saved_without_script(enter):
    page = enter(DESK, login="admin", has_script=False)
    page.goto("/scoring")
    page.click("main .button:has-text('草')")
    page.fill("#points-B01", "5")
    page.click("button:has-text('保存草稿')")
    expect(page.locator("#points-B01")).to_have_value("5")
    page.check("#ended-B01")
    page.click("button:has-text('保存草稿')")
    expect(page.locator("#row-B01")).to_have_class("is-ended")
    page.uncheck("#ended-B01")
    page.click("button:has-text('保存草稿')")
    expect(page.locator("#ended-B01")).not_to_be_checked()
    expect(page.locator("#row-B01")).not_to_have_class("is-ended")
    page.click("#trial button")
    page.wait_for_url("**/overview/trial/*")

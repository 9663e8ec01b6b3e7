"""Every printed piece: pages of exactly its paper, nothing cut off, codes that a scanner reads."""

import io
import re
from itertools import pairwise, product

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK
from tests.browser.towns import NEW_ITEMS

pytestmark = pytest.mark.browser
TOWN = "paper"

NARROW = 320  # where the paper scrolls, and not the page
A4, A4_ACROSS, A3, BOOK = (210, 297), (297, 210), (297, 420), (140, 90)
POINT_MM, PIXEL_MM = 25.4 / 72, 25.4 / 96
BOX = re.compile(rb"/MediaBox \[\s*0 0 ([0-9.]+) ([0-9.]+)\s*\]")
# What each sheet holds below its own bottom, and whether a table, a signature or a seal runs into the foot.
CUT = """() => Array.from(document.querySelectorAll('.sheet')).map(sheet => {
    const foot = sheet.querySelector('.sheet-foot');
    const most = foot ? foot.getBoundingClientRect().top : sheet.getBoundingClientRect().bottom;
    const inside = Array.from(sheet.querySelectorAll('table, p, li, .sheet-sign, .seal, .label, .slip small, .line'));
    const lowest = Math.max(0, ...inside.map(one => one.getBoundingClientRect().bottom));
    const isHigh = sheet.scrollHeight > sheet.clientHeight + 1, isWide = sheet.scrollWidth > sheet.clientWidth + 1;
    return lowest > most + 1 || isHigh || isWide;
})"""


def printed(page: Page, url: str) -> list[tuple[float, float]]:
    """Width and height of each page in millimetres; each sheet is one page, and holds all that is on it."""
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 200, url
    page.set_viewport_size({"width": NARROW, "height": DESK[1]})
    assert page.evaluate("() => document.documentElement.scrollWidth") == NARROW, url
    wide = page.locator(".sheet").first.evaluate("one => one.offsetWidth")
    page.set_viewport_size({"width": round(wide), "height": DESK[1]})  # as paper has it, with rules for narrow screens
    page.emulate_media(media="print")
    cut = page.evaluate(CUT)
    page.emulate_media(media="null")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    assert cut, url
    assert not any(cut), (url, cut)
    boxes = BOX.findall(page.pdf(prefer_css_page_size=True))
    assert len(boxes) == len(cut), (url, boxes)
    return [(float(width) * POINT_MM, float(height) * POINT_MM) for width, height in boxes]


def are(boxes: list[tuple[float, float]], paper: tuple[int, int], count: int) -> bool:
    right = [abs(width - paper[0]) < 0.5 and abs(height - paper[1]) < 0.5 for width, height in boxes]
    return right == [True] * count


@pytest.fixture
def desk(enter, served):
    return enter(DESK, session=served.facts["sessions"]["admin"])


@pytest.fixture
def till(enter, served):
    return enter(DESK, session=served.facts["sessions"]["clerk"])


def test_each_piece_has_pages_of_exactly_its_paper(desk, till, served):
    facts = served.facts
    activity = f"/events/{facts['activity']}"

    assert are(printed(desk, f"/notices/{facts['notice']}/print"), A4, 6)
    assert are(printed(desk, f"{activity}/poster"), A4, 1)
    assert are(printed(desk, f"{activity}/poster?size=a3"), A3, 1)
    assert are(printed(desk, f"{activity}/sheet"), A4_ACROSS, 3)
    assert are(printed(desk, f"{activity}/sheet?regulars=1"), A4_ACROSS, 3)
    assert are(printed(desk, "/stock/labels"), A4, 1)
    assert are(printed(desk, "/stock/counter-sheet"), A4, 2)
    assert are(printed(till, f"/redemption/counters/{facts['counter']}/slips"), A4, 1)
    for guide, language in product(("/guide/counter", "/guide/community"), ("zh-CN", "en")):
        desk.goto(f"/language?to={language}")
        assert are(printed(desk, guide), A4, 2), (guide, language)
    desk.goto("/language?to=zh-CN")
    assert "测*****字" in desk.goto(f"{activity}/sheet").text()


def test_a_notice_adds_up_page_by_page(desk, served):
    desk.goto(f"/notices/{served.facts['notice']}/print")
    sums = [int(row.inner_text()) for row in desk.locator("tr:has-text('本页小计') td:last-child").all()]

    assert sum(sums) == 1200
    assert desk.locator("tr:has-text('合计 120 条') td:last-child").inner_text() == "1,200"
    assert [foot.inner_text() for foot in desk.locator(".sheet-foot span:last-child").all()][-1] == "第 6 页，共 6 页"
    assert desk.locator(".seal").count() == 1


def on_paper(page: Page, url: str) -> list[str]:
    """What is written on each sheet once it is printed, and nowhere else."""
    page.goto(url)
    page.emulate_media(media="print")
    sheets = [sheet.inner_text() for sheet in page.locator(".sheet").all()]
    whole = page.locator("body").inner_text().removeprefix("跳到正文")  # which lies beside the page
    page.emulate_media(media="null")
    assert "".join(whole.split()) == "".join("".join(sheets).split()), url
    return sheets


def test_a_comparison_of_several_pages_has_all_that_is_new_and_where_to_sign(desk, served):
    url = served.facts["comparison"]
    assert are(printed(desk, url), A4, 4)
    sheets = on_paper(desk, url)

    named = [number for sheet in sheets for number in re.findall(r"测试特别长的积分项名称 (\d+) 号", sheet)]
    assert sorted(map(int, named)) == list(range(NEW_ITEMS))
    assert ["主持人签名" in sheet for sheet in sheets] == [False, False, False, True]
    assert ["（续）" in sheet for sheet in sheets] == [False, True, True, True]
    assert all(f"第 {number} 页，共 4 页" in sheet for number, sheet in enumerate(sheets, 1))


def test_a_statement_has_every_line_of_the_passbook(enter, served):
    member = enter(DESK, session=served.facts["sessions"]["member"])
    assert are(printed(member, "/ledger/statement"), A4, 1)
    (sheet,) = on_paper(member, "/ledger/statement")

    lines = [line.split("\t") for line in sheet.splitlines() if line.startswith("2026-")]
    assert [(gained, spent, balance) for _day, _what, gained, spent, balance, *_seal in lines] == [
        ("2,000", "", "2,000"), ("", "9", "1,991"), ("", "180", "1,811"), ("180", "", "1,991"),
    ]  # fmt: skip
    assert "账本链头" in sheet


@pytest.mark.parametrize("which", [0, 1])
def test_a_receipt_ends_where_its_paper_ends(till, served, which):
    """One line, and twenty long ones that were taken back."""
    url = f"/redemption/orders/{served.facts['orders'][which]}/receipt"
    for width, roll in ((58, "r58"), (80, "r80")):
        till.goto(f"/printer/roll?to={roll}&next={url}")
        ((page_width, page_height),) = printed(till, url)
        till.set_viewport_size({"width": round(page_width / PIXEL_MM), "height": DESK[1]})
        till.emulate_media(media="print")
        height = till.locator(".receipt").bounding_box()["height"] * PIXEL_MM
        till.emulate_media(media="null")
        assert abs(page_width - width) < 0.5
        assert 0 <= page_height - height < (3 if which == 0 else 0.1 * height), (roll, page_height, height)


def test_a_passbook_is_printed_on_below_its_last_row(desk, served):
    url = served.facts["book"]
    assert are(printed(desk, url), BOOK, 1)
    rows = tops(desk)
    pitches = [(after - before) * PIXEL_MM for before, after in pairwise(rows)]
    assert all(abs(pitch - 6.6) < 0.05 for pitch in pitches), pitches

    desk.click("summary")
    desk.fill("#right", "1.5")
    desk.fill("#down", "-2")
    desk.click("button:has-text('记住')")
    desk.emulate_media(media="print")
    expect(desk.locator(".passbook table")).to_have_css("transform", "matrix(1, 0, 0, 1, 5.66929, -7.55906)")
    desk.emulate_media(media="null")
    desk.click("button:has-text('打好了')")
    expect(desk.get_by_text("没有新的要打")).to_be_visible()
    desk.click("a:has-text('重打这一页')")
    expect(desk.locator(".passbook tbody tr")).to_have_count(len(rows))
    assert tops(desk) == pytest.approx(rows, abs=40)  # the words above the paper differ


def tops(page: Page) -> list[float]:
    return [row.bounding_box()["y"] for row in page.locator(".passbook tbody tr").all()]


def test_a_scanner_reads_the_bars_of_shelf_and_counter_sheet(enter, served):
    page = enter((1700, 1300), session=served.facts["sessions"]["admin"])
    for url, count in (("/stock/labels", 20), ("/stock/counter-sheet", 15)):
        page.goto(url)
        page.evaluate("document.body.style.zoom = 2")
        picture = Image.open(io.BytesIO(page.locator(".sheet").first.screenshot()))
        read = zxingcpp.read_barcodes(picture)
        shown = page.locator(".sheet").first.locator(".label span").all_inner_texts()
        assert len(shown) == count
        assert sorted(one.text for one in read) == sorted(shown)

"""Card sheets on paper: ten to an A4 sheet, each back behind its front, codes that are read as the right people."""

import io
import re
from collections.abc import Callable
from itertools import product

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, Served
from tests.browser.towns import CARD_NAMES

pytestmark = pytest.mark.browser
TOWN = "cards"

MEDIA_BOX = re.compile(rb"/MediaBox \[\s*0 0 ([0-9.]+) ([0-9.]+)\s*\]")
A4 = (210, 297)
POINT_MM = 25.4 / 72
FINE = 2  # as a plain office scanner sees: at a screen's 96 dots an inch thin bars would run together
CARD_MM, MARGIN_MM = (85.6, 54.0), (19.4, 13.5)
PEOPLE = len(CARD_NAMES) + 1
Codes = dict[tuple[int, int], str]
KINDS = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128]  # in a code there may seem to be others


def boxes(page: Page) -> list[tuple[int, int]]:
    """The paper of each page of what is printed, in whole millimetres."""
    found = MEDIA_BOX.findall(page.pdf(prefer_css_page_size=True, print_background=True))
    return [(round(float(width) * POINT_MM), round(float(height) * POINT_MM)) for width, height in found]


@pytest.fixture
def read(chromium: Browser, served: Served) -> Callable[[Page], list[Codes]]:
    """What a scanner reads of a page's sheets, each in turn, by column and row of the card on which it stands."""
    address = f"{served.url}/printed"

    def read_all(page: Page) -> list[Codes]:
        html = page.content()
        context = chromium.new_context(device_scale_factor=FINE, viewport={"width": DESK[0], "height": DESK[1]})
        paper = context.new_page()
        paper.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        paper.goto(address)
        paper.emulate_media(media="print")
        found = [read_sheet(sheet.screenshot()) for sheet in paper.locator(".sheet").all()]
        context.close()
        return found

    return read_all


def read_sheet(png: bytes) -> Codes:
    picture = Image.open(io.BytesIO(png)).convert("L")
    scale, codes = picture.width / A4[0], {}
    for place in product(range(2), range(5)):
        left, top = (MARGIN_MM[side] + place[side] * CARD_MM[side] for side in range(2))
        edges = [round(edge * scale) for edge in (left, top, left + CARD_MM[0], top + CARD_MM[1])]
        seen = zxingcpp.read_barcodes(picture.crop(edges), formats=KINDS, try_rotate=False, try_invert=False)
        assert len(seen) <= 1, [(one.format, one.text) for one in seen]
        if seen:
            codes[place] = seen[0].text
    return codes


def size_mm(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return round(box["width"] * 25.4 / 96, 1), round(box["height"] * 25.4 / 96, 1)


def test_a_sheet_is_printed_in_three_clicks_and_reads_as_the_right_people(enter, read):
    desk = enter(DESK, login="admin")
    desk.goto("/people")
    desk.click("text=印卡")
    desk.click(f"text=印 {PEOPLE} 张会员卡")
    expect(desk.locator("[data-print]")).to_be_visible()  # the third

    assert boxes(desk) == [A4] * 4
    front, back, second, behind_second = read(desk)
    assert (len(front), len(second)) == (10, 3)
    for fronts, backs in ((front, back), (second, behind_second)):
        assert {(1 - column, row): code for (column, row), code in backs.items()} == fronts
    assert len({*front.values(), *second.values()}) == PEOPLE
    assert size_mm(desk, ".card") == CARD_MM
    assert size_mm(desk, ".card-square") == (28.0, 28.0)
    assert size_mm(desk, ".card-bar") == (77.4, 12.0)  # 68 mm of bars, and ten modules of white on each side
    names = desk.locator(".card-front b").all_inner_texts()

    desk.click("text=再印激活条")
    expect(desk.locator(".card-slip")).to_have_count(PEOPLE)
    slips = read(desk)
    assert [len(found) for found in slips] == [10, 3]
    numbers = desk.locator(".card-slip b:nth-of-type(2)").all_inner_texts()
    for sheet, place in ((0, (0, 0)), (0, (1, 3)), (1, (0, 1))):
        at = sheet * 10 + place[1] * 2 + place[0]
        desk.goto("/people")
        desk.fill("#code", (front, second)[sheet][place])
        desk.press("#code", "Enter")
        expect(desk.locator("h1")).to_have_text(f"{names[at][0]}*{'*' * (len(names[at]) - 3)}{names[at][-1]}")
        expect(desk.locator("body")).to_contain_text(numbers[at])

    phone = enter(PHONE)
    phone.goto(slips[1][0, 1])
    phone.click("main button")
    phone.goto("/me")
    expect(phone.locator("body")).to_contain_text(numbers[12])


def test_a_lost_card_is_replaced_in_two_clicks_on_one_page(enter, read):
    desk = enter(DESK, login="admin")
    desk.goto("/people")
    desk.click("td a >> nth=0")
    desk.wait_for_url(re.compile(r"/people/\d+"))
    if desk.get_by_text("没有可用的卡").count():
        desk.click("button:has-text('发卡')")
    person = desk.url.split("#")[0]
    desk.click("text=挂失并换新卡")
    expect(desk).to_have_url(f"{person}#cards")
    desk.click("text=打印卡和激活条")

    expect(desk.locator(".sheet")).to_have_count(1)
    assert boxes(desk) == [A4]
    (found,) = read(desk)
    assert found[0, 0] == found[1, 0]
    assert "/a/" in found[0, 2]

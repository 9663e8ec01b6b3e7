"""The counter when something is not as it should be, and the main job in a browser that runs no script."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_story import announce, confirm, poster_of, register, scan
from tests.browser.towns import NEIGHBOUR, NEIGHBOUR_PHONE

pytestmark = pytest.mark.browser
TOWN = "story"

PAYMENT, UNKNOWN_GOOD, MISREAD = "134567890123456789", "6901234567892", "81000000000000000000"


@pytest.fixture
def counter(enter, served):
    page = enter(DESK, login="clerk")
    page.goto(served.facts["counter"])
    return page


def test_an_input_method_swallows_no_scan(counter, served):
    scan(counter, served.facts["member_card"], has_ime=True)
    expect(counter.get_by_test_id("available")).to_be_visible()
    scan(counter, served.facts["goods"][0]["barcode"], has_ime=True)
    expect(counter.get_by_test_id("total")).to_have_text("1")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (PAYMENT, "这是付款码，没有保存。请会员打开积分银行的「我的码」。"),
        (MISREAD, "没认出这个码。请再扫一次"),
        (UNKNOWN_GOOD, f"这里没有这样商品：{UNKNOWN_GOOD}。请按 F4 找商品"),
    ],
)
def test_a_code_that_is_none_of_ours_says_what_to_do(counter, code, told):
    scan(counter, code)
    expect(counter.locator(".notice")).to_contain_text(told)
    expect(counter.locator("[data-scan]")).to_be_focused()


def test_a_number_that_is_typed_is_no_proof(counter, served):
    counter.keyboard.type(served.facts["number"].replace(" ", ""), delay=130)
    counter.keyboard.press("Enter")
    expect(counter.locator(".notice")).to_contain_text("不能只凭存折号办理。请扫积分卡")


def test_a_lost_card_is_to_be_taken_in(counter, served):
    scan(counter, served.facts["lost_card"])
    expect(counter.locator(".notice.is-stop")).to_contain_text("此卡 2026 年 11 月 21 日已挂失，请收回并联系社区")
    expect(counter.get_by_test_id("available")).to_have_count(0)


def test_too_few_points_name_what_to_leave_and_del_leaves_it(counter, served):
    salt, soap, _rice = (good["barcode"] for good in served.facts["goods"])
    scan(counter, served.facts["poor_card"])
    expect(counter.get_by_test_id("available")).to_have_text("1")
    scan(counter, salt)
    expect(counter.get_by_test_id("total")).to_have_text("1")
    scan(counter, soap)
    expect(counter.locator(".notice.is-stop")).to_contain_text("还差 2 分。可删：洗衣皂 2 分")
    counter.keyboard.press("Delete")
    expect(counter.get_by_test_id("total")).to_have_text("1")
    confirm(counter)
    expect(counter.get_by_test_id("balance")).to_have_text("0")


def test_goods_scanned_before_the_member_are_kept(counter, served):
    scan(counter, served.facts["goods"][0]["barcode"])
    expect(counter.locator(".notice")).to_contain_text("先扫会员码。商品已经留在清单里。")
    scan(counter, served.facts["member_card"])
    expect(counter.get_by_test_id("available")).to_be_visible()
    expect(counter.get_by_test_id("total")).to_have_text("1")


def test_a_gift_that_two_people_gave_pays_beside_earned_points_and_not_alone(enter, counter, served):
    admin, deputy = enter(DESK, login="admin"), enter(DESK, login="deputy")
    admin.goto("/ledger/gifts/new")
    for name, value in (
        ("members", f"{served.facts['earner']} 测试戊"), ("points", "50"), ("match_percent", "50"),
        ("expires_on", "2026-12-15"), ("note", "测试慰问"),
    ):  # fmt: skip
        admin.fill(f"#{name}", value)
    admin.get_by_role("button", name="送去确认").click()
    expect(admin.get_by_role("button", name="撤回")).to_be_visible()
    deputy.goto(admin.url)
    deputy.get_by_role("button", name="确认 1 份").click()
    expect(deputy.locator("main")).to_contain_text("这一批办完了")
    deputy.goto("/todo/expiring")
    expect(deputy.locator("main")).to_contain_text("12 月 15 日")

    scan(counter, served.facts["earner_card"])
    expect(counter.get_by_test_id("available")).to_have_text("60")  # forty earned, and half as many beside them
    scan(counter, served.facts["goods"][2]["barcode"])
    expect(counter.get_by_test_id("total")).to_have_text("60")
    confirm(counter)
    expect(counter.get_by_test_id("balance")).to_have_text("30")
    scan(counter, served.facts["earner_card"])
    expect(counter.get_by_test_id("available")).to_have_text("0")
    scan(counter, served.facts["goods"][0]["barcode"])
    expect(counter.locator(".notice.is-stop")).to_contain_text("还差 1 分")


def test_a_phone_that_gives_a_neighbours_name_gets_nowhere(enter):
    stranger, organiser, admin = enter(PHONE), enter(DESK, login="organiser"), enter(DESK, login="admin")
    register(stranger, poster_of(organiser, announce_soon(organiser)), NEIGHBOUR, NEIGHBOUR_PHONE)
    stranger.goto("/home")
    assert stranger.get_by_test_id("balance").inner_text().split()[0] == "0"

    admin.goto("/people/provisional")
    waiting = admin.locator("section.panel", has_text="姓名手机都相同").first
    expect(waiting).to_contain_text("测**居")
    waiting.get_by_role("link", name="并排看").click()
    admin.get_by_role("button", name="是同一个人，合并").click()
    expect(admin.locator("main")).to_contain_text("都核对完了")

    # The attendance is the neighbour's now; the stranger's phone is nobody's.
    stranger.goto("/ledger")
    expect(stranger.locator("body")).not_to_contain_text("测**居")
    assert "/ledger" not in stranger.url or stranger.locator(".ledger-row").count() == 0


def announce_soon(page) -> str:
    return announce(page, title="测试邻里会", starts="12:10", ends="14:10")


def test_the_main_job_without_script(enter, served):
    organiser = enter(DESK, login="organiser", has_script=False)
    resident = enter(PHONE, has_script=False)
    register(resident, poster_of(organiser, announce_soon(organiser)), "测试无脚本", "10000000066")

    clerk = enter(DESK, login="clerk", has_script=False)
    clerk.goto(served.facts["counter"])
    for code in (served.facts["member_card"], served.facts["goods"][1]["barcode"]):
        clerk.fill("[data-scan]", code)
        clerk.press("[data-scan]", "Enter")
    expect(clerk.get_by_test_id("total")).to_have_text("2")
    clerk.get_by_role("button", name="确认兑换").click()
    expect(clerk.locator("main")).to_contain_text("兑换成功")
    clerk.get_by_role("link", name="撤销").click()
    clerk.fill("#reason", "1")
    clerk.get_by_role("button", name="撤销这一单").click()
    expect(clerk.locator("main")).to_contain_text("已撤销。2 分和 1 件商品都已退回。")

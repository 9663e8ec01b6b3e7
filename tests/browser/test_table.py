"""The whole life of a scoring table in a real browser: from a draft to points, and none of it looks back."""

import io
import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from PIL import Image
from playwright.sync_api import expect

from pointsbank.app.database import FILE_NAME
from tests.browser.conftest import DESK, PHONE, at_work
from tests.browser.test_editor import PASTE
from tests.browser.test_story import announce, come_and_go, confirm_hours, path_of

pytestmark = pytest.mark.browser
TOWN = "table"
TODAY = date(2026, 11, 21)
STARTS = date(2026, 12, 2)
AWARDS = """
SELECT award.id, version.number, award.points FROM awards_award award
  JOIN scoring_version version ON version.id = award.version_id ORDER BY award.id
"""


def a_photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(made, "PNG")
    return made.getvalue()


def draft(admin, points: str) -> str:
    """A new version: pasted from a sheet, tried out, handed to the meeting; returns the page of its life."""
    admin.goto("/scoring")
    admin.get_by_role("button", name="起草新的一版").click()
    admin.focus("#points-A01")
    admin.evaluate(PASTE, f"{points}\t200\t现场签到和照片\r\n")
    expect(admin.locator("#saved")).to_have_text(re.compile("^已保存 "))
    editor = path_of(admin.url)
    admin.get_by_role("button", name="现在试算").click()
    expect(admin.locator("main")).to_contain_text("0 件真实记录", timeout=30_000)
    admin.goto(editor)
    expect(admin.locator("#trial")).to_contain_text("这段时间没有记录")
    expect(admin.locator("#day_cap-A01")).to_have_value("200")
    admin.get_by_role("link", name="交给议事会").click()
    admin.get_by_role("button", name="交给议事会").click()
    expect(admin.locator("[aria-current=step]")).to_contain_text("居民议事会")
    return path_of(admin.url)


def record_meeting(admin) -> None:
    typed = {"place": "测试活动室", "present": "30", "votes_for": "22", "votes_against": "5", "abstained": "3"}
    for name, value in typed.items():
        admin.fill(f"#{name}", value)
    admin.set_input_files("#record", {"name": "minutes.png", "mimeType": "image/png", "buffer": a_photo()})
    admin.get_by_role("button", name="登记会议").click()
    expect(admin.locator("main")).to_contain_text("22 人")
    expect(admin.locator("main")).to_contain_text("请另一位管理员来公示")


def open_notice(deputy, life: str) -> None:
    deputy.goto(life)
    deputy.fill("#starts_on", STARTS.isoformat())
    deputy.get_by_role("button", name="开始公示").click()
    expect(deputy.locator("[aria-current=step]")).to_contain_text("公示")


def object_to(resident) -> str:
    """On the phone: what changes is read, and something said; returns the notice's page."""
    resident.goto("/notices")
    resident.get_by_role("link", name="积分标准第 2 版公示").click()
    expect(resident.locator("main")).to_contain_text("12 月 2 日 零点起执行")
    resident.select_option("#line", index=1)
    resident.fill("#words", "涨得太多了")
    resident.get_by_role("button", name="交上去").click()
    expect(resident.locator("main")).to_contain_text("等答复")
    return path_of(resident.url)


def answer(deputy, life: str) -> None:
    deputy.goto("/todo")
    deputy.locator("tr", has_text="对积分标准的意见").get_by_role("link").click()
    assert path_of(deputy.url) == life
    expect(deputy.locator("main")).not_to_contain_text("公布这一版")
    deputy.get_by_role("link", name="答复").click()
    deputy.get_by_label("说明理由，照原样继续").check()
    deputy.fill("#words", "会上议过，大家同意。")
    deputy.get_by_role("button", name="答复").click()


def publish(deputy, life: str) -> None:
    at_work(deputy, "deputy", life)
    deputy.fill("#in_force_from", STARTS.isoformat())
    deputy.get_by_role("button", name="公布这一版").click()
    expect(deputy.locator("[aria-current=step]")).to_contain_text("生效")


def served_by(version: int, admin, served) -> int:
    """The points of the latest award, which was scored by this version, as its page says too."""
    with closing(sqlite3.connect(served.folder / FILE_NAME)) as file:
        award_id, number, points = file.execute(AWARDS).fetchall()[-1]
    assert number == version
    at_work(admin, "admin", f"/awards/{award_id}")
    link = admin.locator("a[href^='/scoring/versions/']")
    admin.goto(link.get_attribute("href"))
    expect(admin.locator("h1")).to_contain_text(f"第 {version} 版")
    return points


def try_out(admin, life: str, old: int, new: int) -> None:
    """Both acts of the story again: each by the version of its day, and by the new one.

    What came out comes into the page by itself.
    """
    version_id = life.split("/")[3]
    at_work(admin, "admin", f"/overview/trial/{version_id}")
    admin.get_by_role("button", name="开始试算").click()
    expect(admin.locator("#items")).to_contain_text("A01", timeout=30_000)
    cells = admin.locator("#items tr", has_text="A01").locator("td")
    assert cells.all_inner_texts()[1:4] == ["2", str(old + new), str(2 * new)]


def test_a_new_version_counts_from_its_day_and_yesterday_by_the_old_one(enter, served):
    admin, deputy = enter(DESK, login="admin"), enter(DESK, login="deputy")
    resident = enter(PHONE, session=served.facts["resident"])
    life = draft(admin, "90")
    record_meeting(admin)
    open_notice(deputy, life)
    notice = object_to(resident)
    answer(deputy, life)
    resident.goto(notice)
    expect(resident.locator("main")).to_contain_text("会上议过")

    served.forward(days=9)
    publish(deputy, life)

    # On the last day of the old version somebody serves; the hours are confirmed when the new one is in force.
    served.forward(days=(STARTS - TODAY).days - 10)
    organiser = enter(DESK, login="organiser")
    yesterday = STARTS - timedelta(days=1)
    activity = announce(organiser, title="测试旧事", starts="15:00", ends="17:00", day=yesterday.isoformat())
    served.forward(hours=3)
    come_and_go(resident, organiser, activity, served)
    assert served.forward(hours=8)["enter_force_due"] > 0
    confirm_hours(organiser, activity, is_ticked=True)
    old = served_by(1, admin, served)

    at_work(organiser, "organiser", "/events")
    activity = announce(organiser, title="测试新事", starts="08:00", ends="10:00", day=STARTS.isoformat())
    served.forward(hours=7)
    come_and_go(resident, organiser, activity, served)
    served.forward(hours=1)
    confirm_hours(organiser, activity, is_ticked=True)
    new = served_by(2, admin, served)
    assert new > old
    try_out(admin, life, old, new)

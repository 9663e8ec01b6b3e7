"""Today: what waits, for whom, in which order, and that each line leads to a page that opens."""

import re
from datetime import date, timedelta

import msgspec
import pytest

from pointsbank.app import backup, installation
from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.governance import actions as governance
from pointsbank.kit import db
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.people.access import Role
from pointsbank.reports.routes_today import Urgency, urgency_of
from tests.ledger.conftest import PLAIN
from tests.world import World, visiting

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("days", "urgency"), [(-1, Urgency.NOW), (0, Urgency.NOW), (1, Urgency.SOON), (3, Urgency.SOON), (4, 2), (None, 2)]
)
def test_what_is_due_sooner_is_more_urgent(days, urgency):
    due = None if days is None else TODAY + timedelta(days=days)

    assert urgency_of(due, TODAY) == urgency


@pytest.fixture
async def world(database, settings, clock) -> World:
    return await World(clock, settings).found(notice_days=3)


async def unconfirmed_activity(world: World) -> None:
    organiser, _ = await world.staff(Role.EVENT_ORGANISER)
    now = world.clock.now()
    activity_id = await db.write(
        events.create, actor=organiser, community_id=world.home.id, title="测试清扫", venue="测试广场", item_code="A01",
        contact="10000000003", starts_at=now - timedelta(hours=2), ends_at=now + timedelta(minutes=5), seats=None,
    )  # fmt: skip
    where = {"activity_id": activity_id, "community_ids": (world.home.id,)}
    await db.write(events.publish, actor=organiser, **where)
    await db.write(attendance.check_in_picked, actor=organiser, person_id=await world.person(), **where)
    world.clock.advance(minutes=10)


def lines(text: str) -> list[tuple[str, str]]:
    """What waits, and where it leads."""
    return re.findall(r'<tr><td><b>([^<]+)</b>.*?<a class="button" href="([^"]+)"', text)


async def test_an_admin_reaches_all_that_waits_in_one_click_the_most_urgent_first(world):
    admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    _, line_id, _ = await world.noticed(world.home)
    await db.write(governance.object_to, actor=admin, line_id=line_id, grounds="not_there")
    await world.good(in_stock=0, low_at=2)
    await unconfirmed_activity(world)

    async with visiting(world, cookie=token) as desk:
        found = lines((await desk.get("/todo")).text)
        opened = {url: (await desk.get(url)).status_code for _, url in found}

    assert [what for what, _ in found][:4] == ["活动待核时长", "居民异议", "公示中", "库存低"]
    assert re.fullmatch(r"/events/\d+/confirm", found[0][1])  # the one that waits, not the list of all
    assert set(opened.values()) == {200}


async def test_a_grid_worker_sees_what_a_grid_worker_may_do(world):
    _, token = await world.staff(Role.GRID_WORKER)
    await world.noticed(world.home)
    await world.good(in_stock=0, low_at=2)

    async with visiting(world, cookie=token) as desk:
        found = lines((await desk.get("/todo")).text)

    assert [what for what, _ in found] == ["公示中"]


async def test_a_day_without_work_says_so(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    await world.good(in_stock=0, low_at=2, community=world.communities[1])

    async with visiting(world, cookie=token) as desk:
        shown = (await desk.get("/todo")).text

    assert "今天没有要办的事" in shown
    assert lines(shown) == []


async def test_points_that_lapse_soon_are_told_with_names_masked_and_on_paper(world):
    soon, later = await world.person("测试快到期"), await world.person("测试还早")
    for person_id, days in ((soon, 30), (later, 31)):
        passbook_id = await db.write(ledger.open_passbook, community_id=world.home.id, person_id=person_id)
        await db.write(
            ledger.post_award, community_id=world.home.id, passbook_id=passbook_id, points=70,
            posting_key=f"test:{person_id}", effective_at=world.clock.now(), expires_on=TODAY + timedelta(days=days),
            member_id=person_id, version_id=world.home.version_id, source=("ledger", "test", 0), summary="测试发分",
        )  # fmt: skip
    _, token = await world.staff(Role.GRID_WORKER)

    async with visiting(world, cookie=token) as desk:
        shown = (await desk.get("/todo")).text
        names, paper = [(await desk.get(url)).text for url in ("/todo/expiring", "/todo/expiring/print")]

    assert ("积分快到期的存折", "/todo/expiring") in lines(shown)
    assert "共 70 分" in shown
    assert "件" not in shown[shown.index("<h1>") : shown.index("</header>")]  # to be told, but no work that waits
    for text in (names, paper):
        assert "测***期" in text
        assert "测**早" not in text
        assert "测试快到期" not in text


async def test_whose_points_a_reset_day_clears_is_told_too(world):
    person_id = await world.person("测试快清零", points=70)
    kind = await db.row("SELECT id, version FROM ledger_book_kind WHERE community_id = ?", world.home.id)
    settings = msgspec.structs.replace(PLAIN, reset_month=12, reset_day=1)
    await db.write(
        kinds.change_kind, community_id=world.home.id, kind_id=kind["id"], version=kind["version"], settings=settings
    )  # fmt: skip
    _, token = await world.staff(Role.GRID_WORKER)
    _, phone = await world.phone(person_id)

    async with visiting(world, cookie=token) as desk:
        named = (await desk.get("/todo/expiring")).text
    async with visiting(world, cookie=phone) as own:
        told = [(await own.get(page)).text for page in ("/home", "/ledger")]

    assert "测***零" in named
    assert "12 月 1 日" in named
    assert all("70 分快到期，最早一笔用到12 月 1 日" in text for text in told)


BACKED_UP_LATE = ("备份没有做成", "/guide/community#backup")


async def test_a_missed_backup_waits_for_the_admin_and_the_age_of_the_last_one_stands_there(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    _, other = await world.staff(Role.GRID_WORKER)
    await db.write(installation.found, kind="real", key_fingerprint="")

    async def told(who: str) -> tuple[bool, str]:
        async with visiting(world, cookie=who) as desk:
            text = (await desk.get("/todo")).text
        panel = re.search(r"<h2>备份</h2>\s*<p>([^<]*)</p>", text)
        return BACKED_UP_LATE in lines(text), panel[1] if panel else ""

    assert await told(token) == (False, "还没有。服务启动几分钟后会自动做。")
    world.clock.advance(days=2)
    assert await told(token) == (True, "还没有。服务启动几分钟后会自动做。")
    await db.write(backup.note)
    world.clock.advance(days=1)
    assert await told(token) == (False, "上次：11 月 23 日 12:00")
    world.clock.advance(days=1)
    assert await told(token) == (True, "上次：11 月 23 日 12:00")
    assert await told(other) == (False, "")


async def test_a_backup_of_books_with_findings_is_told_loudly_until_one_is_clean(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    await db.write(installation.found, kind="real", key_fingerprint="")

    async def told() -> tuple[bool, bool]:
        async with visiting(world, cookie=token) as desk:
            text = (await desk.get("/todo")).text
        return ("账有不对的地方", "/guide/community#books") in lines(text), "查出账有不对的地方" in text

    for is_clean in (True, False, True):
        await db.write(backup.note, is_clean=is_clean)
        assert await told() == (not is_clean, not is_clean)


async def test_a_demo_wants_no_backup(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    await db.write(installation.found, kind="demo", key_fingerprint="")
    world.clock.advance(days=9)

    async with visiting(world, cookie=token) as desk:
        assert "备份" not in (await desk.get("/todo")).text

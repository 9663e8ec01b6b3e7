"""What stands in the town that a browser visits; everything in it is made through actions, everybody is invented."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.kit import codes, crypto, db
from pointsbank.notices import actions as notices
from pointsbank.notices.rules import NewLine, Told
from pointsbank.people import actions as people
from pointsbank.people import actions_cards, actions_staff
from pointsbank.people import queries as people_queries
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import BASKET_LINES_MAX, Line, UndoReason
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import queries as tables
from pointsbank.scoring.rules import Basis, Item
from pointsbank.stock import actions as stock
from tests.furniture import furnish
from tests.kit.hostile import picture
from tests.stand_cases import judged_by, told
from tests.world import BLOCKED_STAIRS, JUDGED, World

PASSWORD = "测试 password 1"
CANARY = "<i class=x7>&'"  # taken for more than text, it would be an element
PHONES_FROM = 5_000_000
PHONES = "10005000"  # what the phones of the full town begin with; no service phone does
NEW_ITEMS = 30
NEIGHBOUR, NEIGHBOUR_PHONE = "测试邻居", "10000000077"


@dataclass
class Good:
    name: str
    barcode: str
    points: int


async def sign_in_for(world: World, role: Role, login: str, name: str) -> None:
    person_id = await world.person(name)
    password_hash = crypto.hash_password(PASSWORD)
    await db.write(
        actions_staff.make_login, person_id=person_id, login=login, password_hash=password_hash, must_change=False
    )
    await db.write(actions_staff.grant, person_id=person_id, role=role.value, place_id=world.home.id)


async def story(world: World) -> dict[str, Any]:
    """A community with three days of notice, staff who sign in by password, a shelf, and members with cards."""
    await world.found(notice_days=3, count=1)
    for role, login, name in (
        (Role.COMMUNITY_ADMIN, "admin", "测试主任"),
        (Role.COMMUNITY_ADMIN, "deputy", "测试副主任"),
        (Role.EVENT_ORGANISER, "organiser", "测试领队"),
        (Role.COUNTER_STAFF, "clerk", "测试店员"),
    ):
        await sign_in_for(world, role, login, name)
    goods = [Good("食用盐", codes.own_barcode(901), 1), Good("洗衣皂", codes.own_barcode(902), 2),
             Good("东北大米", codes.own_barcode(903), 60)]  # fmt: skip
    for good in goods:
        await world.good(**asdict(good))
    member, poor = await world.person("测试乙", points=100), await world.person("测试丙", points=1)
    loser = await world.person("测试丁", points=20)
    await db.write(
        people.make_person, community_id=world.home.id, household_id=await world.household(),
        name=NEIGHBOUR, phone=NEIGHBOUR_PHONE,
    )  # fmt: skip
    earner = await world.person("测试戊", points=40)
    lost = await world.card(loser)
    await db.write(actions_cards.report_lost, person_id=loser)
    return {
        "counter": f"/redemption/counters/{world.home.counter_id}",
        "goods": [asdict(good) for good in goods],
        "member_card": await world.card(member),
        "poor_card": await world.card(poor),
        "lost_card": lost,
        "earner_card": await world.card(earner),
        "earner": (await people_queries.member_view((world.home.id,), earner)).member_number,
        "number": (await people_queries.member_view((world.home.id,), member)).member_number,
    }


async def table(world: World) -> dict[str, Any]:
    """A community whose scoring table is about to change: two admins, an organiser, and a resident with a phone."""
    await world.found(notice_days=3, count=1)
    for role, login, name in (
        (Role.COMMUNITY_ADMIN, "admin", "测试主任"),
        (Role.COMMUNITY_ADMIN, "deputy", "测试副主任"),
        (Role.EVENT_ORGANISER, "organiser", "测试领队"),
    ):
        await sign_in_for(world, role, login, name)
    _, session = await world.phone(await world.person("测试乙"))
    return {"resident": session}


async def full(world: World) -> dict[str, Any]:
    """One of everything, a session for each role, names and counts that take room; every text ends in the canary."""
    world.word, world.made, world.more_items = CANARY, PHONES_FROM, (BLOCKED_STAIRS, JUDGED)
    await world.found(notice_days=3, count=1)
    values = await furnish(world, world.home)
    values["case_id"] = await told(world, world.home, await world.person("测试有信"))
    for name in ("测试欧阳长名字", "测试甲", "测试乙"):
        await world.person(name, points=7)
    for number in range(3):
        good_id = await world.good(name=f"测试特别长的商品名称大包装 {number} 号 2.5 kg{CANARY}", points=1234)
        await db.write(
            stock.hang_photo, good_id=good_id, picture=picture("JPEG", (800, 600)), thumbnail=picture("JPEG", (96, 72))
        )
    now, admin = world.clock.now(), (await world.staff(Role.COMMUNITY_ADMIN))[0]
    draft, running = [
        await db.write(
            events.create, actor=admin, community_id=world.home.id, title=f"测试特别长的活动名称楼道清洁{CANARY}",
            venue=f"测试 1 号楼门口{CANARY}",
            item_code="A01", contact="测试领队 10000000009", starts_at=now, ends_at=now + timedelta(hours=2), seats=30,
        )
        for _ in range(2)
    ]  # fmt: skip
    await db.write(events.publish, actor=admin, activity_id=running, community_ids=(world.home.id,))
    staff = {role: await world.staff(role) for role in Role}
    sessions = {role.value: token for role, (_actor, token) in staff.items()}
    served = await db.write(
        redemption.order, actor=staff[Role.COUNTER_STAFF][0], counter_id=world.home.counter_id,
        code=await world.card(values["person_id"]), lines=[Line(1, values["good_id"])], community_ids=(world.home.id,),
    )  # fmt: skip
    resident = await world.person("测试居民", points=1234)
    await db.write(
        redemption.order, actor=staff[Role.COUNTER_STAFF][0], counter_id=world.home.counter_id,
        code=await world.card(resident), lines=[Line(1, values["good_id"])], community_ids=(world.home.id,),
    )  # fmt: skip
    sessions["resident"] = (await world.phone(resident))[1]
    judged = await judged_by(world, resident)
    entry = await db.row("SELECT MAX(id) AS id FROM ledger_entry")
    line = await db.row("SELECT MIN(id) AS id FROM notices_line")
    assert entry is not None
    assert line is not None
    return {
        "values": {**values, "entry_id": entry["id"]},
        "line": line["id"],
        "book_entry": f"/ledger/passbooks/{values['passbook_id']}/entries/{values['entry_id']}",
        "side_by_side": f"/governance/provisional/{await world.provisional()}?same_as={resident}",
        "draft": draft,
        "judged": judged,
        "served": served.order_id,
        "running": running,
        "sessions": sessions,
    }


async def paper(world: World) -> dict[str, Any]:
    """What is printed: long and short orders, a long notice, a passbook, a shelf, an activity with people in it.

    And a draft of the scoring table with more that is new than one page holds.
    """
    await world.found(notice_days=3, count=1)
    seen, now = (world.home.id,), world.clock.now()
    admin, admin_session = await world.staff(Role.COMMUNITY_ADMIN)
    clerk, clerk_session = await world.staff(Role.COUNTER_STAFF)
    member = await world.person("测试欧阳长名字", points=2000)
    card = await world.card(member)
    names = [f"测试特别长的商品名称大包装 No {number} WMW" for number in range(BASKET_LINES_MAX - 1)]
    goods = [await world.good(name=name, points=9) for name in [*names, "食用盐 400 g"]]
    orders = []
    for wanted in ([goods[-1]], goods):
        lines = [Line(1, good_id) for good_id in wanted]
        made = await db.write(
            redemption.order, actor=clerk, counter_id=world.home.counter_id, code=card, lines=lines, community_ids=seen
        )
        orders.append(made.order_id)
    await db.write(redemption.undo, actor=clerk, order_id=orders[1], reason=UndoReason.CHANGED_MIND, community_ids=seen)
    shown = [
        NewLine("测*字", "测试特别长的 12 号楼", f"测试特别长的活动名称三号楼楼道 {number} 小时", 10)
        for number in range(120)
    ]
    notice = await db.write(
        notices.open_notice, community_id=world.home.id, title="2026 年 11 月 21 日积分公示",
        basis="《测试社区文明积分标准》第 2 版", told=Told("points", "分", 0), days=7, lines=shown,
    )  # fmt: skip
    activity = await db.write(
        events.create, actor=admin, community_id=world.home.id, title="测试特别长的活动名称三号楼楼道清洁",
        venue="测试 1 号楼门口和后面的小广场", item_code="A01", contact="测试领队 10000000009",
        starts_at=now, ends_at=now + timedelta(hours=2), seats=30,
    )  # fmt: skip
    await db.write(events.publish, actor=admin, activity_id=activity, community_ids=seen)
    await db.write(attendance.check_in_picked, actor=admin, activity_id=activity, person_id=member, community_ids=seen)
    book = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", member)
    assert book is not None
    _, phone = await world.phone(member)
    return {
        "sessions": {"admin": admin_session, "clerk": clerk_session, "member": phone},
        "comparison": f"/scoring/versions/{await long_draft(world.home.id)}/comparison",
        "orders": orders,
        "notice": notice.notice_id,
        "activity": activity,
        "book": f"/ledger/passbooks/{book['id']}/paper",
        "counter": world.home.counter_id,
    }


async def long_draft(community_id: int) -> int:
    version_id = await db.write(scoring.draft_from_current, community_id=community_id)
    table = (await tables.version((community_id,), version_id)).table
    usual = {"category": "测试", "basis": Basis.PER_TIME, "points": 9, "evidence": "现场签到，拍照"}
    more = [Item(f"T{number}", name=f"测试特别长的积分项名称 {number} 号", **usual) for number in range(NEW_ITEMS)]
    table = replace(table, items=(*table.items, *more))
    await db.write(scoring.save_draft, community_id=community_id, version_id=version_id, table=table)
    return version_id


CARD_NAMES = [f"测试{last}" for last in "甲乙丙丁戊己庚辛壬癸子丑"]


async def cards(world: World) -> dict[str, Any]:
    """An admin, and people without cards behind twelve doors: with the admin more than one sheet holds."""
    await world.found(count=1)
    await sign_in_for(world, Role.COMMUNITY_ADMIN, "admin", "测试主任")
    for name in CARD_NAMES:
        await world.person(name)
    return {}

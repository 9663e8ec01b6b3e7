"""One invented street with three communities that differ in kind: their tables, buildings, staff, shelves."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import msgspec

from pointsbank.app import init
from pointsbank.app.demo_people import Resident, invent, register
from pointsbank.app.demo_scene import Scene
from pointsbank.app.demo_sign_ins import Login
from pointsbank.app.passwords import new_password
from pointsbank.kit import crypto, db
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.people import actions as people
from pointsbank.people import actions_staff as staff
from pointsbank.people.rules_roles import Role
from pointsbank.redemption import actions as redemption
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules import Basis, Cap, Item, Period, Scope, Table
from pointsbank.scoring.rules_table import Panel, Process, Validity, ValidityKind, Veto
from pointsbank.stock import actions as stock

STREET = "云杉街道"
# The passwords are random; the usual cost of hashing would only make the demo wait for them.
CHEAP = crypto.PasswordCost(memory_kib=8 * 1024, rounds=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """`day` counts from Monday, 0."""

    day: int
    start: float
    length: float


SATURDAY, SUNDAY = Hours(5, 8.5, 2), Hours(6, 14.5, 2)


@dataclass(frozen=True, slots=True)
class Programme:
    """What is held every week; titles and venues take turns."""

    turns: tuple[tuple[str, str], ...]
    item_code: str
    hours: Hours
    people: int


@dataclass(frozen=True, slots=True)
class Good:
    name: str
    unit: str
    barcode: str
    points: int
    cents: int
    monthly_max: int | None = None
    donor: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A community as it is planned; `notice_days` None leaves what the table says, `deputy` is a second admin.

    `items` and `rules` come on top of what its template says.
    """

    key: str
    name: str
    holder: str
    template: str
    notice_days: int | None
    buildings: tuple[str, ...]
    households: int
    programmes: tuple[Programme, ...]
    price_percent: int
    orders: int
    staff: dict[Role, str]
    second_role: tuple[Role, Role] | None = None
    deputy: str = ""
    items: tuple[Item, ...] = ()
    rules: dict[str, Any] = field(default_factory=dict)


STAIRS = Item(
    code="K01", category="居民公约", name="楼道堆物", basis=Basis.PER_TIME, points=2, evidence="巡查记录",
    deduction=True, process=Process(advice=1, warnings=1, within_months=6), ground="居民公约第三条",
    make_good="三天里把东西搬走", submit=("grid_worker",), review=("community_admin",),
)  # fmt: skip
OTHERS_CARD = Veto(
    code="V01", name="拿别人的卡兑换", consequence="no_redemption", bar_months=3, ground="居民公约第七条",
    make_good="把换走的东西还回超市",
)  # fmt: skip
JUDGED = Item(
    code="P01", category="公益", name="结对帮扶", basis=Basis.PER_TIME, points=8, evidence="受助人确认",
    review=("organiser", "panel"), panel=Panel(members=3, agree=2, drawn=True),
)  # fmt: skip
RIVERSIDE = Item(
    code="G01", category="志愿服务", name="护河志愿服务", basis=Basis.PER_TIME, points=3, evidence="现场签到",
    caps=(Cap(Scope.PERSON, Period.DAY, 6),),
)  # fmt: skip
VISITS = Programme((("上门陪护独居老人", "3 栋楼下"),), JUDGED.code, SATURDAY, 2)
GATE_MINUTES = 180
PLACES = (
    Place(
        key="wutong",
        name="梧桐里社区",
        holder="person",
        template="kunshan-mall",
        notice_days=0,
        buildings=tuple(f"{number} 号楼" for number in range(1, 7)),
        households=84,
        programmes=(
            Programme((("文明劝导", "菜场路口"), ("环境巡查", "社区广场")), "A01", SATURDAY, 12),
            Programme(
                (("楼道清洁", "三号楼单元门口"), ("教用手机", "社区活动室"), ("看望独居老人", "社区服务站门口")),
                "A01",
                SUNDAY,
                10,
            ),
        ),
        price_percent=100,
        orders=13,
        staff={
            Role.COMMUNITY_ADMIN: "周颖",
            Role.EVENT_ORGANISER: "何静",
            Role.GRID_WORKER: "林建",
            Role.COUNTER_STAFF: "方敏",
        },
        second_role=(Role.GRID_WORKER, Role.EVENT_ORGANISER),
        deputy="沈知秋",
        items=(STAIRS,),
        rules={"veto_rules": (OTHERS_CARD,)},
    ),
    Place(
        key="guihua",
        name="桂花巷社区",
        holder="household",
        template="zunyi-xuetangbao",
        notice_days=3,
        buildings=tuple(f"{number} 栋" for number in range(1, 6)),
        households=72,
        programmes=(
            Programme((("院落大扫除", "桂花巷口"), ("清理楼前绿地", "2 栋前")), "D01", SATURDAY, 12),
            Programme((("陪老人就医", "社区服务站门口"), ("邻里修补日", "居民活动室")), "A01", SUNDAY, 7),
        ),
        price_percent=40,
        orders=10,
        staff={
            Role.COMMUNITY_ADMIN: "罗敏芝",
            Role.EVENT_ORGANISER: "秦舟",
            Role.GRID_WORKER: "贺一苇",
            Role.COUNTER_STAFF: "汤芹",
        },
        items=(JUDGED,),
    ),
    Place(
        key="wangxi",
        name="望溪社区",
        holder="person",
        template="linqing-bishui",
        notice_days=None,
        buildings=tuple(f"{number} 幢" for number in range(1, 6)),
        households=64,
        programmes=(
            Programme((("河边护水日", "望溪桥头"),), RIVERSIDE.code, SATURDAY, 9),
            Programme((("护水宣传", "望溪桥头"), ("分享护河做法", "居民活动室")), RIVERSIDE.code, SUNDAY, 8),
        ),
        price_percent=20,
        orders=8,
        staff={
            Role.COMMUNITY_ADMIN: "陶远",
            Role.EVENT_ORGANISER: "石晴川",
            Role.GRID_WORKER: "莫小舟",
            Role.COUNTER_STAFF: "易安禾",
        },
        items=(RIVERSIDE,),
        rules={"gate_minutes": GATE_MINUTES},
    ),
)

STREET_STAFF = {Role.SUPERVISOR: "顾岚", Role.AUDITOR: "陆知行", Role.STREET_ADMIN: "韩若川"}
ROLE_KEYS = {
    Role.COMMUNITY_ADMIN: "admin",
    Role.EVENT_ORGANISER: "organiser",
    Role.GRID_WORKER: "grid",
    Role.COUNTER_STAFF: "counter",
    Role.SUPERVISOR: "supervisor",
    Role.AUDITOR: "auditor",
    Role.STREET_ADMIN: "admin",
}

# Bar codes from 200…, which shops use among themselves: they are no real goods'.
GOODS = (
    Good("食用盐 400 g", "袋", "2000000000015", 5, 250),
    Good("洗衣皂 2 块", "组", "2000000000022", 8, 480),
    Good("抽纸 3 包装", "提", "2000000000039", 15, 990, monthly_max=1),
    Good("纯棉毛巾", "条", "2000000000046", 20, 1200),
    Good("东北大米 5 kg", "袋", "2000000000053", 60, 3600, monthly_max=2),
    Good("菜籽油 1.8 L", "瓶", "2000000000060", 50, 3200, monthly_max=1),
    Good("洗洁精 1 kg", "瓶", "2000000000077", 15, 850),
    Good("垃圾袋 5 卷", "组", "2000000000084", 10, 600, donor="云杉便民超市"),
    Good("挂面 1 kg", "把", "2000000000091", 10, 690, donor="热心居民"),
    Good("牙膏", "支", "2000000000107", 15, 880, donor="望溪慈善小站"),
    Good("保温杯", "只", "2000000000114", 80, 4500, donor="云杉便民超市"),
    Good("理发一次", "次", "", 30, 2000, monthly_max=1, donor="梧桐里理发店"),
)


@dataclass(slots=True)
class Community:
    """A community as it stands in the database."""

    plan: Place
    id: int
    counter_id: int
    outlet_id: int
    staff_ids: dict[Role, int]
    residents: list[Resident]
    deputy_id: int = 0
    goods: dict[int, Good] = field(default_factory=dict)
    stock: dict[int, int] = field(default_factory=dict)

    def actor(self, role: Role) -> db.Actor:
        return db.Actor(self.staff_ids[role])


async def build(scene: Scene, *, from_day: date) -> tuple[list[Community], list[Login]]:
    """Set up the street, and move everybody in."""
    street_id = await db.write(people.make_place, parent_id=None, kind="street", name=STREET)
    communities: list[Community] = []
    logins: list[Login] = []
    for number, plan in enumerate(PLACES):
        community_id = await db.write(
            people.make_community,
            street_id=street_id,
            name=plan.name,
            unit_name=plan.name,
            holder=plan.holder,
            service_phone=f"100 0000 00{number}1",
            oversight_phone=f"100 0000 00{number}9",
        )
        await db.write(kinds.make_main_kind, community_id=community_id)
        table = table_of(plan)
        await db.write(scoring.adopt, community_id=community_id, table=table, in_force_from=from_day)
        buildings = await scene.all(
            db.write(people.make_place, parent_id=community_id, kind="building", name=name) for name in plan.buildings
        )
        outlet = f"{plan.name.removesuffix('社区')}爱心超市"
        outlet_id = await db.write(
            redemption.make_outlet, community_id=community_id, name=outlet, hours=init.OUTLET_HOURS
        )
        counter_id = await db.write(redemption.make_counter, outlet_id=outlet_id, name="一号台")
        residents = invent(scene.dice, plan.households, phones_from=1 + number * 10_000)
        await register(scene, community_id, buildings, residents)
        staff_ids, made = await _hire(
            scene, plan.staff, plan.key, home_id=community_id, place=(community_id, plan.name)
        )
        logins += made
        communities.append(Community(plan, community_id, counter_id, outlet_id, staff_ids, residents))
        if plan.second_role is not None:
            logins.append(await _second_role(plan.second_role, made, staff_ids, community_id))
        if plan.deputy:
            deputy, made = await _hire(
                scene,
                {Role.COMMUNITY_ADMIN: plan.deputy},
                f"{plan.key}-deputy",
                home_id=community_id,
                place=(community_id, plan.name),
            )
            communities[-1].deputy_id = deputy[Role.COMMUNITY_ADMIN]
            logins += made
    _, made = await _hire(scene, STREET_STAFF, "street", home_id=communities[0].id, place=(street_id, STREET))
    await _fill_shelves(scene, communities)
    return communities, [*logins, *made]


def table_of(plan: Place) -> Table:
    table = init.template(plan.template)
    table = msgspec.structs.replace(table, passbook=plan.holder, items=(*table.items, *plan.items), **plan.rules)
    if plan.notice_days is not None:
        table = msgspec.structs.replace(table, notice_days=plan.notice_days)
    return msgspec.structs.replace(table, validity=Validity(ValidityKind.MONTHS, 24))


async def _hire(
    scene: Scene, names: dict[Role, str], key: str, *, home_id: int, place: tuple[int, str]
) -> tuple[dict[Role, int], list[Login]]:
    """Staff live elsewhere, so that nobody serves his own household."""
    place_id, place_name = place
    ids = await scene.all(
        db.write(people.make_person, community_id=home_id, household_id=None, name=name, phone=None)
        for name in names.values()
    )
    staff_ids = dict(zip(names, ids, strict=True))
    logins = [Login(role.value, f"{key}-{ROLE_KEYS[role]}", new_password(), place_name, place_id) for role in names]
    await scene.all(
        db.write(
            staff.make_login,
            person_id=staff_ids[Role(login.role)],
            login=login.login,
            password_hash=crypto.hash_password(login.password, CHEAP),
            must_change=False,
        )
        for login in logins
    )
    await scene.all(
        db.write(staff.grant, person_id=person_id, role=role.value, place_id=place_id)
        for role, person_id in staff_ids.items()
    )
    return staff_ids, logins


async def _second_role(roles: tuple[Role, Role], made: list[Login], staff_ids: dict[Role, int], place_id: int) -> Login:
    first, second = roles
    await db.write(staff.grant, person_id=staff_ids[first], role=second.value, place_id=place_id)
    login = next(login for login in made if login.role == first)
    return msgspec.structs.replace(login, role=second.value)


async def _fill_shelves(scene: Scene, communities: list[Community]) -> None:
    for community in communities:
        goods = [priced(good, community.plan.price_percent) for good in GOODS]
        actor = community.actor(Role.COMMUNITY_ADMIN)
        ids = await scene.all(
            db.write(
                stock.make_good,
                actor=actor,
                community_id=community.id,
                outlet_id=community.outlet_id,
                name=good.name,
                unit=good.unit,
                points=good.points,
                barcode=good.barcode,
                monthly_max=good.monthly_max,
                low_at=3,
            )
            for good in goods
        )
        community.goods = dict(zip(ids, goods, strict=True))
        community.stock = dict.fromkeys(ids, 0)
        await restock(scene, community)


def priced(good: Good, percent: int) -> Good:
    return replace(good, points=max(good.points * percent // 100, 1))


async def restock(scene: Scene, community: Community, *, up_to: int = 40, below: int = 12) -> None:
    """Receive what runs low, bought or given."""
    low = [good_id for good_id, left in community.stock.items() if left < below]
    await scene.all(
        db.write(
            stock.receive,
            actor=community.actor(Role.COMMUNITY_ADMIN),
            good_id=good_id,
            quantity=up_to,
            source="donated" if community.goods[good_id].donor else "purchased",
            donor=community.goods[good_id].donor,
            unit_value_cents=community.goods[good_id].cents,
        )
        for good_id in low
    )
    for good_id in low:
        community.stock[good_id] += up_to

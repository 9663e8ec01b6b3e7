"""Founding a real installation: places, the first table, outlet and counter, the first admin, and the key sheet."""

import msgspec

from pointsbank.app import commands, installation, lock
from pointsbank.app import database as databases
from pointsbank.kit import crypto, db, paths
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.crypto import Keys
from pointsbank.kit.db import Tx
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.people import actions as people
from pointsbank.people.rules_roles import Role
from pointsbank.redemption import actions as redemption
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import scheme_file
from pointsbank.scoring.rules import Table
from pointsbank.web.i18n import N_

OUTLET_HOURS = "周二至周日 9:00–17:00"
COUNTER = "一号台"
HOLDERS = {"person": N_("每人一本存折"), "household": N_("每户一本存折")}


class AlreadyFounded(Exception):
    def __init__(self, where: str) -> None:
        super().__init__(f"这里已经有积分银行了：{where}。没有改动任何东西。要另建一个，请换一个 POINTSBANK_DATA。")


class UnknownTemplate(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"没有这张积分表模板：{name}。可选：{'、'.join(templates())}。")


class Plan(msgspec.Struct, frozen=True):
    """All that is asked before anything is written; `unit_name` heads pages, `holder` is person or household."""

    district: str
    street: str
    community: str
    buildings: list[str]
    unit_name: str
    holder: str
    notice_days: int
    service_phone: str
    oversight_phone: str
    outlet: str
    hours: str
    counter: str
    admin_name: str
    admin_login: str
    must_change: bool


class Founded(msgspec.Struct, frozen=True):
    community_id: int
    admin_id: int
    counter_id: int


class Outcome(msgspec.Struct, frozen=True):
    founded: Founded
    keys_shown: str
    fingerprint: str


def templates() -> list[str]:
    """The names of the scoring tables that come with the program."""
    return sorted(path.stem for path in (paths.seed_dir() / "scoring").glob("*.toml"))


def template(name: str) -> Table:
    plain = name.removesuffix(".toml")
    if plain not in templates():
        raise UnknownTemplate(name)
    return scheme_file.parse((paths.seed_dir() / "scoring" / f"{plain}.toml").read_text("utf-8"))


def outlet_of(community: str) -> str:
    """What a community's charity supermarket is called, unless somebody says otherwise."""
    return f"{community.removesuffix('社区')}爱心超市"


async def refuse_if_founded(settings: Settings) -> None:
    if await databases.is_founded(settings):
        raise AlreadyFounded("PostgreSQL" if settings.database_url else str(databases.path_of(settings)))


async def carry_out(settings: Settings, plan: Plan, table: Table, password_hash: str) -> Outcome:
    """Found the installation: all of it, or nothing that a second `init` would not finish."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.database_url:
        return await establish(settings, plan, table, password_hash)
    with lock.held(settings.data):
        return await establish(settings, plan, table, password_hash)


async def establish(settings: Settings, plan: Plan, table: Table, password_hash: str) -> Outcome:
    """As `carry_out`, in a process that holds the lock of the data folder already."""
    await refuse_if_founded(settings)
    keys = Keys.load_or_create(settings.key_path)
    crypto.hold(keys)
    await databases.migrate(settings)
    async with databases.opened(settings, Clock()):
        adopted = msgspec.structs.replace(table, passbook=plan.holder, notice_days=plan.notice_days)
        founded = await db.write(
            found, plan=plan, table=adopted, key_fingerprint=keys.fingerprint, password_hash=password_hash
        )
    return Outcome(founded, keys.for_the_safe(), keys.fingerprint)


async def found(tx: Tx, *, plan: Plan, table: Table, key_fingerprint: str, password_hash: str) -> Founded:
    """One transaction, so that an installation is founded whole or not at all."""
    if not await installation.found(tx, kind="real", key_fingerprint=key_fingerprint):
        raise AlreadyFounded("数据库")
    district_id = None
    if plan.district:
        district_id = await people.make_place(tx, parent_id=None, kind="district", name=plan.district)
    street_id = await people.make_place(tx, parent_id=district_id, kind="street", name=plan.street)
    community_id = await people.make_community(
        tx,
        street_id=street_id,
        name=plan.community,
        unit_name=plan.unit_name,
        holder=plan.holder,
        service_phone=plan.service_phone,
        oversight_phone=plan.oversight_phone,
    )
    await kinds.make_main_kind(tx, community_id=community_id)
    for building in plan.buildings:
        await people.make_place(tx, parent_id=community_id, kind="building", name=building)
    await scoring.adopt(tx, community_id=community_id, table=table, in_force_from=local_day(tx.now))
    outlet_id = await redemption.make_outlet(tx, community_id=community_id, name=plan.outlet, hours=plan.hours)
    counter_id = await redemption.make_counter(tx, outlet_id=outlet_id, name=plan.counter)
    admin_id = await commands.set_up_user(
        tx,
        person_id=None,
        community_id=community_id,
        name=plan.admin_name,
        login=plan.admin_login,
        password_hash=password_hash,
        must_change=plan.must_change,
        role=Role.COMMUNITY_ADMIN,
        place_id=community_id,
    )
    return Founded(community_id, admin_id, counter_id)


class KeySheet(msgspec.Struct, frozen=True):
    """What is printed once, on paper, for the safe."""

    key_lines: tuple[str, str]
    fingerprint: str
    key_file: str
    database: str


def sheet_of(settings: Settings, outcome: Outcome) -> KeySheet:
    groups = outcome.keys_shown.split(" ")
    half = len(groups) // 2
    return KeySheet(
        ("  ".join(groups[:half]), "  ".join(groups[half:])),
        outcome.fingerprint,
        str(settings.key_path),
        "PostgreSQL" if settings.database_url else str(databases.path_of(settings)),
    )


def key_sheet(settings: Settings, outcome: Outcome) -> str:
    sheet = sheet_of(settings, outcome)
    lines = [
        "════════ 密钥页：请打印或抄写，锁进保险柜 ════════",
        "根密钥：",
        *(f"    {line}" for line in sheet.key_lines),
        f"指纹：{sheet.fingerprint}",
        f"密钥文件：{sheet.key_file}",
        f"数据库：{sheet.database}",
        "",
        "· 姓名、电话、积分卡都靠它打开。丢了它，谁也找不回来。",
        "· 不要拍照、不要发出去，不要和备份放在一起。",
        "· 换电脑时：把上面的根密钥原样打进一个文件（空格不要紧），",
        "  用 POINTSBANK_KEY_FILE 指向它，再运行 pointsbank key check 核对指纹。",
        "════════════════════════════════════════",
    ]
    return "\n".join(lines)

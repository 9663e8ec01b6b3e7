"""What several pages of this room show alike: an item's worth, lines, a contact, addresses in codes, cookies."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response

from pointsbank.events import queries, rules
from pointsbank.events.queries import Activity, Attendance
from pointsbank.events.rules import BLOCKING, TITLE_LARGE_MAX, Doubt, split_contact, title_lines
from pointsbank.kit import codes, qr
from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import Forbidden
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Session
from pointsbank.people.queries import MemberView
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import Basis, Counts, Item, Period, evidence_wanted
from pointsbank.web import cookies
from pointsbank.web.i18n import _

AnyRequest = Request[Any, Any, Any]
CARD_LENGTH = 20  # and a phone's code is as long


@dataclass(frozen=True, slots=True)
class Worth:
    """What an item gives, written as `of` says: `points` for each `block` of minutes or metres, or of what is counted.

    `high` is the most of one act where that depends on what is found: a level, conditions, a value within a range.
    """

    code: str
    name: str
    basis: Basis
    points: int
    block: int
    counted: str
    high: int | None
    most: int | None
    of: Denomination
    evidence: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An activity as pages show it."""

    activity: Activity
    worth: Worth | None
    contact: str
    contact_phone: str

    @property
    def title_lines(self) -> list[str]:
        return title_lines(self.activity.title)

    @property
    def has_long_title(self) -> bool:
        return len(self.activity.title) > TITLE_LARGE_MAX

    def __getattr__(self, name: str) -> Any:
        return getattr(self.activity, name)


def worth_of(item: Item, book_kinds: dict[str, Denomination]) -> Worth:
    of = book_kinds[item.book_kind]
    points = (item.points or 0) * item.multiplier_percent // 100
    block = {Basis.PER_MINUTES: item.block_minutes, Basis.PER_DISTANCE: item.block_metres}.get(item.basis, 0)
    listed = {Basis.PER_LEVEL: [level.points or 0 for level in item.levels], Basis.PER_CONDITIONS: item.points_by_met}
    high = max(listed.get(item.basis, ()), default=item.range_max)
    caps = [cap for cap in item.caps if cap.period in {Period.ACT, Period.DAY} and cap.counts is Counts.POINTS]
    most = min((cap.most for cap in caps), default=None)
    evidence = evidence_wanted(item, _)
    return Worth(item.code, item.name, item.basis, points, block, item.counted, high, most, of, evidence)


async def shown(activity: Activity) -> Shown:
    """With the item's worth by the table of its day, if there is one already."""
    contact, phone = split_contact(activity.contact)
    version = await scoring.current(activity.community_id, local_day(activity.starts_at))
    item = None if version is None else version.items.get(activity.item_code)
    book_kinds = await kinds.denominations(None, activity.community_id)
    return Shown(activity, None if item is None else worth_of(item, book_kinds), contact, phone)


async def own_activity(activity_id: int, session: Session) -> Activity:
    return await queries.activity(activity_id, session.community_ids)


@dataclass(frozen=True, slots=True)
class Row:
    """An attendance with whose it is; `doubts` are what speaks against ticking it beforehand."""

    attendance: Attendance
    who: MemberView
    minutes_max: int
    doubts: tuple[Doubt, ...]

    @property
    def may_tick(self) -> bool:
        return not BLOCKING & set(self.doubts)


async def rows(activity: Activity, session: Session, now: datetime) -> list[Row]:
    own = await people.holder_of(None, session.person_id)
    found = []
    for one in await queries.lines(activity.id):
        who = await people.member_view((activity.community_id,), one.person_id)
        same_home = own.household_id is not None and own.household_id == who.household_id
        doubts = rules.doubts(
            plan=activity.plan,
            in_at=one.in_at,
            in_way=one.in_way,
            out_at=one.out_at,
            state=who.state,
            is_own=same_home or who.person_id == own.person_id,
            now=now,
        )
        most = rules.minutes_max(activity.plan, one.in_at, one.out_at)
        found.append(Row(one, who, most, tuple(doubts)))
    return found


def own_community(session: Session) -> int:
    if session.community_id is None:
        raise Forbidden
    return session.community_id


def png(text: str, *, level: qr.Level, box: int) -> Response[bytes]:
    content = qr.qr_png(text, level=level, box=box)
    return Response(content, media_type="image/png", headers={"Cache-Control": "no-store"})


def nonce_cookie(settings: Settings) -> str:
    return cookies.cookie_name("seen", https=browser.is_https(settings))


def is_address_code(code: str) -> bool:
    """Whether this is the tail of an address, which anybody may have seen, and not a card or a phone."""
    if len(code) == CARD_LENGTH and code.isdigit():  # nearly always: spares reading it twice
        return False
    return codes.parse_scan(code).kind in {codes.CodeKind.EVENT, codes.CodeKind.POSTER}

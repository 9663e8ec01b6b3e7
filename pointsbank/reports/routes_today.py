"""Today: what waits for staff, the most urgent first; each line leads in one click to where it is done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.notices.rules import sheets
from pointsbank.people import queries_match as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.reports import queries, queries_today
from pointsbank.reports.queries_today import Asker, Waits
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _, amount
from pointsbank.web.render import page

SOON_DAYS = 3
LAPSING_SHOWN = 200
TELLS = [needs(Permission.SEE_TODO, Permission.SEE_PEOPLE)]


class Urgency(IntEnum):
    NOW = 0  # due today, or late
    SOON = 1
    SOME_TIME = 2


class Todo(msgspec.Struct, frozen=True):
    """A line of the page. `text` and `button` are translated where they are shown."""

    count: int
    text: str
    url: str
    button: str
    urgency: Urgency
    due: date | None
    example: str
    points: int
    is_work: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of work: who may do it, what it is called, the page where it is done, and how to find what waits.

    What is no work of its own, but worth knowing, does not count in the number of things to do.
    """

    permission: Permission
    text: str
    url: str
    button: str
    find: Callable[[Asker], Awaitable[Waits]]
    is_work: bool = True


# Among equally urgent ones they stand in this order.
SORTS = (
    Sort(Permission.RUN_EVENTS, N_("活动待核时长"), "/events", N_("核时长"), queries_today.unconfirmed),
    Sort(Permission.REVIEW_AWARDS, N_("积分待审核"), "/awards/review", N_("去审核"), queries_today.reviews),
    Sort(Permission.WORK, N_("等你评议"), "/awards/panel", N_("去评议"), queries_today.panels),
    Sort(
        Permission.REVIEW_AWARDS,
        N_("评议小组人不够"),
        "/awards/review#panels",
        N_("去看看"),
        queries_today.short_panels,
    ),
    Sort(
        Permission.CONFIRM_CASES,
        N_("待你确认的情况"),
        "/awards/cases",
        N_("去确认"),
        queries_today.cases,
    ),
    Sort(
        Permission.RULE_OBJECTIONS,
        N_("对劝导、扣分的意见"),
        "/awards/cases",
        N_("去答复"),
        queries_today.disputed_cases,
    ),
    Sort(Permission.MAKE_CASES, N_("待送达的信"), "/awards/cases", N_("去送信"), queries_today.letters),
    Sort(
        Permission.RECORD_OBJECTIONS,
        N_("居民异议"),
        "/governance/objections",
        N_("去答复"),
        queries_today.objections,
    ),
    Sort(
        Permission.RULE_OBJECTIONS,
        N_("居民疑问"),
        "/awards/questions",
        N_("去答复"),
        queries_today.questions,
    ),
    Sort(
        Permission.PUBLISH_SCORING,
        N_("对积分标准的意见"),
        "/scoring",
        N_("去答复"),
        queries_today.table_answers,
    ),
    Sort(
        Permission.PUBLISH_SCORING,
        N_("积分标准公示期满，等定生效日期"),
        "/scoring",
        N_("去定日期"),
        queries_today.table_day,
    ),
    Sort(
        Permission.PUBLISH_SCORING,
        N_("积分标准议过了，等公示"),
        "/scoring",
        N_("去公示"),
        queries_today.table_notice,
    ),
    Sort(
        Permission.EDIT_SCORING,
        N_("积分标准等议事会"),
        "/scoring",
        N_("登记会议"),
        queries_today.table_meeting,
    ),
    Sort(
        Permission.OPEN_BOOKS,
        N_("待你确认的期初名单"),
        "/ledger/openings",
        N_("去确认"),
        queries_today.openings,
    ),
    Sort(
        Permission.KEEP_BOOKS,
        N_("积分等预算"),
        "/governance/budgets",
        N_("看预算"),
        queries_today.awards_without_budget,
    ),
    Sort(
        Permission.KEEP_BOOKS,
        N_("明年的积分预算还没有定"),
        "/governance/budgets/new",
        N_("定预算"),
        queries_today.next_budget,
    ),
    Sort(
        Permission.MOVE_POINTS,
        N_("待你确认的积分凭证"),
        "/ledger/vouchers",
        N_("去确认"),
        queries_today.vouchers,
    ),
    Sort(
        Permission.KEEP_BOOKS,
        N_("待你确认的设置"),
        "/ledger/kinds",
        N_("去确认"),
        queries_today.proposals,
    ),
    Sort(
        Permission.MOVE_POINTS,
        N_("待你确认的合并"),
        "/governance/merge-requests",
        N_("去确认"),
        queries_today.merges,
    ),
    Sort(Permission.SETTLE_PEOPLE, N_("待核对的人"), "/people/provisional", N_("去核对"), queries_today.provisional),
    Sort(Permission.SETTLE_PEOPLE, N_("居民的申请"), "/people/requests", N_("去办"), queries_today.requests),
    Sort(Permission.SEE_NOTICES, N_("公示中"), "/notices", N_("看公示"), queries_today.open_notices),
    Sort(Permission.KEEP_STOCK, N_("库存低"), "/stock", N_("去补货"), queries_today.low_stock),
    Sort(
        Permission.SEE_PEOPLE,
        N_("积分快到期的存折"),
        "/todo/expiring",
        N_("看名单"),
        queries_today.expiring,
        is_work=False,
    ),
    Sort(
        Permission.MANAGE_STAFF,
        N_("90 天没有登录的工作人员"),
        "/people/staff",
        N_("去看看"),
        queries_today.unused_logins,
        is_work=False,
    ),
    Sort(Permission.MANAGE_STAFF, N_("备份没有做成"), "/guide/community#backup", N_("怎么办"), queries_today.backups),
    Sort(
        Permission.MANAGE_STAFF,
        N_("账有不对的地方"),
        "/guide/community#books",
        N_("怎么办"),
        queries_today.unclean_books,
    ),
    Sort(Permission.KEEP_STOCK, N_("货过了保质期"), "/stock", N_("去报损"), queries_today.past_stock),
)


def urgency_of(due: date | None, today: date) -> Urgency:
    if due is None or due > today + timedelta(days=SOON_DAYS):
        return Urgency.SOME_TIME
    return Urgency.SOON if due > today else Urgency.NOW


async def todos(session: Session, asker: Asker) -> list[Todo]:
    """What waits and may be done in this session; sorts of which nothing waits are left out."""
    found = []
    for sort in SORTS:
        if not session.may(sort.permission):
            continue
        waits = await sort.find(asker)
        if waits.count:
            found.append(_todo(sort, waits, asker.today))
    return sorted(found, key=lambda todo: todo.urgency)


def _todo(sort: Sort, waits: Waits, today: date) -> Todo:
    return Todo(
        waits.count,
        sort.text,
        waits.url or sort.url,
        sort.button,
        urgency_of(waits.due, today),
        waits.due,
        waits.example,
        waits.points,
        sort.is_work,
    )


@get("/todo", guards=[needs(Permission.SEE_TODO)])
async def today(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    assert session.community_id is not None
    now = clock.now()
    day = local_day(now)
    waiting = await todos(session, Asker(session.community_id, session.person_id, now))
    return page(
        "reports/todo.html",
        todos=waiting,
        of=await kinds.main(None, session.community_id),
        total=sum(todo.count for todo in waiting if todo.is_work),
        first_due=min((todo.due for todo in waiting if todo.due is not None), default=None),
        activities=await queries.activities(session.community_id, now - timedelta(hours=12), now + timedelta(days=2)),
        month=await queries.month_of(session.community_id, day.replace(day=1), day + timedelta(days=1)),
        now=now,
        today=day,
        backup=await queries_today.last_backup() if session.may(Permission.MANAGE_STAFF) else None,
        may_run=session.may(Permission.RUN_EVENTS),
        may_see_people=session.may(Permission.SEE_PEOPLE),
        may_register=session.may(Permission.REGISTER_PEOPLE),
    )


class LapsingLine(msgspec.Struct, frozen=True):
    """As the page and the paper show it: the name is masked."""

    person_id: int
    masked_name: str
    member_number: str
    building: str
    is_shared: bool
    points: int
    first_day: date
    unit: str
    decimals: int


async def _lapsing(session: Session, clock: Clock) -> list[LapsingLine]:
    assert session.community_id is not None
    day = local_day(clock.now())
    found = await queries_today.lapsing(session.community_id, day)
    views = await people.member_views(one.person_id for one in found)
    return [
        LapsingLine(
            one.person_id,
            views[one.person_id].masked_name,
            views[one.person_id].member_number,
            views[one.person_id].building,
            one.is_shared,
            one.points,
            one.first_day,
            one.unit,
            one.decimals,
        )
        for one in found
    ]


def _sums(lines: Sequence[LapsingLine]) -> str:
    """Points of different kinds have no sum: one amount for each unit."""
    found: dict[tuple[str, int], list[LapsingLine]] = {}
    for line in lines:
        found.setdefault((line.unit, line.decimals), []).append(line)
    return _("，").join(amount(sum(line.points for line in same), same[0]) for same in found.values())


@get("/todo/expiring", guards=TELLS)
async def expiring(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    """Whose points lapse soon, so that somebody can tell them."""
    lines = await _lapsing(session, clock)
    return page("reports/expiring.html", lines=lines[:LAPSING_SHOWN], count=len(lines), sums=_sums(lines))


@get("/todo/expiring/print", guards=TELLS)
async def expiring_paper(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    lines = await _lapsing(session, clock)
    return page(
        "reports/expiring_print.html",
        sheets=sheets(lines),
        count=len(lines),
        sums=_sums(lines),
        place=session.place_name,
    )


handlers: list[Any] = [today, expiring, expiring_paper]

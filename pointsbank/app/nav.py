"""What frames a page: who is reading, and where they may go from here."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointsbank.kit.clock import Clock
from pointsbank.people.access import ROLE_NAMES, Permission, Session
from pointsbank.web.current import Scope
from pointsbank.web.i18n import N_, translate
from pointsbank.web.render import NavEntry, Phones, Reader, View, bare_view


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the main menu; it shows for whoever has the permission."""

    permission: Permission
    url: str
    icon: str
    label: str


DOORS = (
    Door(Permission.SEE_TODO, "/todo", "list", N_("今日待办")),
    Door(Permission.SEE_OVERVIEW, "/overview", "chart", N_("总览")),
    Door(Permission.REDEEM, "/redemption/counters", "scan", N_("兑换台")),
    Door(Permission.REVIEW_AWARDS, "/awards/review", "check", N_("审核")),
    Door(Permission.CHECK_IN_OTHERS, "/events", "calendar", N_("活动与海报")),
    Door(Permission.SEE_PEOPLE, "/people", "people", N_("居民与家庭")),
    Door(Permission.SEE_SCORING, "/scoring", "table", N_("积分标准")),
    Door(Permission.SEE_NOTICES, "/notices", "board", N_("公示与异议")),
    Door(Permission.SEE_BOOKS, "/governance/budgets", "book", N_("账目")),
    Door(Permission.KEEP_STOCK, "/stock", "box", N_("商品与库存")),
    Door(Permission.MANAGE_STAFF, "/people/staff", "lock", N_("工作人员")),
)


def _is_here(path: str, url: str) -> bool:
    return path == url or path.startswith(f"{url}/")


def _entries(session: Session, path: str, locale: str) -> list[NavEntry]:
    shown = [door for door in DOORS if session.may(door.permission)]
    # /people/staff lies under /people: the longest address that fits is the one we are at.
    here = max((door.url for door in shown if _is_here(path, door.url)), key=len, default=None)
    return [NavEntry(door.url, door.icon, translate(door.label, locale), door.url == here) for door in shown]


def describer(clock: Clock, *, is_demo: bool, is_plain_http: bool) -> Callable[[Scope], View]:
    """Return what `render` asks for each page; it reads the session alone and never the database."""

    def describe(scope: Scope) -> View:
        view = bare_view(scope, is_demo=is_demo, is_plain_http=is_plain_http, now=clock.now())
        session = scope.get("session")
        if not isinstance(session, Session):
            return view
        role_name = translate(ROLE_NAMES[session.role], view.locale) if session.role else ""
        return replace(
            view,
            person=Reader(session.shown_name, role_name, session.place_name),
            nav=_entries(session, view.path, view.locale) if session.kind == "staff" else (),
            unit_name=session.unit_name,
            phones=Phones(session.service_phone or None, session.oversight_phone or None),
        )

    return describe

"""What frames a page: who is reading, and where they may go from here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter

from pointsbank.kit.clock import Clock
from pointsbank.people.access import ROLE_NAMES, Permission, Session
from pointsbank.web.current import Scope
from pointsbank.web.i18n import N_, translate
from pointsbank.web.render import NavEntry, Phones, Reader, View, bare_view


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the main menu; it shows for whoever has the permission.

    `leads_to` are the addresses of pages that belong to it, though they do not lie under its own.
    """

    permission: Permission
    url: str
    icon: str
    label: str
    leads_to: tuple[str, ...] = ()


DOORS = (
    Door(Permission.SEE_TODO, "/todo", "list", N_("今日待办")),
    Door(Permission.SEE_OVERVIEW, "/overview", "chart", N_("总览")),
    Door(Permission.REDEEM, "/redemption/counters", "scan", N_("兑换台")),
    Door(Permission.REVIEW_AWARDS, "/awards/review", "check", N_("审核"), ("/awards",)),
    Door(Permission.SIT_ON_PANELS, "/awards/panel", "check", N_("评议")),
    Door(Permission.CHECK_IN_OTHERS, "/events", "calendar", N_("活动与海报")),
    Door(
        Permission.SEE_PEOPLE,
        "/people",
        "people",
        N_("居民与家庭"),
        ("/ledger", "/governance", "/members", "/awards/cases", "/awards/people"),
    ),
    Door(Permission.SEE_SCORING, "/scoring", "table", N_("积分标准"), ("/overview/trial",)),
    Door(Permission.SEE_NOTICES, "/notices", "board", N_("公示与异议"), ("/governance/objections",)),
    Door(
        Permission.SEE_BOOKS,
        "/governance/budgets",
        "book",
        N_("账目"),
        ("/governance/months", "/overview/liability", "/ledger/vouchers", "/ledger/grants", "/ledger/gifts"),
    ),
    Door(Permission.KEEP_STOCK, "/stock", "box", N_("商品与库存")),
    Door(Permission.MANAGE_STAFF, "/people/staff", "lock", N_("工作人员")),
)


def door_of(path: str, doors: Iterable[Door] = DOORS) -> Door | None:
    """Whose page this is: /people/staff lies under /people too, and the longest address that fits counts."""
    fitting = [
        (len(url), door)
        for door in doors
        for url in (door.url, *door.leads_to)
        if path == url or path.startswith(f"{url}/")
    ]
    return max(fitting, key=itemgetter(0))[1] if fitting else None


def _entries(session: Session, path: str, locale: str) -> list[NavEntry]:
    shown = [door for door in DOORS if session.may(door.permission)]
    here = door_of(path, shown)
    return [NavEntry(door.url, door.icon, translate(door.label, locale), door is here) for door in shown]


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

"""One person and one household, as staff of the community see them: everything that rooms know, masked."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.awards import routes_gate
from pointsbank.events import queries as events
from pointsbank.kit import codes
from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_kinds as ledger_kinds
from pointsbank.ledger.queries import Passbook
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.routes_statement import own_books_of
from pointsbank.ledger.rules import MAIN
from pointsbank.people import queries as people
from pointsbank.people import queries_homes as homes
from pointsbank.people import queries_own as own
from pointsbank.people import queries_phones
from pointsbank.people import queries_roster as details
from pointsbank.people.access import ROLE_NAMES, Permission, Role, Session, needs
from pointsbank.people.history import SAID as STAFF_DEEDS
from pointsbank.people.queries import Holder
from pointsbank.people.queries_own import Deed
from pointsbank.people.routes_person import CONSENT_WORDS, FIELD_NAMES
from pointsbank.reports import queries, queries_people
from pointsbank.web import forms
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
LINES = 12
ATTENDED = 30
DEEDS = 60
VIEWS = ("book", "hours", "orders", "trail")
SEES = [needs(Permission.SEE_PEOPLE)]

# What stands in the trail of a person, in words; roles and sign-ins are for those who keep them.
DEED_WORDS = {
    "person.registered": N_("登记"),
    "person.provisional": N_("扫海报登记"),
    "person.accepted": N_("核对：收进名册"),
    "person.merge_asked": N_("申请合并登记"),
    "person.merge_refused": N_("合并登记的申请退回"),
    "person.merge_withdrawn": N_("合并登记的申请撤回"),
    "person.merged": N_("核对：认作名册里的人"),
    "person.separated": N_("拆开合并的记录"),
    "person.parted": N_("拆开合并的记录"),
    "person.field_shown": N_("看了{field}：{purpose}"),
    "person.request_shown": N_("看了申请里的{field}"),
    "person.consent_changed": N_("改了公示同意"),
    "person.untagged": N_("收回标签的同意"),
    "person.corrected": N_("更正{field}"),
    "person.moved": N_("搬到另一户"),
    "person.left": N_("退出积分银行"),
    "request.made": N_("本人提出申请"),
    "request.withdrawn": N_("本人撤回申请"),
    "request.done": N_("申请办好"),
    "request.refused": N_("申请没有办"),
    "card.issued": N_("发卡"),
    "card.lost": N_("卡挂失"),
    "card.printed": N_("打印卡和激活条"),
    "phone.bound": N_("配手机"),
    "phone.unbound": N_("解除手机"),
}
CHANGE_WORDS = {
    "household.joined": N_("搬进来"),
    "household.left": N_("搬出去"),
    "household.moved": N_("全户换门牌"),
    "household.head": N_("当户主"),
}


def deed_text(deed: Deed, words: dict[str, str]) -> str:
    known = words.get(deed.verb)
    if known is None:
        return _("其他")
    field = FIELD_NAMES.get(str(deed.facts.get("field", "")), "")
    return _(known, field=_(field) if field else "", purpose=str(deed.facts.get("purpose", "")))


async def _book(session: Session, book: Passbook | None, today: date, before: int) -> dict[str, Any]:
    """The page of a passbook, what it loses this year, and what keeps it from redeeming."""
    if book is None:
        return {"lines": [], "waiting": [], "expiring": 0, "older": 0, "shut": []}
    lines = await ledger.lines(book.account_id, before=before, limit=LINES)
    lapsing = await ledger.expiring(book.account_id, today=today, until=date(today.year, 12, 31))
    account = await ledger.account(None, book.account_id, today=today)
    return {
        "lines": lines,
        "waiting": await queries.waiting([book.passbook_id]),
        "expiring": sum(lot.points for lot in lapsing),
        "older": lines[-1].move_id if len(lines) == LINES else 0,
        "shut": await routes_gate.why_shut(session, account, today),
    }


async def _other_books(books: Sequence[Book]) -> dict[str, Any]:
    """Passbooks beside the main one, and what is on its way to them."""
    others = [book for book in books if book.code != MAIN]
    return {"other_books": others, "other_waiting": await queries.waiting([book.passbook_id for book in others])}


async def _books_of(session: Session, holder: Holder) -> dict[str, Any]:
    """A person's other passbooks, and the kinds of which one can be opened."""
    books = await own_books_of(holder)
    kinds = {}
    if session.may(Permission.KEEP_BOOKS) and holder.state == "member":
        kinds = await ledger_kinds.denominations(None, holder.community_id)
    known = {MAIN, *(book.code for book in books)}
    new = [(code, kind.name) for code, kind in kinds.items() if code not in known]
    return {**await _other_books(books), "new_kinds": new}


# After showing a field the address is that of the form: whoever changes the type size there comes back to the person.
@get(["/people/{person_id:int}", "/people/{person_id:int}/show"], guards=SEES)
async def person_page(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    person = await details.person_page(session.community_ids, person_id, clock.now())
    view = person.view
    ids = await people.ids_of(None, view.person_id)
    holder = await people.holder_of(None, view.person_id)
    book = await ledger.passbook_of(person_id=view.person_id, household_id=view.household_id, holder=holder.kind)
    seen = request.query_params.get("view", VIEWS[0])
    before = forms.number(request.query_params.get("before", "")) or ledger.FIRST_PAGE
    deeds = await own.history(view.person_id)
    may_manage = session.may(Permission.MANAGE_STAFF)
    words = DEED_WORDS | (STAFF_DEEDS if may_manage else {})
    attended = await events.attended(ids, ATTENDED)
    return page(
        "people/person.html",
        person=person,
        form=forms.blank(),
        fields=[(name, _(FIELD_NAMES[name])) for name in details.SHOWN_FIELDS if name != "door" or person.has_door],
        passbook=book,
        of=book or await ledger_kinds.main(None, holder.community_id),
        is_shared=book is not None and book.household_id is not None,
        seen=seen if seen in VIEWS else VIEWS[0],
        minutes=await events.minutes_of(ids),
        attended=attended,
        orders=await queries_people.orders(ids),
        consents=await own.consents(view.person_id),
        tags=await own.tags_of(view.person_id),
        consent_words={name: _(said) for name, said in CONSENT_WORDS.items()},
        requests=[one for one in await own.requests_of(view.person_id) if one.state == "open"],
        merges=await own.merges_into(view.person_id),
        **await _books_of(session, holder),
        waiting_like=await own.waiting_like(view.person_id) if view.state == "member" else [],
        roles=[(_(ROLE_NAMES[Role(one.role)]), one.place) for one in await queries_people.grants(view.person_id)]
        if may_manage
        else [],
        deeds=[(deed_text(deed, words), deed) for deed in deeds if may_manage or deed.verb not in STAFF_DEEDS][:DEEDS],
        looks=len(own.looks(deeds)),
        may_register=session.may(Permission.REGISTER_PEOPLE),
        phones=await queries_phones.phones_of(view.person_id) if session.may(Permission.REGISTER_PEOPLE) else [],
        may_settle=session.may(Permission.SETTLE_PEOPLE),
        may_make_cases=session.may(Permission.MAKE_CASES),
        may_move_points=session.may(Permission.MOVE_POINTS),
        may_print=session.may(Permission.PRINT_PASSBOOKS),
        may_open_books=session.may(Permission.OPEN_BOOKS),
        may_manage=may_manage,
        **await _book(session, book, local_day(clock.now()), before),
    )


@get("/members/{person_id:int}", guards=SEES)
async def member(person_id: FromPath[int], session: NamedDependency[Session]) -> Redirect:
    """Where a person's points once had a page of their own."""
    view = await people.member_view(session.community_ids, person_id)
    return Redirect(f"/people/{view.person_id}", status_code=303)


@get(["/people/households/{household_id:int}", "/people/households/{household_id:int}/show"], guards=SEES)
async def household_page(
    household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    home = await homes.household(session.community_ids, household_id)
    is_shared = home.holder == "household"
    book = None
    if is_shared:
        book = await ledger.passbook_of(person_id=0, household_id=household_id, holder="household")
    before = forms.number(request.query_params.get("before", "")) or ledger.FIRST_PAGE
    changes = await homes.changes(household_id)
    known = [one for change in changes for one in (*change.person_ids, change.by) if one is not None]
    return page(
        "people/household.html",
        home=home,
        is_shared=is_shared,
        passbook=book,
        of=book or await ledger_kinds.main(None, home.community_id),
        number=codes.shown_member_number(book.number) if book is not None else "",
        changes=[(_(CHANGE_WORDS[change.verb]), change) for change in changes],
        names=await people.masked_names(known),
        form=forms.blank(),
        may_register=session.may(Permission.REGISTER_PEOPLE),
        may_settle=session.may(Permission.SETTLE_PEOPLE),
        may_print=session.may(Permission.PRINT_PASSBOOKS),
        may_make_cases=session.may(Permission.MAKE_CASES),
        may_open_books=session.may(Permission.OPEN_BOOKS),
        **await _other_books(await ledger_kinds.books_of(person_id=0, household_id=household_id)),
        **await _book(session, book, local_day(clock.now()), before),
    )


handlers: list[Any] = [person_page, member, household_page]

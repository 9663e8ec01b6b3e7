"""The roster for staff: finding somebody, one person's page, door registration, cards, pairing, settling."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import codes, db, text
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.people import actions, actions_cards, actions_phones, attempts, queries, roster
from pointsbank.people import queries_filters as narrowing
from pointsbank.people import queries_roster as details
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, SearchForm, found_in, key_of, search_of, to
from pointsbank.people.rules import DOOR_LENGTH_MAX, NAME_LENGTH_MAX, WrongPairing
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

PAGES_MAX = 10_000


class RegisterForm(msgspec.Struct):
    request_key: str
    name: Annotated[str, Meta(title="姓名", max_length=NAME_LENGTH_MAX)]
    building: Annotated[int, Meta(title="楼栋")]
    door: Annotated[str, Meta(title="门牌", max_length=DOOR_LENGTH_MAX)]
    phone: Annotated[str, Meta(title="手机号", max_length=30)] = ""
    publication: bool = False


# What each filter is called, what it says when nothing is chosen, and its values as queries_filters.CHOICES has them.
ANY = N_("不限")
FILTER_WORDS = {
    "card": (N_("积分卡"), ANY, (("yes", N_("有卡")), ("no", N_("没有卡")))),
    "phone": (N_("手机"), ANY, (("yes", N_("留了手机号")), ("no", N_("没留手机号")), ("paired", N_("已配手机")))),
    "home": (N_("家庭"), ANY, (("shared", N_("家里不止一人")), ("single", N_("独自一户")))),
    "consent": (N_("公示姓名"), ANY, (("yes", N_("同意写遮住的姓名")), ("no", N_("只写存折号")))),
    "state": (N_("状态"), N_("在册"), (("left", N_("已退出")),)),
    "sort": (N_("排序"), N_("按门牌"), (("name", N_("按姓名")),)),
}


class FindForm(SearchForm):
    page: Annotated[int, Meta(ge=1, le=PAGES_MAX)] = 1


class FindWaitingForm(SearchForm):
    """`of`: who waits, and whose other self is looked for."""

    of: int = 0


class ScanForm(msgspec.Struct):
    code: Annotated[str, Meta(title="卡号", max_length=codes.SCAN_LENGTH_MAX)]


class PairForm(msgspec.Struct):
    request_key: str
    digits: Annotated[str, Meta(title="手机上的 8 位数字", max_length=20)]


def own_community(session: Session) -> int:
    """The community whose roster this is; wider roles have none."""
    if session.community_id is None:
        raise NotFound
    return session.community_id


# A reader who changes the type size after a search is sent back to the address he searched at: he finds the plain list.
@get(["/people", "/people/find"], guards=[needs(Permission.SEE_PEOPLE)])
async def people_page(request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    number = forms.number(request.query_params.get("page", "1")) or 1
    filters = narrowing.filters_of(request.query_params)
    return await _people_page(session, "", filters, min(number, PAGES_MAX))


@post("/people/find", guards=[needs(Permission.SEE_PEOPLE)])
async def find_people(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    """A name comes in the body; filters alone may stand in an address."""
    form = await forms.read(request, FindForm)
    sought = found_in(form)
    filters = narrowing.filters_of(form.typed)
    if not sought.q:
        return to(filters.url("/people"))
    return await _people_page(session, sought.q, filters, sought.page)


async def _people_page(
    session: Session, query: str, filters: narrowing.Filters, number: int, form: Any = None
) -> Response[str]:
    community_id = own_community(session)
    places = await narrowing.places(community_id)
    start = (number - 1) * roster.PAGE_MAX
    if filters.state == "left":
        found, members = await narrowing.left(community_id, start=start, limit=roster.PAGE_MAX)
    else:
        among = await narrowing.fitting(community_id, filters, places)
        everybody = await roster.find(community_id, query, among=among, by_name=filters.sort == "name")
        found, members = len(everybody), everybody[start : start + roster.PAGE_MAX]
    return page(
        "people/roster.html",
        status=200 if form is None else 400,
        members=members,
        cards=await narrowing.card_states([one.person_id for one in members]),
        found=found,
        query=query,
        filters=filters,
        choices={
            name: (_(label), [("", _(empty)), *((value, _(said)) for value, said in values)])
            for name, (label, empty, values) in FILTER_WORDS.items()
        },
        places=[(one.id, one.name) for one in places],
        number=number,
        pages=max(1, -(-found // roster.PAGE_MAX)),
        people=await roster.count(community_id),
        permissions=session.permissions,
        form=form or forms.blank(),
    )


@post("/people/scan", guards=[needs(Permission.SEE_PEOPLE)])
async def find_by_card(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    """From a scanned card to its person or household; nothing is used up."""
    form = await forms.read(request, ScanForm)
    try:
        if form.is_valid:
            with attempts.scanning(session.person_id, clock.now()):
                return to(await queries.page_of_card(session.community_ids, form.value.code))
    except Refusal as refusal:
        form.refuse("code", refusal)
    form.typed.pop("code", None)  # a payment code that was scanned by mistake is not shown again
    return await _people_page(session, "", narrowing.Filters(), 1, form)


# One person; the page itself looks across rooms, so reports draws it


@post("/people/{person_id:int}/phones/unbind", guards=[needs(Permission.REGISTER_PEOPLE)])
async def unbind_phones(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    await db.write(actions_phones.unbind_phones, actor=session.actor, request_key=request_key, person_id=view.person_id)
    return to(f"/people/{view.person_id}")


# Registration at the door


@get("/people/new", guards=[needs(Permission.REGISTER_PEOPLE)])
async def registration_page(session: NamedDependency[Session]) -> Response[str]:
    return await _registration_page(session, forms.blank())


async def _registration_page(session: Session, form: forms.Filled[RegisterForm], status: int = 200) -> Response[str]:
    buildings = await queries.buildings(own_community(session))
    return page("people/register.html", status=status, form=form, buildings=[(one.id, one.name) for one in buildings])


@post("/people/new", guards=[needs(Permission.REGISTER_PEOPLE)])
async def register(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    community_id = own_community(session)
    form = await forms.read(request, RegisterForm)
    name, door, phone = _checked(form)
    known = {one.id for one in await queries.buildings(community_id)}
    if form.is_valid and form.value.building not in known:
        form.refuse("building", _("请选择楼栋"))
    if not form.is_valid:
        return await _registration_page(session, form, 400)
    try:
        person_id = await db.write(
            actions.register_at_door,
            actor=session.actor,
            request_key=form.value.request_key,
            community_id=community_id,
            building_id=form.value.building,
            door=door,
            name=name,
            phone=phone or None,
            consent_publication=form.value.publication,
        )
    except Refusal as refusal:
        form.refuse("name", refusal)
        return await _registration_page(session, form, refusal.kind.status)
    return to(f"/people/{person_id}")


def _checked(form: forms.Filled[RegisterForm]) -> tuple[str, str, str]:
    """Name, door and phone as they are stored; what is wrong with them is said at the fields."""
    name, door = _cleaned(form, "name"), _cleaned(form, "door")
    phone = text.normal_phone(form.typed.get("phone", ""))
    if phone and not text.phone_ok(phone):
        form.refuse("phone", _("手机号要 11 位，请检查；没有手机就空着"))
    return name, door, phone


def _cleaned(form: forms.Filled[RegisterForm], field: str) -> str:
    try:
        return text.clean(form.typed.get(field, ""))
    except text.BadText as bad:
        form.refuse(field, _(str(bad)))
        return ""


# Pairing a phone that stands before staff


@get("/people/{person_id:int}/pair", guards=[needs(Permission.REGISTER_PEOPLE)])
async def pairing_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    view = await queries.member_view(session.community_ids, person_id)
    return page("people/pair_staff.html", member=view, form=forms.blank())


@post("/people/{person_id:int}/pair", guards=[needs(Permission.REGISTER_PEOPLE)])
async def pair(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, PairForm)
    view = await queries.member_view(session.community_ids, person_id)
    try:
        if form.is_valid:
            attempts.pairings.check(session.person_id, clock.now())
            digits = actions_phones.pairing_digest(text.normal_digits(form.value.digits))
            await db.write(
                actions_phones.finish_pairing,
                actor=session.actor,
                request_key=form.value.request_key,
                digits=digits,
                person_id=view.person_id,
            )
            return to(f"/people/{view.person_id}")
    except Refusal as refusal:
        if isinstance(refusal, WrongPairing):
            attempts.pairings.count(session.person_id, clock.now())
        form.refuse("digits", refusal)
    return page("people/pair_staff.html", status=400, member=view, form=form)


# Cards


@post("/people/{person_id:int}/card", guards=[needs(Permission.REGISTER_PEOPLE)])
async def issue_card(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """A new card; the one before is dead from now on."""
    request_key = await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    await db.write(actions_cards.issue_card, actor=session.actor, request_key=request_key, person_id=view.person_id)
    return to(f"/people/{view.person_id}#cards")


@post("/people/{person_id:int}/card/replace-lost", guards=[needs(Permission.REGISTER_PEOPLE)])
async def replace_lost_card(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Redirect:
    """Report the card lost and give a new one, in one step; what is found again stays dead."""
    request_key = await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    await db.write(
        actions_cards.issue_card,
        actor=session.actor,
        request_key=request_key,
        person_id=view.person_id,
        is_lost=True,
    )
    return to(f"/people/{view.person_id}#cards")


@post("/people/{person_id:int}/card/lost", guards=[needs(Permission.REGISTER_PEOPLE)])
async def report_lost(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    await db.write(actions_cards.report_lost, actor=session.actor, request_key=request_key, person_id=view.person_id)
    return to(f"/people/{view.person_id}#cards")


# Who waits to be settled; governance carries the decision out


@get(["/people/provisional", "/people/provisional/find"], guards=[needs(Permission.SETTLE_PEOPLE)])
async def provisional_page(session: NamedDependency[Session]) -> Response[str]:
    waiting = await details.provisional_queue(session.community_ids)
    return page("people/provisional.html", waiting=waiting, of=0, query="", found=[])


@post("/people/provisional/find", guards=[needs(Permission.SETTLE_PEOPLE)])
async def find_waiting(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    """The queue, and for one who waits the members that neither phone nor name brought up."""
    sought = await search_of(request, FindWaitingForm)
    if not sought.q:
        return to("/people/provisional")
    found = await roster.search(own_community(session), sought.q, limit=details.CANDIDATES_MAX)
    waiting = await details.provisional_queue(session.community_ids)
    return page("people/provisional.html", waiting=waiting, of=sought.of, query=sought.q, found=found)


handlers = [
    people_page,
    find_people,
    find_by_card,
    unbind_phones,
    registration_page,
    register,
    pairing_page,
    pair,
    issue_card,
    replace_lost_card,
    report_lost,
    provisional_page,
    find_waiting,
]

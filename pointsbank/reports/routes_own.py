"""A resident's own data from all rooms: on the page, or as a file to keep."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from msgspec import Meta

from pointsbank.awards import queries_cases as cases
from pointsbank.awards.rules import STATE_WORDS, State
from pointsbank.awards.rules_cases import STEP_WORDS
from pointsbank.events import queries as events
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import routes as ledger_pages
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.routes_statement import own_books
from pointsbank.people import queries as people
from pointsbank.people import queries_homes as homes
from pointsbank.people import queries_own as own
from pointsbank.people import queries_roster as details
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.attempts import Tries
from pointsbank.people.queries_own import OwnData
from pointsbank.people.routes_person import CONSENT_WORDS, FIELD_NAMES
from pointsbank.people.routes_requests import STATE_WORDS as STATE_WORDS_OF_REQUESTS
from pointsbank.people.routes_requests import kind_of
from pointsbank.people.rules import NotBound, NotYou
from pointsbank.reports import queries_people
from pointsbank.web import formats, forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, amount, locale_now
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
EVERYTHING = 10_000
FILE = "pointsbank-my-data.txt"
MARK = "\ufeff"  # so that Windows reads the file as what it is

Rows = list[tuple[str, str]]
Section = tuple[str, Rows, bool]  # title, words with values, and whether the words are moments of a list
confirmations = Tries(10, timedelta(minutes=15))

PURPOSES = {"service": N_("记积分"), "publication": N_("公示遮住的姓名"), "tags": N_("记标签")}
SEX_WORDS = {"f": N_("女"), "m": N_("男")}
CARD_WORDS = {"live": N_("正常"), "lost": N_("已挂失"), "replaced": N_("已换新")}
ATTENDED_WORDS = {"open": N_("待核对"), "confirmed": N_("已核对")}


class ConfirmForm(msgspec.Struct):
    """No key: nothing changes."""

    who: Annotated[str, Meta(title="姓名或手机号", max_length=60)]
    form: Annotated[Literal["page", "file"], Meta(title="怎么看")] = "page"


def _when(moment: datetime) -> str:
    """For a file that is kept for years."""
    return f"{formats.iso_day(moment)} {formats.clock(moment)}"


@get("/me/data", guards=[needs(Permission.OWN)])
async def data_page(session: NamedDependency[Session]) -> Response[str]:
    may_see = not session.is_provisional and await own.is_bound(session.device_id)
    return page("reports/own_data.html", may_see=may_see, sections=None, form=forms.blank())


@post("/me/data", guards=[needs(Permission.OWN)])
async def own_copy(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Response[bytes]:
    """Everything, to whoever holds an activated phone of the member and says once more who it is. Kept nowhere."""
    form = await forms.read(request, ConfirmForm)
    may_see = not session.is_provisional and await own.is_bound(session.device_id)
    try:
        if not may_see:
            raise NotBound
        if form.is_valid:
            data = await _confirmed(session, form.value.who, clock)
            sections = await _sections(session, data, clock)
            if form.value.form == "file":
                return _file(sections)
            return page("reports/own_data.html", may_see=True, sections=sections, form=form)
    except Refusal as refusal:
        form.refuse("who", refusal)
    return page("reports/own_data.html", status=400, may_see=may_see, sections=None, form=form)


async def _confirmed(session: Session, typed: str, clock: Clock) -> OwnData:
    """Tries count against the phone: nobody locks the member out elsewhere."""
    confirmations.check(session.device_id, clock.now())
    data = await own.own_data(session.person_id)
    if not own.knows(data, typed):
        confirmations.count(session.device_id, clock.now())
        raise NotYou
    return data


def _file(sections: list[Section]) -> Response[bytes]:
    lines = [
        line for title, rows, _is_list in sections for line in (f"【{title}】", *(f"{a}：{b}" for a, b in rows), "")
    ]
    return Response(
        (MARK + "\r\n".join(lines)).encode(),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{FILE}"', "Cache-Control": "no-store"},
    )


async def _sections(session: Session, data: OwnData, clock: Clock) -> list[Section]:
    ids = await people.ids_of(None, session.person_id)
    cards = await _cards(session, clock)
    phones = [(_when(when), _("已配手机")) for when in data.phones]
    return [
        (_("我"), _who(data), False),
        (_("家庭"), await _home(session, data), False),
        (_("同意"), await _consents(session.person_id), True),
        (_("积分卡和手机"), [*cards, *phones], True),
        (_("参加的活动"), await _attended(ids), True),
        (_("积分"), await _awards(ids), True),
        (_("劝导与扣分"), await _letters(session.person_id), True),
        (_("存折"), await _passbook(session), True),
        (_("兑换"), await _orders(ids), True),
        (_("申请"), await _requests(session.person_id), True),
        (_("谁看过我的信息"), await _looks(session.person_id), True),
    ]


def _who(data: OwnData) -> Rows:
    nothing = _("没有登记")
    return [
        (_("姓名"), data.name),
        (_("存折号"), data.member_number),
        (_("手机"), data.phone or nothing),
        (_("身份证"), _("尾号 {digits}", digits=data.id_last4) if data.id_last4 else nothing),
        (_("出生年"), str(data.birth_year or nothing)),
        (_("性别"), _(SEX_WORDS[data.sex]) if data.sex else nothing),
        (_("标签"), "，".join(data.tags) or nothing),
        (_("登记"), _when(data.made_at)),
    ]


async def _home(session: Session, data: OwnData) -> Rows:
    mates = [] if data.household_id is None else await homes.members(data.household_id)
    others = [one.masked_name for one in mates if one.person_id != session.person_id]
    return [
        (_("楼栋"), data.building or _("没有登记")),
        (_("门牌"), data.door or _("没有登记")),
        (_("户主"), _("是") if data.is_head else _("不是")),
        (_("家里的人"), "，".join(others) or _("没有别的成员")),
    ]


async def _consents(person_id: int) -> Rows:
    said = []
    for one in await own.consents(person_id):
        how = _(CONSENT_WORDS[one.how]) if one.how else ""
        lines = [_("{when} 同意 {how}", when=_when(one.given_at), how=how)]
        if one.withdrawn_at is not None:
            how = _(CONSENT_WORDS[one.withdrawn_how]) if one.withdrawn_how else ""
            lines.append(_("{when} 收回 {how}", when=_when(one.withdrawn_at), how=how))
        said.append(("；".join(line.strip() for line in lines), _(PURPOSES[one.purpose])))
    return said


async def _cards(session: Session, clock: Clock) -> Rows:
    person = await details.person_page(session.community_ids, session.person_id, clock.now())
    return [
        (_when(card.issued_at), f"{_('第 {n} 张卡', n=card.generation)} {_(CARD_WORDS[card.state])}")
        for card in person.cards
    ]


async def _attended(ids: list[int]) -> Rows:
    english = locale_now() == "en"
    return [
        (
            _when(one.in_at),
            f"{one.title} {_(ATTENDED_WORDS[one.state])} "
            + (formats.minutes(one.minutes, english=english) if one.minutes is not None else ""),
        )
        for one in await events.attended(ids, EVERYTHING)
    ]


async def _awards(ids: list[int]) -> Rows:
    return [
        (_when(one.began_at), f"{one.what} {amount(one.points, one)} {_(STATE_WORDS[State(one.state)])}")
        for one in await queries_people.awards(ids, EVERYTHING)
    ]


async def _letters(person_id: int) -> Rows:
    return [
        (formats.iso_day(case.found_on), f"{case.what} {_(STEP_WORDS[case.step])} {_(case.state_word)}")
        for case in await cases.letters_to(person_id, since=date.min)
        if case.step is not None
    ]


async def _passbook(session: Session) -> Rows:
    """All lines of each passbook, the newest first, with the balance on top."""
    return [row for book in await own_books(session) for row in await _lines(book)]


async def _lines(book: Book) -> Rows:
    said = [(_("余额"), f"{_(book.name)} {amount(book.balance, book)}")]
    before = ledger.FIRST_PAGE
    while lines := await ledger.lines(book.account_id, before=before, limit=ledger.LINES_MAX):
        said += [
            (
                _when(line.booked_at),
                f"{ledger_pages.title_of(line)} {formats.signed(line.points, book.decimals)} "
                + _("余 {points}", points=formats.points(line.balance_after, book.decimals)),
            )
            for line in lines
        ]
        before = lines[-1].move_id
    return said


async def _orders(ids: list[int]) -> Rows:
    return [
        (_when(one.made_at), f"{one.what} {formats.points(one.points)} {_('已撤销') if one.state == 'undone' else ''}")
        for one in await queries_people.orders(ids, EVERYTHING)
    ]


async def _requests(person_id: int) -> Rows:
    return [
        (_when(one.made_at), f"{kind_of(one)} {_(STATE_WORDS_OF_REQUESTS[one.state])} {one.answer}")
        for one in await own.requests_of(person_id)
    ]


async def _looks(person_id: int) -> Rows:
    said = []
    for look in own.looks(await own.history(person_id)):
        what = _(FIELD_NAMES[look.what]) if look.what in FIELD_NAMES else _("积分卡")
        said.append((_when(look.at), f"{look.by} {what} {look.purpose}"))
    return said


handlers: list[Any] = [data_page, own_copy]

"""Pages on which an admin decides about people: side by side, a wrong merge, moving house, leaving."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import queries as awards
from pointsbank.awards.rules import STATE_WORDS, State
from pointsbank.events import queries as events
from pointsbank.governance import actions_people, queries, queries_moving
from pointsbank.governance.routes_estates import member_here
from pointsbank.governance.rules import ANSWER_LETTERS_MAX
from pointsbank.kit import db, text
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import POINTS_MAX, NotEnoughPoints
from pointsbank.people import queries as people
from pointsbank.people import queries_homes as homes
from pointsbank.people import queries_own as own
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.people.rules import DOOR_LENGTH_MAX
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
SETTLES = [needs(Permission.SETTLE_PEOPLE)]
PERSON = "/governance/people/{person_id:int}"
MERGE = "/governance/merges/{merge_id:int}"

REASONS = {
    "moved": N_("搬家"),
    "split": N_("分家、结婚"),
    "wrong": N_("原来登记错了"),
    "other": N_("其他"),
}
WAYS = {"in_person": N_("当面说的"), "paper": N_("签了纸"), "call": N_("打电话说的"), "own_phone": N_("手机上申请的")}


class SeparateForm(msgspec.Struct):
    request_key: str
    reason: Annotated[str, Meta(title="为什么拆开", min_length=2, max_length=ANSWER_LETTERS_MAX)]


class MoveForm(msgspec.Struct):
    """Who moves with the person is `together`; `door` is a number behind which somebody may live already.

    `share` is what goes along of a passbook that is shared with whoever stays.
    """

    request_key: str
    building: Annotated[int, Meta(title="楼栋")]
    door: Annotated[str, Meta(title="门牌", max_length=DOOR_LENGTH_MAX)]
    reason: Annotated[Literal["moved", "split", "wrong", "other"], Meta(title="原因")]
    together: Annotated[list[int], Meta(title="一起搬的人")] = []
    share: Annotated[int, Meta(title=N_("带走多少积分"), ge=0, le=POINTS_MAX)] = 0


class LeaveForm(msgspec.Struct):
    """`points` is what the page said is given up with `give_up`."""

    request_key: str
    how: Annotated[Literal["in_person", "paper", "call", "own_phone"], Meta(title="本人怎么说的")]
    answer: Annotated[str, Meta(title="办理说明", min_length=2, max_length=ANSWER_LETTERS_MAX)]
    points: Annotated[int, Meta(ge=0)] = 0
    give_up: bool = False


def _to(url: str) -> Redirect:
    return Redirect(url, status_code=303)


def _community(session: Session) -> int:
    if session.community_id is None:
        raise NotFound
    return session.community_id


# Side by side, before a merge


@get("/governance/provisional/{person_id:int}", guards=SETTLES)
async def side_by_side(
    person_id: FromPath[int], session: NamedDependency[Session], same_as: FromQuery[int]
) -> Response[str]:
    one, other = [await people.member_view(session.community_ids, each) for each in (person_id, same_as)]
    if one.state != "provisional" or other.state != "member":
        raise NotFound
    typed, known = [await own.own_data(each.person_id) for each in (one, other)]
    return page(
        "governance/side_by_side.html",
        one=one,
        other=other,
        made_at=(typed.made_at, known.made_at),
        birth_year=known.birth_year,
        came=[len(await events.attended(await people.ids_of(None, each.person_id), 50)) for each in (one, other)],
        same_name=typed.name == known.name,
        same_phone=bool(typed.phone) and typed.phone == known.phone,
        may_take=[
            *([("name", _("用新登记的姓名"))] if typed.name != known.name else []),
            *([("phone", _("用新登记的手机号"))] if typed.phone and typed.phone != known.phone else []),
        ],
        form=forms.blank(),
    )


# A wrong merge


@get(MERGE, guards=SETTLES)
async def merge_page(merge_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _merge_page(session, merge_id, forms.blank())


async def _merge_page(
    session: Session, merge_id: int, form: forms.Filled[SeparateForm], status: int = 200
) -> Response[str]:
    """What parting will do, and afterwards what is left for staff to set right."""
    merge = await own.merge(session.community_ids, merge_id)
    other = await people.member_view(session.community_ids, merge.into_id)
    made = await awards.of_acts(None, "events", "attendance", await events.attendance_ids(None, merge.person_id))
    moved = await flows.merged_from(merge.person_id)
    own_books = {voucher.from_id for voucher in moved}  # what came to these goes back with the entries of the merge
    made = [credit for credit in made if credit.state != State.SETTLED or credit.passbook_id not in own_books]
    theirs = [credit for credit in made if await people.canonical_id(None, credit.person_id) == other.person_id]
    moved = [voucher for voucher in moved if not (await flows.entry(None, voucher.entry_id or 0)).is_reversed]
    names = await people.masked_names(who for who in (merge.merged_by, merge.separated_by) if who is not None)
    ids = sorted({merge.person_id, *await people.ids_of(None, merge.into_id)})
    return page(
        "governance/merge.html",
        status=status,
        merge=merge,
        other=other,
        merged_by=names.get(merge.merged_by or 0, ""),
        separated_by=names.get(merge.separated_by or 0, ""),
        is_own=session.person_id in (merge.merged_by, await queries.who_asked(None, merge.person_id, merge.into_id)),
        booked=[credit for credit in theirs if credit.state == State.SETTLED and credit.points],
        waiting=[credit for credit in theirs if credit.state in (State.PENDING, State.NOTICED, State.DISPUTED)],
        states={state: _(said) for state, said in STATE_WORDS.items()},
        moved=moved,
        written=await kinds.denominations_of(voucher.to_id for voucher in moved if voucher.to_id is not None),
        struck=await events.struck_at(ids, merge.merged_at),
        form=form,
    )


@post(MERGE, guards=SETTLES)
async def separate(
    merge_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, SeparateForm)
    await own.merge(session.community_ids, merge_id)
    if not form.is_valid:
        return await _merge_page(session, merge_id, form, 400)
    try:
        await db.write(
            actions_people.separate,
            actor=session.actor,
            request_key=form.value.request_key,
            merge_id=merge_id,
            reason=form.value.reason,
        )
    except Refusal as refusal:
        form.refuse("reason", refusal)
        return await _merge_page(session, merge_id, form, refusal.kind.status)
    return _to(f"/governance/merges/{merge_id}")


# Moving house


@get([f"{PERSON}/move", f"{PERSON}/move/check"], guards=SETTLES)
async def move_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _move_page(session, await member_here(session, person_id), forms.blank())


async def _move_page(
    session: Session, view: MemberView, form: forms.Filled[MoveForm], status: int = 200
) -> Response[str]:
    mates = [] if view.household_id is None else await homes.members(view.household_id)
    holder = await people.holder_of(None, view.person_id)
    shared = None
    if holder.kind == "household" and view.household_id is not None:
        shared = await ledger.passbook_of(person_id=0, household_id=view.household_id, holder=holder.kind)
    return page(
        "governance/move.html",
        status=status,
        shared=shared,
        member=view,
        mates=[(one.person_id, one.masked_name) for one in mates if one.person_id != view.person_id],
        buildings=[(one.id, one.name) for one in await people.buildings(_community(session))],
        reasons=[(name, _(said)) for name, said in REASONS.items()],
        form=form,
    )


async def _read_move(request: AnyRequest, session: Session) -> tuple[forms.Filled[MoveForm], str]:
    form = await forms.read(request, MoveForm)
    door = ""
    try:
        door = text.clean(form.typed.get("door", ""))
    except text.BadText as bad:
        form.refuse("door", _(str(bad)))
    if form.is_valid and form.value.building not in {one.id for one in await people.buildings(_community(session))}:
        form.refuse("building", _("请选择楼栋"))
    return form, door


@post(f"{PERSON}/move/check", guards=SETTLES)
async def check_move(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """What the move means for the passbooks, told before it is done."""
    form, door = await _read_move(request, session)
    view = await member_here(session, person_id)
    if not form.is_valid:
        return await _move_page(session, view, form, 400)
    asked = form.value
    mates = [] if view.household_id is None else await homes.members(view.household_id)
    moving = [one for one in mates if one.person_id in {view.person_id, *asked.together}]
    target_id = await homes.household_at(None, asked.building, door)
    holder = await people.holder_of(None, view.person_id)
    book = await ledger.passbook_of(person_id=view.person_id, household_id=view.household_id, holder=holder.kind)
    staying = [one for one in mates if one not in moving]
    if staying and asked.share > (book.balance if book is not None and holder.kind == "household" else 0):
        form.refuse("share", _("带走的积分不能比存折上的多"))
        return await _move_page(session, view, form, 400)
    stays_household = target_id is None and view.household_id is not None and len(moving) == len(mates)
    return page(
        "governance/move_check.html",
        member=view,
        moving=moving,
        staying=staying,
        target=None if target_id is None else await homes.household(session.community_ids, target_id),
        stays_household=stays_household,
        building=next(one.name for one in await people.buildings(_community(session)) if one.id == asked.building),
        door=door,
        asked=asked,
        reason=_(REASONS[asked.reason]),
        is_shared=holder.kind == "household",
        had_home=view.household_id is not None,
        books=await queries_moving.books_of_move(
            holder,
            [one.person_id for one in moving] or [view.person_id],
            stays_household=stays_household,
            is_last=not staying,
            share=asked.share,
        ),
        names={one.person_id: one.masked_name for one in moving},
    )


@post(f"{PERSON}/move", guards=SETTLES)
async def move(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form, door = await _read_move(request, session)
    view = await member_here(session, person_id)
    if not form.is_valid:
        return await _move_page(session, view, form, 400)
    asked = form.value
    try:
        moved = await db.write(
            actions_people.move,
            actor=session.actor,
            request_key=asked.request_key,
            community_id=_community(session),
            person_ids=sorted({view.person_id, *asked.together}),
            building_id=asked.building,
            door=door,
            reason=asked.reason,
            share=asked.share,
        )
    except Refusal as refusal:
        form.refuse("share" if isinstance(refusal, NotEnoughPoints) else "door", refusal)
        return await _move_page(session, view, form, refusal.kind.status)
    return _to(f"/people/households/{moved.household_id}")


# Leaving


@get(f"{PERSON}/leave", guards=SETTLES)
async def leave_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _leave_page(session, await member_here(session, person_id), forms.blank())


async def _leave_page(
    session: Session, view: MemberView, form: forms.Filled[LeaveForm], status: int = 200
) -> Response[str]:
    holder = await people.holder_of(None, view.person_id)
    mates = [] if view.household_id is None else await people.household_members(None, view.household_id)
    ending = await queries.books_that_end(None, holder)
    waiting = [one for book in ending for one in await awards.waiting_in(None, book.passbook_id)]
    return page(
        "governance/leave.html",
        status=status,
        member=view,
        stays=holder.kind == "household" and len(mates) > 1,
        ending=[book for book in ending if book.balance],
        may_move_points=session.may(Permission.MOVE_POINTS),
        waiting=waiting,
        disputed=sum(credit.state == State.DISPUTED for credit in waiting),
        ways=[(name, _(said)) for name, said in WAYS.items()],
        is_own=view.person_id == session.person_id,
        form=form,
    )


@post(f"{PERSON}/leave", guards=SETTLES)
async def leave(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, LeaveForm)
    view = await people.member_view(session.community_ids, person_id)
    if view.state == "left":  # the button was pressed twice
        return _to(f"/people/{view.person_id}")
    view = await member_here(session, person_id)
    if not form.is_valid:
        return await _leave_page(session, view, form, 400)
    asked = form.value
    try:
        await db.write(
            actions_people.leave,
            actor=session.actor,
            request_key=asked.request_key,
            person_id=view.person_id,
            how=asked.how,
            points_given_up=asked.points if asked.give_up else 0,
            answer=asked.answer,
        )
    except Refusal as refusal:
        form.refuse("give_up", refusal)
        return await _leave_page(session, view, form, refusal.kind.status)
    return _to(f"/people/{view.person_id}")


handlers = [side_by_side, merge_page, separate, move_page, check_move, move, leave_page, leave]

"""Organisers' pages before and around an activity: plan, check, publish, projector."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.events import actions, queries, rules
from pointsbank.events import actions_attendance as attendance
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.kit import codes, db
from pointsbank.kit.clock import ZONE, Clock, local_day
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import NoTableInForce
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

RUNS = [needs(Permission.RUN_EVENTS)]
SCREEN_BOX = 16


class ActivityForm(msgspec.Struct):
    request_key: str
    title: Annotated[str, msgspec.Meta(title="名称", max_length=rules.TITLE_LENGTH_MAX)]
    day: Annotated[date, msgspec.Meta(title="日期")]
    starts: Annotated[time, msgspec.Meta(title="开始时间")]
    ends: Annotated[time, msgspec.Meta(title="结束时间")]
    venue: Annotated[str, msgspec.Meta(title="地点", max_length=rules.VENUE_LENGTH_MAX)]
    item_code: Annotated[str, msgspec.Meta(title="积分项目", max_length=10)]
    contact: Annotated[str, msgspec.Meta(title="联系人", max_length=rules.CONTACT_LENGTH_MAX)]
    seats: Annotated[int, msgspec.Meta(title="名额", ge=1, le=rules.SEATS_MAX)] | None = None

    def facts(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "venue": self.venue,
            "item_code": self.item_code,
            "contact": self.contact,
            "starts_at": datetime.combine(self.day, self.starts, ZONE).astimezone(UTC),
            "ends_at": datetime.combine(self.day, self.ends, ZONE).astimezone(UTC),
            "seats": self.seats,
        }


# Which field a refusal of the whole form belongs to.
FIELDS = {rules.BadPlan: "ends", rules.NotAnEventItem: "item_code", NoTableInForce: "day", rules.BadActivity: "title"}


@get("/events/new", guards=RUNS)
async def new_form(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """Empty, or filled after an earlier activity but for its day."""
    community_id = pieces.own_community(session)
    wanted = request.query_params.get("copy", "")
    source = None
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= forms.DIGITS_MAX:
        source = await queries.activity(int(wanted), session.community_ids)
    form = forms.blank() if source is None else _typed(source, with_day=False)
    return await _form_page(form, community_id, session, clock.now(), source=source)


@post("/events/new", guards=RUNS)
async def create(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[Any]:
    community_id = pieces.own_community(session)
    filled = await forms.read(request, ActivityForm)
    if filled.is_valid:
        key = filled.value.request_key
        facts = filled.value.facts()
        try:
            activity_id = await db.write(
                actions.create, actor=session.actor, request_key=key, community_id=community_id, **facts
            )
        except Refusal as refused:
            _put(filled, refused)
        else:
            return Redirect(f"/events/{activity_id}/check", status_code=303)
    return await _form_page(filled, community_id, session, clock.now())


@get("/events/{activity_id:int}/edit", guards=RUNS)
async def edit_form(
    activity_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    if found.state != "draft":
        raise rules.NotADraft
    form = _typed(found, with_day=True)
    return await _form_page(form, found.community_id, session, clock.now(), edited=found)


@post("/events/{activity_id:int}/edit", guards=RUNS)
async def change(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, ActivityForm)
    if filled.is_valid:
        key = filled.value.request_key
        where = {"activity_id": activity_id, "community_ids": session.community_ids}
        try:
            await db.write(actions.change, actor=session.actor, request_key=key, **where, **filled.value.facts())
        except Refusal as refused:
            _put(filled, refused)
        else:
            return Redirect(f"/events/{activity_id}/check", status_code=303)
    return await _form_page(filled, found.community_id, session, clock.now(), edited=found)


def _put(filled: Filled[ActivityForm], refused: Refusal) -> None:
    """Say a refusal at its field; one that has none is no matter of this form."""
    field = next((name for kind, name in FIELDS.items() if isinstance(refused, kind)), None)
    if field is None or refused.kind is Kind.BUSY:
        raise refused
    filled.refuse(field, refused)


def _typed(activity: Activity, *, with_day: bool) -> Filled[ActivityForm]:
    starts, ends = activity.starts_at.astimezone(ZONE), activity.ends_at.astimezone(ZONE)
    return forms.blank(
        title=activity.title,
        day=starts.date() if with_day else None,
        starts=f"{starts:%H:%M}",
        ends=f"{ends:%H:%M}",
        venue=activity.venue,
        item_code=activity.item_code,
        contact=activity.contact,
        seats=activity.seats,
    )


async def _form_page(
    form: Filled[ActivityForm],
    community_id: int,
    session: Session,
    now: datetime,
    *,
    source: Activity | None = None,
    edited: Activity | None = None,
) -> Response[str]:
    items = await scoring.items_for_events(community_id, local_day(now))
    book_kinds = await kinds.denominations(None, community_id)
    last = None if edited or source else await queries.last_one(session.person_id, community_id)
    return page(
        "events/form.html",
        status=200 if form.is_valid else 400,
        form=form,
        worths=[pieces.worth_of(item, book_kinds) for item in items],
        last=last,
        source=source,
        edited=edited,
    )


@get("/events/{activity_id:int}/check", guards=RUNS)
async def check_page(activity_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """Everything once more before residents see it."""
    found = await pieces.own_activity(activity_id, session)
    if found.state != "draft":
        return page("events/check.html", activity=await pieces.shown(found), is_draft=False)
    return page("events/check.html", activity=await pieces.shown(found), is_draft=True)


@post("/events/{activity_id:int}/publish", guards=RUNS)
async def publish(activity_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    return await _do(request, actions.publish, activity_id, session)


@post("/events/{activity_id:int}/cancel", guards=RUNS)
async def cancel(activity_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    return await _do(request, actions.cancel, activity_id, session)


async def _do(request: AnyRequest, action: Any, activity_id: int, session: Session) -> Redirect:
    await pieces.own_activity(activity_id, session)
    where = {"activity_id": activity_id, "community_ids": session.community_ids}
    await db.write(action, actor=session.actor, request_key=await browser.key_of(request), **where)
    return Redirect(f"/events/{activity_id}", status_code=303)


async def _on_screen(activity_id: int, session: Session, now: datetime) -> Activity:
    """An activity whose rotating code may be shown now."""
    found = await pieces.own_activity(activity_id, session)
    if found.state == "draft":
        raise rules.NotOpenYet(title=found.title)
    if found.state == "cancelled":
        raise rules.Cancelled(title=found.title, contact=found.contact)
    if found.state == "confirmed":
        raise rules.Over(contact=found.contact)
    rules.check_open(found.plan, now, found.contact)
    return found


@get("/events/{activity_id:int}/projector", guards=RUNS)
async def projector(
    activity_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    now = clock.now()
    found = await _on_screen(activity_id, session, now)
    community = await people.community(found.community_id)
    step = codes.event_step(now)
    return page("events/projector.html", activity=await pieces.shown(found), community=community, step=step, now=now)


@get("/events/{activity_id:int}/screen.png", guards=RUNS)
async def screen_code(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """The rotating code as it is now."""
    now = clock.now()
    found = await _on_screen(activity_id, session, now)
    key = attendance.event_key(found.id)
    token = codes.event_code(key, found.id, rules.SCREEN_STATION, codes.event_step(now))
    return pieces.png(f"{browser.public_base(request, settings)}/e/{token}", level="M", box=SCREEN_BOX)


async def desk_page(session: Session, now: datetime) -> Response[str]:
    """Activities by what is to be done about them."""
    at_work = await queries.at_work(session.community_ids)
    return page(
        "events/desk.html",
        to_confirm=[one for one in at_work if one.state == "published" and one.is_over(now)],
        coming=[one for one in at_work if one.state == "published" and not one.is_over(now)],
        drafts=[one for one in at_work if one.state == "draft"],
        past=await queries.past(session.community_ids),
        may_run=session.may(Permission.RUN_EVENTS) and session.community_id is not None,
        last=None if session.community_id is None else await queries.last_one(session.person_id, session.community_id),
        now=now,
    )


async def manage_page(session: Session, activity_id: int, now: datetime) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    names = await people.masked_names([found.organiser_id])
    return page(
        "events/manage.html",
        activity=await pieces.shown(found),
        organiser=names.get(found.organiser_id, ""),
        may_run=session.may(Permission.RUN_EVENTS),
        now=now,
    )


handlers: list[Any] = [
    new_form,
    create,
    edit_form,
    change,
    check_page,
    publish,
    cancel,
    projector,
    screen_code,
]

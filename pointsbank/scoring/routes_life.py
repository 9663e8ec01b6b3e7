"""The life of a version, step by step: one page with a panel for the step it is at, each a plain form."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db, intake
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.notices import queries as notices
from pointsbank.notices.queries import NoticeView, ObjectionView
from pointsbank.notices.rules import DAYS_MAX, shown_until
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions_life, queries, queries_life, rules
from pointsbank.scoring.queries import Version
from pointsbank.scoring.queries_life import Meeting, Told
from pointsbank.scoring.routes_pieces import chip_of, readable
from pointsbank.scoring.rules_life import (
    BACK,
    PEOPLE_MAX,
    Back,
    MeetingOutOfTime,
    NoRecord,
    NoticeTooShort,
    VotesExceed,
    earliest_start,
    is_carried,
)
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

VERSION = "/scoring/versions/{version_id:int}"
DRAFTS = [needs(Permission.EDIT_SCORING)]
PUBLISHES = [needs(Permission.PUBLISH_SCORING)]
# Minutes are read on the screen and printed: a photo of a full sheet stays legible.
RECORD_SIDE_MAX, RECORD_BYTES_MAX = 2200, 1_200_000
RECORD_TYPES = {"jpeg": "image/jpeg", "pdf": "application/pdf"}
STEPS = {"draft": 1, "dropped": 1, "discussion": 2, "noticed": 3, "scheduled": 4, "in_force": 5, "retired": 5}
PRIVATE = ("draft", "discussion", "dropped")

AnyRequest = Request[Any, Any, Any]
Count = Annotated[int, Meta(ge=0, le=PEOPLE_MAX)]


class KeyForm(msgspec.Struct):
    request_key: str


class MeetingForm(msgspec.Struct):
    request_key: str
    held_on: Annotated[date, Meta(title=N_("会议日期"))]
    place: Annotated[str, Meta(title=N_("地点"), min_length=2, max_length=60)]
    present: Annotated[int, Meta(title=N_("到会人数"), ge=1, le=PEOPLE_MAX)]
    votes_for: Annotated[Count, Meta(title=N_("同意"))]
    votes_against: Annotated[Count, Meta(title=N_("反对"))]
    abstained: Annotated[Count, Meta(title=N_("弃权"))]


class NoticeForm(msgspec.Struct):
    request_key: str
    days: Annotated[int, Meta(title=N_("公示天数"), ge=1, le=DAYS_MAX)]
    starts_on: Annotated[date, Meta(title=N_("拟生效日期"))]


class PublishForm(msgspec.Struct):
    request_key: str
    in_force_from: Annotated[date, Meta(title=N_("生效日期"))]


class BackForm(msgspec.Struct):
    request_key: str
    reason: Annotated[Back, Meta(title=N_("退回的原因"))]


class LeastForm(msgspec.Struct):
    request_key: str
    least: Annotated[int, Meta(title=N_("最少公示几天"), ge=1, le=DAYS_MAX)]


class Earlier(msgspec.Struct, frozen=True):
    """A notice that was withdrawn, with what residents said to it and were answered."""

    notice: NoticeView
    objections: list[ObjectionView]


class Stage(msgspec.Struct, frozen=True):
    """How far a version has come, with all that the page of its life shows.

    `is_over`: the notice has ended, so that the day can be set once nothing waits for an answer.
    """

    version: Version
    step: int
    meeting: Meeting | None
    earlier: list[Meeting]
    told: Told | None
    notice: NoticeView | None
    objections: list[ObjectionView]
    earlier_notices: list[Earlier]
    least_days: int
    earliest: date
    is_over: bool
    is_drafter: bool

    @property
    def unanswered(self) -> int:
        return sum(objection.state == "open" for objection in self.objections)

    @property
    def is_upheld(self) -> bool:
        return any(objection.state == "upheld" for objection in self.objections)

    @property
    def is_carried(self) -> bool:
        return self.meeting is not None and is_carried(self.meeting.present, self.meeting.votes_for)


async def version_of(session: Session, version_id: int) -> Version:
    """A version that this session may read: what is not before the public yet is for those who draft."""
    found = await queries.version(session.community_ids, version_id)
    if found.state in PRIVATE and not session.may(Permission.EDIT_SCORING):
        raise NotFound
    return found


async def _stage(session: Session, found: Version, now: datetime) -> Stage:
    told = await queries_life.told(None, found.id)
    notice = await notices.notice(session.community_ids, told.notice_id) if told else None
    meetings = await queries_life.meetings(found.id)
    least = await queries_life.least_days(None, found.community_id)
    ends = notice.ends_at if notice else shown_until(now, least)
    known = set(await people.ids_of(None, session.person_id))
    return Stage(
        version=found,
        step=STEPS[found.state],
        meeting=next((one for one in meetings if one.voided_at is None), None),
        earlier=[one for one in meetings if one.voided_at is not None],
        told=told,
        notice=notice,
        objections=await notices.objections(told.notice_id) if told else [],
        earlier_notices=await _earlier(session, found.id),
        least_days=least,
        earliest=earliest_start(local_day(ends), told.starts_on if told else None, local_day(now)),
        is_over=notice is not None and notice.ends_at <= now,
        is_drafter=bool(known & set(await queries_life.drafters(None, found.id))),
    )


async def _earlier(session: Session, version_id: int) -> list[Earlier]:
    """The latest one first."""
    ids = [told.notice_id for told in reversed(await queries_life.told_before(version_id))]
    return [Earlier(await notices.notice(session.community_ids, one), await notices.objections(one)) for one in ids]


async def shown(
    session: Session, found: Version, now: datetime, form: Filled[Any] | None = None, status: int = 400
) -> Response[str]:
    """The page of a version's life; `form` is what is to be typed again, and `status` what is answered then."""
    stage = await _stage(session, found, now)
    usual: Filled[Any] = forms.blank(
        days=stage.least_days,
        starts_on=stage.earliest.isoformat(),
        in_force_from=stage.earliest.isoformat(),
        held_on=local_day(now).isoformat(),
        least=stage.least_days,
    )
    if form is not None:
        form.typed = usual.typed | form.typed
    return page(
        "scoring/life.html",
        status=200 if form is None or form.is_valid else status,
        stage=stage,
        version=found,
        state_chip=chip_of(found.state),
        form=form or usual,
        reasons=[(code.value, _(text)) for code, text in BACK.items()],
        may_draft=session.may(Permission.EDIT_SCORING),
        may_publish=session.may(Permission.PUBLISH_SCORING),
        tomorrow=local_day(now) + timedelta(days=1),
    )


@get(f"{VERSION}/life", guards=[needs(Permission.SEE_SCORING)])
async def life(
    version_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """How far a version has come; that there is a draft is no secret, what stands in it is."""
    return await shown(session, await queries.version(session.community_ids, version_id), clock.now())


async def _taken(
    request: AnyRequest,
    session: Session,
    clock: Clock,
    version_id: int,
    *,
    asks: type[msgspec.Struct],
    field: str,
    take: Callable[[Version, Any], Awaitable[Any]],
    at: Mapping[type[Refusal], str] | None = None,
) -> Response[Any]:
    """Take a step as it was typed. What is refused is said at `field`, or where `at` says, on the page as it is now."""
    found = await version_of(session, version_id)
    form: Filled[Any] = await forms.read(request, asks)
    status = 400
    if form.is_valid:
        try:
            await take(found, form.value)
        except NotFound:
            raise
        except Refusal as refused:
            found = await version_of(session, version_id)
            faults = rules.faults(found.table, await kinds.denominations(None, found.community_id))
            form.refuse((at or {}).get(type(refused), field), readable(refused, faults))
            status = refused.kind.status
        else:
            return Redirect(f"/scoring/versions/{version_id}/life", status_code=303)
    return await shown(session, found, clock.now(), form, status)


async def _step(session: Session, found: Version, action: Callable[..., Any], asked: Any, **more: Any) -> None:
    facts = {name: value for name, value in msgspec.structs.asdict(asked).items() if name != "request_key"}
    which = {"community_id": found.community_id, "version_id": found.id}
    await db.write(action, actor=session.actor, request_key=asked.request_key, **which, **facts, **more)


@post(f"{VERSION}/submit", guards=DRAFTS)
async def submit(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    async def take(found: Version, asked: KeyForm) -> None:
        await _step(session, found, actions_life.submit, asked)

    return await _taken(request, session, clock, version_id, asks=KeyForm, field="submit", take=take)


@post(f"{VERSION}/meeting", guards=DRAFTS, opt={"upload": True})
async def meeting(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    content = await forms.read_file(request, "record")
    at: dict[type[Refusal], str] = {VotesExceed: "votes_for", MeetingOutOfTime: "held_on"}

    async def take(found: Version, asked: MeetingForm) -> None:
        if not content:
            raise NoRecord
        paper = await intake.read_document(content, side_max=RECORD_SIDE_MAX, bytes_max=RECORD_BYTES_MAX)
        kept = {"record": paper.content, "record_kind": paper.kind}
        await _step(session, found, actions_life.record_meeting, asked, **kept)

    return await _taken(request, session, clock, version_id, asks=MeetingForm, field="record", take=take, at=at)


@get(f"{VERSION}/meetings/{{meeting_id:int}}/record", guards=DRAFTS)
async def meeting_record(
    version_id: FromPath[int], meeting_id: FromPath[int], session: NamedDependency[Session]
) -> Response[bytes]:
    """The minutes, which bear names and signatures: to be kept, and not shown in a page of ours."""
    found = await queries.version(session.community_ids, version_id)
    content, kind = await queries_life.record_of(found.id, meeting_id)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="meeting-{meeting_id}.{kind}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=RECORD_TYPES[kind], headers=headers)


@post(f"{VERSION}/notice", guards=PUBLISHES)
async def open_notice(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    async def take(found: Version, asked: NoticeForm) -> None:
        await _step(session, found, actions_life.open_notice, asked)

    at: dict[type[Refusal], str] = {NoticeTooShort: "days"}
    return await _taken(request, session, clock, version_id, asks=NoticeForm, field="starts_on", take=take, at=at)


@post(f"{VERSION}/back", guards=DRAFTS)
async def send_back(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    async def take(found: Version, asked: BackForm) -> None:
        await _step(session, found, actions_life.send_back, asked)

    return await _taken(request, session, clock, version_id, asks=BackForm, field="reason", take=take)


@post(f"{VERSION}/publish", guards=PUBLISHES)
async def publish(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    async def take(found: Version, asked: PublishForm) -> None:
        await _step(session, found, actions_life.publish, asked)

    return await _taken(request, session, clock, version_id, asks=PublishForm, field="in_force_from", take=take)


@post(f"{VERSION}/least-days", guards=PUBLISHES)
async def least_days(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """Set how long the community shows its new versions at the least."""

    async def take(found: Version, asked: LeastForm) -> None:
        of = {"community_id": found.community_id, "days": asked.least}
        await db.write(actions_life.set_least_days, actor=session.actor, request_key=asked.request_key, **of)

    return await _taken(request, session, clock, version_id, asks=LeastForm, field="least", take=take)


handlers: list[Any] = [
    life,
    submit,
    meeting,
    meeting_record,
    open_notice,
    send_back,
    publish,
    least_days,
]

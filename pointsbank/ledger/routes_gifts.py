"""Gifts of points that pay only beside earned ones: to a person, to all of a tag, or by a list; two people decide."""

import re
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import OwnRequest, facts_hash
from pointsbank.kit import db, text
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions_batches
from pointsbank.ledger import actions_vouchers as actions
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.routes_vouchers import (
    MOVES,
    STATES,
    GiveForm,
    KeyForm,
    RefuseForm,
    book_words,
    check_last_day,
    community_of,
)
from pointsbank.ledger.rules import MATCH_PERCENT_MAX, POINTS_MAX
from pointsbank.ledger.rules_flows import ASKED, GIFTS_MAX, NOTE_LETTERS_MAX
from pointsbank.people import queries as people
from pointsbank.people import queries_import as tags
from pointsbank.people import queries_match as match
from pointsbank.people.access import Session
from pointsbank.people.queries import MemberView
from pointsbank.people.queries_match import Sought
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, t
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
GIFTS = "/ledger/gifts"
BATCH = f"{GIFTS}/{{batch_id:int}}"
# A number as pages show it is in groups of digits.
LINE = re.compile(r"\s*([\d\s-]*\d|\S+)(.*)")


class GiftForm(msgspec.Struct):
    """`members` are lines of a passbook number and a name; with `tag` they stay empty."""

    request_key: str
    to: Annotated[Literal["list", "tag"], Meta(title=N_("给谁"))]
    points: Annotated[int, Meta(title=N_("每份多少积分"), ge=1, le=POINTS_MAX)]
    match_percent: Annotated[int, Meta(title=N_("每 100 积分自己挣的，可以搭着用"), ge=1, le=MATCH_PERCENT_MAX)]
    expires_on: Annotated[date, Meta(title=N_("用到哪一天"))]
    note: Annotated[str, Meta(title=N_("为什么送"), min_length=2, max_length=NOTE_LETTERS_MAX)]
    members: Annotated[str, Meta(title=N_("名单"), max_length=6_000)] = ""
    tag: Annotated[int | None, Meta(title=N_("标签"))] = None


@get(f"{GIFTS}/new", guards=MOVES)
async def new_gifts(session: NamedDependency[Session]) -> Response[str]:
    return await _form_page(session, forms.blank(to="list", match_percent=100))


async def _form_page(session: Session, form: Filled[Any]) -> Response[str]:
    known = await tags.tags(community_of(session))
    return page(
        "ledger/gifts_new.html",
        status=200 if form.is_valid else 400,
        tags=[(one.id, _("{name}（{n} 人）", name=one.name, n=one.people)) for one in known],
        most=GIFTS_MAX,
        form=form,
    )


async def _meant(session: Session, form: Filled[GiftForm]) -> list[int]:
    """Whom the form means; who does not fit is told at the field."""
    asked = form.value
    if asked.to == "tag":
        if asked.tag is None:
            form.refuse("tag", N_("请选一个标签"))
            return []
        await tags.check_tag_in(session.community_ids, asked.tag)
        meant = await tags.members_with(asked.tag)
    else:
        meant = await _listed(session, form)
    if form.is_valid and not 0 < len(meant) <= GIFTS_MAX:
        form.refuse("tag" if asked.to == "tag" else "members", N_("一次送 1 到 {most} 人。"), most=GIFTS_MAX)
    return meant


async def _listed(session: Session, form: Filled[GiftForm]) -> list[int]:
    sought = []
    for line in form.value.members.splitlines():
        if line.strip():
            found = LINE.fullmatch(line)
            assert found is not None
            sought.append(Sought(text.normal_digits(found[1]), " ".join(found[2].split()), "", ""))
    meant = []
    for number, one in enumerate(await match.find(community_of(session), sought), 1):
        if isinstance(one, MemberView) and one.state == "member":
            meant.append(one.person_id)
        else:
            form.refuse("members", N_("第 {n} 行：没有这个存折号，或者姓名和存折号不是同一个人"), n=number)
    return meant


@post(GIFTS, guards=MOVES)
async def ask_gifts(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, GiftForm)
    if form.is_valid:
        check_last_day(form, form.value.expires_on, local_day(clock.now()))
        meant = await _meant(session, form)
    if form.is_valid:
        asked = form.value
        try:
            batch_id = await db.write(
                actions.ask_gifts,
                actor=session.actor,
                request_key=asked.request_key,
                community_id=community_of(session),
                person_ids=meant,
                points=asked.points,
                match_percent=asked.match_percent,
                expires_on=asked.expires_on,
                note=asked.note,
            )
            return Redirect(f"{GIFTS}/{batch_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("members", refusal)
    return await _form_page(session, form)


@get(BATCH, guards=MOVES)
async def gifts_page(batch_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _batch_page(session, batch_id, forms.blank())


async def _batch_page(session: Session, batch_id: int, form: Filled[Any]) -> Response[str]:
    gifts = await queries.batch(session.community_ids, batch_id)
    asked = [one for one in gifts if one.state == ASKED]
    reasons = [await approvals.unfit(None, one.approval_id, session.person_id) for one in asked if one.approval_id]
    unfit = next((reason for reason in reasons if reason is not None), None)
    owners = [await book_words(await queries.book(None, one.book_ids[0])) for one in gifts]
    return page(
        "ledger/gifts.html",
        status=200 if form.is_valid else 400,
        first=gifts[0],
        of=await kinds.main(None, gifts[0].community_id),
        gifts=list(zip(gifts, owners, strict=True)),
        states={state: (_(said), color) for state, (said, color) in STATES.items()},
        maker=await people.masked_names([gifts[0].made_by] if gifts[0].made_by is not None else []),
        is_own=isinstance(unfit, OwnRequest),
        unfit=unfit and t(unfit),
        asked=len(asked),
        total=sum(one.points for one in asked),
        seen=facts_hash([one.facts for one in asked]),
        form=form,
    )


async def _act(
    request: AnyRequest, session: Session, batch_id: int, struct: type[msgspec.Struct], action: Any
) -> Response[str] | Redirect:
    await queries.batch(session.community_ids, batch_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        said = {name: getattr(form.value, name) for name in struct.__struct_fields__ if name != "request_key"}
        key = form.typed["request_key"]
        try:
            await db.write(action, actor=session.actor, request_key=key, batch_id=batch_id, **said)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    if not form.is_valid:
        return await _batch_page(session, batch_id, form)
    return Redirect(f"{GIFTS}/{batch_id}", status_code=303)


@post(f"{BATCH}/give", guards=MOVES)
async def give(
    batch_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, batch_id, GiveForm, actions_batches.give_gifts)


@post(f"{BATCH}/refuse", guards=MOVES)
async def refuse(
    batch_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, batch_id, RefuseForm, actions_batches.refuse_gifts)


@post(f"{BATCH}/withdraw", guards=MOVES)
async def withdraw(
    batch_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, batch_id, KeyForm, actions_batches.withdraw_gifts)


handlers: list[Any] = [new_gifts, ask_gifts, gifts_page, give, refuse, withdraw]

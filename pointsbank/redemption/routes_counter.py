"""The counter, by scanner and keyboard: one page, one address to scan at, no basket kept on the server."""

import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import codes, db
from pointsbank.kit.clock import Clock
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.text import name_matches, normal_digits
from pointsbank.people import attempts
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.rules import refusal_of
from pointsbank.redemption import actions, queries, rules
from pointsbank.redemption.queries import Counter
from pointsbank.redemption.routes_counter_page import UNDO_REASONS, Desk, notice_of, short_notice, show
from pointsbank.redemption.rules import BasketUnfit, Line, NotEnoughPoints, UnknownGood
from pointsbank.stock import queries as stock
from pointsbank.web import forms, render
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _, amount

TIMES = re.compile(r"([0-9]{1,2})\*(.*)", re.DOTALL)
FOUND_MAX = 60
NAME_LENGTH_MAX = 20  # beyond it somebody scanned an address, and nobody typed a name


class ScanForm(msgspec.Struct):
    """The whole state of a counter: nothing of it is kept between two requests but the visit."""

    request_key: str
    code: str = ""
    visit: int | None = None
    lines: str = ""
    points: int | None = None
    times: int = 1
    act: str = ""
    sought: str = ""


class UndoForm(msgspec.Struct):
    request_key: str
    reason: str = ""


@get("/redemption/counters", guards=[needs(Permission.REDEEM)])
async def counter_list(session: NamedDependency[Session]) -> Response[str]:
    found = [one for community_id in session.community_ids for one in await queries.counters(community_id)]
    return render.page("redemption/counters.html", counters=found)


# A reader who changes the type size after a scan is sent back to where he was: the address he scanned at.
@get(
    ["/redemption/counters/{counter_id:int}", "/redemption/counters/{counter_id:int}/scan"],
    guards=[needs(Permission.REDEEM)],
)
async def counter(
    request: Request[Any, Any, Any],
    counter_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    found = await queries.counter(session.community_ids, counter_id)
    desk = Desk(found, session, clock.now())
    asked = request.query_params
    last = await queries.last_order(counter_id) if {"done", "undo", "undone"} & set(asked) else None
    if last is not None and "undo" in asked:
        try:
            rules.check_undo(
                staff_id=last.staff_id,
                by=session.person_id,
                state=last.state,
                is_last=True,
                made_at=last.made_at,
                now=desk.now,
            )
            desk.undoing = last
        except Refusal as refused:
            desk.notices.append(notice_of(refused))
    elif last is not None and str(last.order_id) == asked.get("done", ""):
        desk.done = last
        desk.say("ok", _("兑换成功。单号 {number}", number=last.number))
    elif last is not None and str(last.order_id) == asked.get("undone", "") and last.state == "undone":
        back = amount(last.points, last)
        desk.say("ok", _("已撤销。{points}和 {pieces} 件商品都已退回。", points=back, pieces=last.pieces))
    return await show(desk)


@post("/redemption/counters/{counter_id:int}/scan", guards=[needs(Permission.REDEEM)])
async def scan(
    request: Request[Any, Any, Any],
    counter_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """Whatever was scanned, typed or pressed; answers the page that follows from it."""
    found = await queries.counter(session.community_ids, counter_id)
    filled = await forms.read(request, ScanForm)
    if not filled.is_valid:
        raise BasketUnfit
    form = filled.value
    desk = Desk(found, session, clock.now(), form.visit, rules.read_basket(form.lines), max(form.times, 1))
    try:
        order_id = await _step(desk, form)
    except Refusal as refused:
        if refused.kind is Kind.BUSY:  # no answer: the same key must be sent again
            raise
        return await _refused(desk, refused)
    if order_id is not None:
        return Redirect(f"/redemption/counters/{counter_id}?done={order_id}", status_code=303)
    return await show(desk)


async def _refused(desk: Desk, refused: Refusal) -> Response[str]:
    desk.is_refused = True
    desk.times = 1
    if isinstance(refused, rules.VisitOver | rules.NoSuchVisit):
        desk.visit_id = None
    notice = short_notice(refused) if isinstance(refused, NotEnoughPoints) else notice_of(refused)
    desk.notices.append(notice)
    return await show(desk, status=refused.kind.status)


async def _step(desk: Desk, form: ScanForm) -> int | None:
    """Do one thing; returns the order if one was made."""
    verb, _colon, about = form.act.partition(":")
    text = form.sought or form.code
    if verb == "find":
        await _find(desk, "")
    elif verb == "drop":
        desk.basket = dict(list(desk.basket.items())[:-1])
    elif verb == "leave":
        for good_id, pieces in rules.read_basket(about).items():
            desk.basket = rules.change(desk.basket, good_id, -pieces)
    elif verb in ("more", "less"):
        desk.basket = rules.change(desk.basket, rules.read_good(about), 1 if verb == "more" else -1)
    elif verb == "put":
        _put(desk, rules.read_good(about))
    elif verb == "who" and desk.visit_id is not None:
        await db.write(
            actions.choose_member,
            actor=desk.session.actor,
            request_key=form.request_key,
            counter_id=desk.counter.counter_id,
            visit=desk.visit_id,
            person_id=forms.number(about) or 0,
            community_ids=desk.session.community_ids,
        )
    elif text:
        await _take(desk, text, form.request_key)
    else:
        return await _confirm(desk, form)
    return None


async def _take(desk: Desk, text: str, request_key: str) -> None:
    """A member, a good, a good's name, or something else that says what to do instead."""
    code = normal_digits(text)
    counted = TIMES.fullmatch(code)
    if counted is not None:
        desk.times, code = min(max(int(counted[1]), 1), rules.QUANTITY_MAX), counted[2]
        if not code:
            return
    kind = codes.parse_scan(code).kind
    if kind is CodeKind.GOODS:
        await _add_good(desk, code)
    elif kind in (CodeKind.CARD, CodeKind.PHONE, CodeKind.HOUSEHOLD):
        with attempts.scanning(desk.session.person_id, desk.now):
            opened = await db.write(
                actions.open_visit,
                actor=desk.session.actor,
                request_key=request_key,
                counter_id=desk.counter.counter_id,
                code=code,
                community_ids=desk.session.community_ids,
            )
        desk.visit_id = opened.visit_id
    elif kind is CodeKind.UNKNOWN and not code.isdigit() and len(code) <= NAME_LENGTH_MAX:
        await _find(desk, text)
    else:
        raise refusal_of(kind)


async def _add_good(desk: Desk, barcode: str) -> None:
    shelf = await stock.shelf(None, outlet_id=desk.counter.outlet_id, good_ids=[], barcodes=[barcode])
    if not shelf:
        raise UnknownGood(what=barcode)
    _put(desk, shelf[0].good_id)


def _put(desk: Desk, good_id: int) -> None:
    desk.basket = rules.change(desk.basket, good_id, desk.times)
    desk.times = 1
    if desk.visit_id is None:
        desk.say("warn", _("先扫会员码。商品已经留在清单里。"))


async def _find(desk: Desk, sought: str) -> None:
    """Goods whose name fits; a single one goes into the basket at once."""
    goods = [
        good
        for good in await stock.on_shelf(desk.counter.outlet_id, desk.today)
        if not sought or name_matches(sought, good.name)
    ]
    if sought and len(goods) == 1:
        _put(desk, goods[0].good_id)
        return
    desk.found, desk.sought = goods[:FOUND_MAX], sought
    if not goods:
        desk.say("warn", _("没有叫「{sought}」的商品。换个写法，或请管理员登记。", sought=sought))


async def _confirm(desk: Desk, form: ScanForm) -> int | None:
    if not desk.basket:
        if desk.visit_id is not None:
            desk.say("info", _("请扫商品。"))
        return None
    if desk.visit_id is None:
        desk.say("warn", _("先扫会员码。商品已经留在清单里。"))
        return None
    made = await db.write(
        actions.order,
        actor=desk.session.actor,
        request_key=form.request_key,
        counter_id=desk.counter.counter_id,
        lines=[Line(quantity, good_id) for good_id, quantity in desk.basket.items()],
        community_ids=desk.session.community_ids,
        visit=desk.visit_id,
        seen_points=form.points,
    )
    return made.order_id


@post("/redemption/orders/{order_id:int}/undo", guards=[needs(Permission.REDEEM)])
async def undo(
    request: Request[Any, Any, Any],
    order_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    order = await queries.order(session.community_ids, order_id)
    filled = await forms.read(request, UndoForm)
    desk = Desk(await _counter_of(session, order.counter_id), session, clock.now())
    reason = UNDO_REASONS.get(normal_digits(filled.typed.get("reason", "")))
    if not filled.is_valid or reason is None:
        desk.undoing = order
        desk.say("warn", _("请输入原因 1 到 4，再按回车。"))
        return await show(desk, status=400)
    try:
        await db.write(
            actions.undo,
            actor=session.actor,
            request_key=filled.value.request_key,
            order_id=order_id,
            reason=reason,
            community_ids=session.community_ids,
        )
    except Refusal as refused:
        if refused.kind is Kind.BUSY:
            raise
        return await _refused(desk, refused)
    return Redirect(f"/redemption/counters/{order.counter_id}?undone={order_id}", status_code=303)


async def _counter_of(session: Session, counter_id: int) -> Counter:
    return await queries.counter(session.community_ids, counter_id)


handlers: list[Any] = [counter_list, counter, scan, undo]

"""The counter's page: who stands there, what lies in the basket, and what to say about it.

The page predicts (too few points, a limit, an empty shelf); the order decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from litestar import Response

from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger import queries as ledger
from pointsbank.ledger.rules import in_unit
from pointsbank.people import queries as people
from pointsbank.people.access import Session
from pointsbank.people.queries import MemberView
from pointsbank.redemption import actions, queries, rules
from pointsbank.redemption.queries import Counter, Order, Visit
from pointsbank.redemption.rules import BasketLine, NotEnoughPoints, OverDailyLimit
from pointsbank.stock import queries as stock
from pointsbank.stock.queries import Good
from pointsbank.web import render
from pointsbank.web.i18n import _, t

UNDO_REASONS = {
    "1": rules.UndoReason.WRONG_GOODS,
    "2": rules.UndoReason.CHANGED_MIND,
    "3": rules.UndoReason.DEFECTIVE,
    "4": rules.UndoReason.OTHER,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says: colour, words and sound together. `act` is a button that does what is advised."""

    state: str
    text: str
    act: str = ""
    act_label: str = ""
    key: str = ""

    @property
    def sound(self) -> str:
        return "ok" if self.state == "info" else self.state


def notice_of(refusal: Refusal) -> Notice:
    """What can be put right at once is amber; a no is red."""
    return Notice("warn" if refusal.kind in (Kind.INVALID, Kind.NOT_FOUND) else "stop", t(refusal))


@dataclass(slots=True)
class Desk:
    """One rendering of a counter: what the form brought, as changed by what was scanned."""

    counter: Counter
    session: Session
    now: datetime
    visit_id: int | None = None
    basket: dict[int, int] = field(default_factory=dict)
    times: int = 1
    notices: list[Notice] = field(default_factory=list)
    found: Sequence[Good] | None = None
    sought: str = ""
    done: Order | None = None
    undoing: Order | None = None
    is_refused: bool = False

    @property
    def today(self) -> date:
        return local_day(self.now)

    def say(self, state: str, text: str) -> None:
        self.notices.append(Notice(state, text))


@dataclass(frozen=True, slots=True)
class Standing:
    """The member before the counter, as far as a clerk may see; with a household's card, who it may be."""

    visit: Visit
    member: MemberView
    available: int
    left_today: int
    pieces_used: Mapping[int, int]
    family: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class ShownLine:
    good: Good
    quantity: int

    @property
    def points(self) -> int:
        return self.good.points * self.quantity


async def standing(desk: Desk) -> Standing | None:
    """Who is being served; a visit that has ended meanwhile is said and forgotten."""
    if desk.visit_id is None:
        return None
    visit = await queries.visit(
        desk.visit_id, counter_id=desk.counter.counter_id, staff_id=desk.session.person_id, now=desk.now
    )
    if visit is None:
        desk.visit_id = None
        if not desk.notices:
            desk.notices.append(notice_of(rules.VisitOver()))
        return None
    community = await people.community(desk.counter.community_id)
    used = await queries.points_used(visit.account_id, desk.today)
    member = await people.member_view(desk.session.community_ids, visit.person_id)
    return Standing(
        visit,
        member,
        await ledger.spendable(None, visit.account_id, today=desk.today),
        max(community.daily_points_max - used, 0),
        await queries.pieces_used(visit.account_id, desk.today),
        await _family(visit, member),
    )


async def _family(visit: Visit, member: MemberView) -> Mapping[int, str]:
    """Whom a household's card may stand for, by masked name."""
    if visit.code_kind != "household" or member.household_id is None:
        return {}
    return await people.masked_names(await people.household_members(None, member.household_id))


async def _lines(desk: Desk) -> list[ShownLine]:
    """The basket in the order of scanning; goods that were ended meanwhile fall out."""
    shelf = await stock.in_hand(desk.counter.outlet_id, list(desk.basket), desk.today)
    known = {good.good_id: good for good in shelf}
    desk.basket = {good_id: quantity for good_id, quantity in desk.basket.items() if good_id in known}
    return [ShownLine(known[good_id], quantity) for good_id, quantity in desk.basket.items()]


def predict(lines: Sequence[ShownLine], who: Standing | None, of: Counter) -> list[Notice]:
    """What the order would be refused for, or is about to reach."""
    said = [
        Notice(
            "warn",
            _("{name}账上只剩 {stock} {unit}。", name=line.good.name, stock=line.good.stock, unit=line.good.unit),
        )
        for line in lines
        if line.quantity > line.good.stock
    ]
    if who is None or not lines:
        return said
    basket = [BasketLine(actions.shelf_item(line.good), line.quantity) for line in lines]
    points = rules.price(basket)
    if points > who.available:
        return [short_notice(rules.short(basket, who.available, of)), *said]
    if points > who.left_today:
        said.insert(0, notice_of(OverDailyLimit(left=who.left_today, points=points, **in_unit(of))))
    for line in lines:
        said += _month_notice(line, who.pieces_used.get(line.good.good_id, 0))
    return said


def short_notice(refusal: NotEnoughPoints) -> Notice:
    label = _("删 {names}", names=refusal.facts["names"])
    return Notice("stop", t(refusal), f"leave:{refusal.facts['drop']}", label, "Del")


def _month_notice(line: ShownLine, used: int) -> list[Notice]:
    good, most = line.good, line.good.monthly_max
    if most is None or used + line.quantity < most:
        return []
    if used + line.quantity == most:
        said = _("{name}每月限 {most} {unit}，这一单就到上限了。", name=good.name, most=most, unit=good.unit)
        return [Notice("info", said)]
    refusal = rules.OverMonthlyLimit(good_id=good.good_id, name=good.name, unit=good.unit, most=most, used=used)
    return [notice_of(refusal)]


def _placeholder(desk: Desk, who: Standing | None) -> str:
    if desk.done is not None:
        return _("请扫下一位的会员码")
    if who is None:
        return _("请扫会员码")
    return _("继续扫商品，或按回车确认") if desk.basket else _("请扫商品")


async def _summary(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    names = await people.masked_names([order.person_id])
    return {"order": order, "member": names.get(order.person_id, "")}


async def show(desk: Desk, *, status: int = 200, request_key: str | None = None) -> Response[str]:
    """Draw the page. A request key stays only while no answer to it has been given."""
    who = await standing(desk)
    lines = await _lines(desk)
    if not desk.is_refused:
        desk.notices += predict(lines, who, desk.counter)
    total = sum(line.points for line in lines)
    is_idle = who is None and not lines and desk.done is None and desk.undoing is None
    last = await _summary(await queries.last_order(desk.counter.counter_id)) if is_idle else None
    return render.page(
        "redemption/counter.html",
        status=status,
        counter=desk.counter,
        today=await queries.day_sum(desk.counter, desk.today),
        who=who,
        lines=lines,
        total=total,
        pieces=sum(line.quantity for line in lines),
        basket_text=rules.write_basket(desk.basket),
        times=desk.times,
        notices=desk.notices,
        placeholder=_placeholder(desk, who),
        last=last,
        done=await _summary(desk.done),
        undoing=await _summary(desk.undoing),
        found=desk.found,
        sought=desk.sought,
        key=request_key or render.request_key(),
    )

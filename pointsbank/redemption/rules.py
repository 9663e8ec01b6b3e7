"""What a counter decides without looking anything up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules import Written, in_unit
from pointsbank.stock.rules import plain_barcode

BASKET_LINES_MAX = 20
QUANTITY_MAX = 99
VISIT_LIFE = timedelta(minutes=10)
UNDO_WINDOW = timedelta(minutes=10)
UNLIMITED = 2**53
ID_DIGITS_MAX = 18


class BasketUnfit(Refusal):
    kind = Kind.INVALID
    code = "redemption.basket_unfit"
    message = "清单不对：要有 1 到 20 行，每行 1 到 99 件，写明商品。请重新扫商品。"


class BasketFull(Refusal):
    kind = Kind.INVALID
    code = "redemption.basket_full"
    message = "一单最多 20 样，每样最多 99 件。请先确认这一单，再扫剩下的。"


class VisitOrCode(Refusal):
    kind = Kind.INVALID
    code = "redemption.visit_or_code"
    message = "要给会员码或到店记录，只给其中一个。"


class UnknownGood(Refusal):
    kind = Kind.NOT_FOUND
    code = "redemption.unknown_good"
    message = "这里没有这样商品：{what}。请按 F4 找商品，或请管理员登记。"


class NotEnoughPoints(Refusal):
    """`drop` names the goods and pieces to leave out, as `12:1,15:2`."""

    kind = Kind.LIMITED
    code = "redemption.not_enough_points"
    message = "还差 {missing:amount}。可删：{names} {points:amount}"


class PriceChanged(Refusal):
    """What the counter was shown, and told the member, is no longer what the goods cost."""

    kind = Kind.CONFLICT
    code = "redemption.price_changed"
    message = "价格刚刚改过，这一单现在是 {points:amount}。请先告诉会员，再确认。"


class NothingEarned(Refusal):
    kind = Kind.LIMITED
    code = "redemption.nothing_earned"
    message = "这位会员还没有积分。参加活动、积分入账后再来兑换。"


class OverDailyLimit(Refusal):
    kind = Kind.LIMITED
    code = "redemption.over_daily_limit"
    message = "今天还可兑 {left:amount}，这一单要 {points:amount}。请删几件，或明天再来。"


class OverMonthlyLimit(Refusal):
    kind = Kind.LIMITED
    code = "redemption.over_monthly_limit"
    message = "{name}每月限兑 {most} {unit}，本月已兑 {used} {unit}。请减少，或下月再来。"


class NoSuchVisit(Refusal):
    """Also the answer about a visit of another counter or colleague."""

    kind = Kind.NOT_FOUND
    code = "redemption.no_such_visit"
    message = "这次核对不是在这里做的。请再扫一次会员码。"


class VisitOver(Refusal):
    kind = Kind.EXPIRED
    code = "redemption.visit_over"
    message = "核对会员已过 10 分钟。请再扫一次会员码，商品还在清单里。"


class OwnHousehold(Refusal):
    kind = Kind.FORBIDDEN
    code = "redemption.own_household"
    message = "不能给自己或家人兑换。请换一位同事来办。"


class NotYourOrder(Refusal):
    kind = Kind.FORBIDDEN
    code = "redemption.not_your_order"
    message = "这一单是别人办的，只有经办人能撤销。请找经办人或社区管理员。"


class AlreadyUndone(Refusal):
    kind = Kind.CONFLICT
    code = "redemption.already_undone"
    message = "这一单已经撤销过了，积分和商品都已退回。"


class NotTheLastOrder(Refusal):
    kind = Kind.CONFLICT
    code = "redemption.not_the_last_order"
    message = "只能撤销本机最后一单。更早的请找社区管理员更正。"


class TooLateToUndo(Refusal):
    kind = Kind.EXPIRED
    code = "redemption.too_late_to_undo"
    message = "已过 10 分钟，不能撤销。请找社区管理员更正。"


class UndoReason(StrEnum):
    WRONG_GOODS = "wrong_goods"
    CHANGED_MIND = "changed_mind"
    DEFECTIVE = "defective"
    OTHER = "other"


Id = Annotated[int, msgspec.Meta(ge=1, le=2**62)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a basket as it was scanned: a good by its id or by its bar code."""

    quantity: int
    good: Id | None = None
    barcode: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class ShelfItem(msgspec.Struct, frozen=True):
    """What a counter carries: `points` is the price of one piece."""

    good_id: int
    name: str
    unit: str
    barcode: str
    points: int
    monthly_max: int | None


class BasketLine(msgspec.Struct, frozen=True):
    item: ShelfItem
    quantity: int

    @property
    def points(self) -> int:
        return self.item.points * self.quantity


@dataclass(frozen=True, slots=True)
class Removal:
    good_id: int
    name: str
    quantity: int
    points: int


def check(lines: Sequence[Line]) -> None:
    """Refuse what no basket can be, before anything is looked up."""
    if not 0 < len(lines) <= BASKET_LINES_MAX:
        raise BasketUnfit
    for line in lines:
        if not 0 < line.quantity <= QUANTITY_MAX or (line.good is None) == (line.barcode is None):
            raise BasketUnfit


def merge(lines: Sequence[Line], shelf: Sequence[ShelfItem]) -> list[BasketLine]:
    """One line a good, in the order of scanning; refuses goods that this outlet does not carry.

    Stock is not asked: the guarded update that takes it decides.
    """
    by_id: Mapping[int, ShelfItem] = {item.good_id: item for item in shelf}
    by_barcode = {item.barcode: item for item in shelf}
    quantities: dict[int, int] = {}
    for line in lines:
        item = by_id.get(line.good) if line.good is not None else by_barcode.get(plain_barcode(line.barcode or ""))
        if item is None:
            raise UnknownGood(what=line.barcode or str(line.good))
        quantities[item.good_id] = quantities.get(item.good_id, 0) + line.quantity
    if max(quantities.values()) > QUANTITY_MAX:
        raise BasketUnfit
    return [BasketLine(by_id[good_id], quantity) for good_id, quantity in quantities.items()]


def read_basket(text: str) -> dict[int, int]:
    """Good and quantity of `12:1,15:2`, the form in which a page holds its basket; refuses anything else."""
    basket: dict[int, int] = {}
    for part in text.split(",") if text else ():
        good, _, quantity = part.partition(":")
        if not (good.isascii() and good.isdigit() and quantity.isascii() and quantity.isdigit()):
            raise BasketUnfit
        if len(good) > ID_DIGITS_MAX or not 0 < int(quantity[:4]) <= QUANTITY_MAX:
            raise BasketUnfit
        basket[int(good)] = int(quantity[:4])
    if len(basket) > BASKET_LINES_MAX:
        raise BasketUnfit
    return basket


def read_good(text: str) -> int:
    """A good's id as a button of the page names it."""
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX):
        raise BasketUnfit
    return int(text)


def write_basket(basket: Mapping[int, int]) -> str:
    return ",".join(f"{good}:{quantity}" for good, quantity in basket.items())


def change(basket: Mapping[int, int], good_id: int, by: int) -> dict[int, int]:
    """The basket with some pieces more or fewer; what was touched last stands last, none left means gone."""
    quantity = basket.get(good_id, 0) + by
    rest = {good: pieces for good, pieces in basket.items() if good != good_id}
    if quantity <= 0:
        return rest
    changed = {**rest, good_id: quantity} if by > 0 else {**basket, good_id: quantity}
    if quantity > QUANTITY_MAX or len(changed) > BASKET_LINES_MAX:
        raise BasketFull
    return changed


def price(basket: Sequence[BasketLine]) -> int:
    assert 0 < len(basket) <= BASKET_LINES_MAX
    return sum(line.points for line in basket)


def removal(basket: Sequence[BasketLine], missing: int) -> list[Removal]:
    """The cheapest pieces of one good that make up what is missing; of several goods where one is not enough.

    Of equally cheap ones the line scanned last, since that is what people wanted least.
    """
    assert missing > 0
    alone = [
        Removal(line.item.good_id, line.item.name, pieces, pieces * line.item.points)
        for line in basket
        if (pieces := -(-missing // line.item.points)) <= line.quantity
    ]
    if alone:
        return [min(reversed(alone), key=lambda part: (part.points, part.quantity))]
    parts: list[Removal] = []
    for line in sorted(basket, key=lambda line: -line.points):
        if missing > 0:
            pieces = min(-(-missing // line.item.points), line.quantity)
            parts.append(Removal(line.item.good_id, line.item.name, pieces, pieces * line.item.points))
            missing -= pieces * line.item.points
    return parts


def short(basket: Sequence[BasketLine], available: int, of: Written) -> NotEnoughPoints:
    """The refusal that names what to leave out; `of` is the passbook that pays."""
    missing = price(basket) - available
    parts = removal(basket, missing)
    return NotEnoughPoints(
        missing=missing,
        names="、".join(part.name if part.quantity == 1 else f"{part.name} ×{part.quantity}" for part in parts),
        points=sum(part.points for part in parts),
        drop=",".join(f"{part.good_id}:{part.quantity}" for part in parts),
        **in_unit(of),
    )


def summary(basket: Sequence[BasketLine]) -> str:
    """What the passbook's line will say for ever: 「兑换 食用盐 等 3 件」."""
    pieces = sum(line.quantity for line in basket)
    name = basket[0].item.name
    if len(basket) > 1:
        return f"兑换 {name} 等 {pieces} 件"
    return f"兑换 {name} {pieces} 件" if pieces > 1 else f"兑换 {name}"


def check_undo(*, staff_id: int, by: int | None, state: str, is_last: bool, made_at: datetime, now: datetime) -> None:
    """Refuse what may not be undone, the reason that helps most first."""
    if staff_id != by:
        raise NotYourOrder
    if state != "done":
        raise AlreadyUndone
    if not is_last:
        raise NotTheLastOrder
    if now - made_at >= UNDO_WINDOW:
        raise TooLateToUndo


def order_number(order_id: int, day: date) -> str:
    """As it is spoken at the counter: month, day and the last four digits, 1121-0038."""
    return f"{day:%m%d}-{order_id % 10_000:04}"

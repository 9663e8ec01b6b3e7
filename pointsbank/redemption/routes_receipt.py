"""Paper of the counter: the receipt, as wide as this computer's roll, and the slips for when the network is gone."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import qr
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries as ledger
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import queries
from pointsbank.redemption.queries import Order
from pointsbank.redemption.rules import UndoReason
from pointsbank.web import formats, printing, render
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _, amount, locale_now, unit

SERVES = [needs(Permission.REDEEM)]
CODE_BOX = 6
SLIPS, SLIP_ROWS = 4, 6
REASONS = {
    UndoReason.WRONG_GOODS: N_("扫错商品"),
    UndoReason.CHANGED_MIND: N_("会员不要了"),
    UndoReason.DEFECTIVE: N_("东西有问题"),
    UndoReason.OTHER: N_("其他"),
}


@get("/redemption/orders/{order_id:int}/receipt", guards=SERVES)
async def receipt(
    order_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """Of an order, or of one that was taken back; as long as what stands on it."""
    found = await queries.order(session.community_ids, order_id)
    roll = printing.Roll(printing.roll_of())
    await _head(roll, found, session)
    await _body(roll, found, clock)
    await _foot(roll, found)
    return render.page("redemption/receipt.html", order=found, roll=roll)


async def _head(roll: printing.Roll, order: Order, session: Session) -> None:
    member = await people.member_view(session.community_ids, order.person_id)
    names = await people.masked_names([order.staff_id])
    roll.title(order.outlet_name)
    roll.words(_("撤销单") if order.state == "undone" else _("积分兑换小票"))
    roll.rule()
    roll.pair(_("单号"), order.number)
    roll.pair(_("时间"), _when(order.made_at))
    roll.pair(_("会员"), member.masked_name + _("（尾号 {digits}）", digits=member.member_number[-3:]))
    roll.pair(_("经办"), f"{order.counter_name} {names.get(order.staff_id, '')}")
    roll.rule()


def _when(moment: Any) -> str:
    """With the year: paper is kept."""
    return f"{formats.iso_day(moment)} {formats.clock(moment)}"


async def _body(roll: printing.Roll, order: Order, clock: Clock) -> None:
    today = local_day(clock.now())
    for line in order.lines:
        roll.pair(f"{line.name} ×{line.quantity}", formats.points(line.points))
    roll.rule()
    if order.state == "undone":
        assert order.undone_at is not None
        left = await ledger.spendable(None, order.account_id, today=today)
        roll.total(_("已退回"), amount(order.points, order))
        roll.pair(_("现在可用"), formats.points(left))
        roll.pair(_("撤销时间"), _when(order.undone_at))
        roll.pair(_("原因"), _(REASONS[UndoReason(order.undo_reason)]) if order.undo_reason else _("其他"))
        return
    roll.total(_("本单扣{unit}", unit=unit(order)), formats.points(order.points, order.decimals))
    roll.pair(
        _("兑换前 {points}", points=formats.points(order.balance_before)),
        _("兑换后 {points}", points=formats.points(order.balance_after)),
    )
    expiring = await ledger.expiring(order.account_id, today=today, until=today.replace(month=12, day=31))
    for lot in expiring[:1]:
        day = formats.day(lot.expires_on, today=today, english=locale_now() == "en")
        roll.pair(_("{day}到期", day=day), formats.points(lot.points))


async def _foot(roll: printing.Roll, order: Order) -> None:
    community = await people.community(order.community_id)
    roll.rule()
    roll.code()
    roll.words(_("扫码查这一单，有误请当场提出"))
    roll.rule()
    roll.sign(_("会员签名"))
    if community.oversight_phone:
        roll.words(_("监督电话 {phone}", phone=community.oversight_phone))


@get("/redemption/orders/{order_id:int}/receipt.png", guards=SERVES)
async def receipt_code(
    request: browser.AnyRequest,
    order_id: FromPath[int],
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Where the member reads the order again, after signing in."""
    found = await queries.order(session.community_ids, order_id)
    address = f"{browser.public_base(request, settings)}/redemption/orders/{found.order_id}"
    picture = qr.qr_png(address, level="M", box=CODE_BOX)
    return Response(picture, media_type="image/png", headers={"Cache-Control": "no-store"})


@get("/redemption/counters/{counter_id:int}/slips", guards=SERVES)
async def slips(counter_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """Four to a sheet of A4; what is written on them is entered at the counter's ordinary page afterwards."""
    found = await queries.counter(session.community_ids, counter_id)
    community = await people.community(found.community_id)
    return render.page("redemption/slips.html", counter=found, community=community, count=SLIPS, rows=SLIP_ROWS)


handlers: list[Any] = [receipt, receipt_code, slips]

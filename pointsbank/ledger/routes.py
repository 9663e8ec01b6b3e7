"""One line of a resident's passbook in full, and how a line is told wherever it is shown."""

from datetime import date
from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import (
    queries,
    queries_flows,
    queries_opening,
    routes_book,
    routes_gifts,
    routes_give,
    routes_kinds,
    routes_opening,
    routes_print,
    routes_proposals,
    routes_statement,
    routes_vouchers,
)
from pointsbank.ledger.queries import Account, Line, Passbook
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.routes_statement import own_books
from pointsbank.ledger.rules_flows import side_words
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import formats
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _, amount, locale_now, translate
from pointsbank.web.render import page

NOW = N_("现在能用 {amount}。")
THEN = N_("照现在算，到那时能用 {amount}。")
SUMMARIES = {
    "reversal": N_("冲正：{summary}"),
    "clawback": N_("追回：{summary}"),
    "deduction": N_("扣分：{summary}"),
    "expiry": N_("积分到期"),
    "opening": N_("期初余额（纸质存折 {day}）"),
    "transfer": N_("转让积分"),
    "donation": N_("捐赠积分"),
    "grant": N_("社区积分池发放"),
    "adjustment": N_("更正积分"),
}


class ShownLine(msgspec.Struct, frozen=True):
    url: str
    title: str
    under: str
    points: int
    balance_after: int
    decimals: int = 0


def title_of(line: Line) -> str:
    day = formats.iso_day(line.effective_at)
    said = side_words(line.kind, line.summary, line.points) or SUMMARIES.get(line.kind, "{summary}")
    return translate(said, locale_now(), summary=line.summary, day=day)


def url_of(line: Line) -> str:
    """An award and a deduction explain themselves; everything else is explained by its entry."""
    if line.kind == "award":
        return f"/awards/{line.source_id}"
    if line.kind == "deduction":
        return f"/awards/cases/{line.source_id}"
    return f"/ledger/entries/{line.entry_id}"


def shown(line: Line, today: date, *, english: bool, decimals: int = 0) -> ShownLine:
    when = formats.day(line.booked_at, today=today, english=english)
    if line.is_late:
        done = formats.day(line.effective_at, today=today, english=english)
        when = f"{when} · {translate(N_('补记 {day}'), locale_now(), day=done)}"
    return ShownLine(url_of(line), title_of(line), when, line.points, line.balance_after, decimals)


async def own_passbook(session: Session) -> Passbook | None:
    """Return the passbook of the person signed in: the household's where the community says so."""
    holder = await people.holder_of(None, session.person_id)
    return await queries.passbook_of(person_id=holder.person_id, household_id=holder.household_id, holder=holder.kind)


async def own_number(session: Session) -> str:
    """The number on the resident's card, also where a household shares the passbook."""
    return (await people.member_view(session.community_ids, session.person_id)).member_number


async def why_not_all(book: Book, account: Account, today: date, *, is_shut: bool) -> list[str]:
    """Why less can be spent than stands in a passbook, beginning with how much can; empty where all can.

    While nothing is redeemed at all it says how much would be.
    """
    if account.points >= book.balance:
        return []
    kept = await queries.kept_back(book.account_id, today=today)
    if not kept.is_redeemable:
        return [_("这种存折里的积分只记着，不能兑换。")]
    of = await queries_flows.book(None, book.passbook_id)
    told = [_(THEN if is_shut else NOW, amount=amount(account.points, book))]
    if of.held:
        told.append(_("有 {amount} 为还没办完的事留着。", amount=amount(of.held, book)))
    if of.spend_above:
        told.append(_("这种存折里要留着 {amount}，不能用。", amount=amount(of.spend_above, book)))
    if kept.base:
        told.append(_("有 {amount} 是基础分，不能兑换。", amount=amount(kept.base, book)))
    rates = await queries.gift_rates(book.account_id, today=today)
    return told + [_("送的积分要和自己挣的搭着用：每用 100 自己挣的，可以搭 {n} 送的。", n=rate) for rate in rates]


@get("/ledger/entries/{entry_id:int}", guards=[needs(Permission.OWN)])
async def entry(entry_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """One line in full; somebody else's is not found."""
    for book in await own_books(session):
        line = await queries.entry_line(book.account_id, entry_id)
        if line is not None:
            break
    else:
        raise NotFound
    locale = locale_now()
    today = local_day(line.booked_at)
    details = [
        (translate(N_("种类"), locale), translate(routes_book.KINDS[line.kind], locale)),
        (translate(N_("入账"), locale), formats.when(line.booked_at, today=today, english=locale == "en")),
        (translate(N_("余额"), locale), amount(line.balance_after, book)),
        (translate(N_("流水号"), locale), str(line.entry_id)),
    ]
    if line.kind == "opening":
        details += await _confirmed(line.source_id, locale)
    voucher = await queries_flows.voucher_of_entry(entry_id)
    if voucher is not None:
        sides = await routes_vouchers.owner_words(voucher)
        details += [(translate(N_("转出"), locale), sides[0]), (translate(N_("转入"), locale), sides[1])]
    award_url = f"/awards/{line.source_id}" if line.source_room == "awards" else ""
    order_url = f"/redemption/orders/{line.source_id}" if line.source_kind == "order" else ""
    return page(
        "ledger/entry.html",
        line=shown(line, today, english=locale == "en", decimals=book.decimals),
        book=book,
        details=details,
        is_reversal=line.kind == "reversal",
        award_url=award_url,
        order_url=order_url,
    )


async def _confirmed(list_id: int, locale: str) -> list[tuple[str, str]]:
    """Who answers for points that came from a paper passbook."""
    maker_id, checker_id = await queries_opening.confirmed_by(list_id)
    names = await people.masked_names([maker_id, checker_id])
    return [
        (translate(N_("经办"), locale), names[maker_id]),
        (translate(N_("确认"), locale), names[checker_id]),
    ]


handlers: list[Any] = [
    entry,
    *routes_kinds.handlers,
    *routes_proposals.handlers,
    *routes_opening.handlers,
    *routes_print.handlers,
    *routes_statement.handlers,
    *routes_vouchers.handlers,
    *routes_book.handlers,
    *routes_give.handlers,
    *routes_gifts.handlers,
]

"""Kinds of passbook: what a community settles about each, and the days that follow from it."""

import re
from calendar import monthrange
from datetime import date

import msgspec

from pointsbank.kit.errors import Kind as RefusalKind
from pointsbank.kit.errors import Refusal
from pointsbank.ledger.rules import BASE, MAIN, NEVER, NOTICE_DAYS, POINTS_MAX, Bucket

NAME_LETTERS_MAX = 12
UNIT_LETTERS_MAX = 4
LEAP_YEAR = 2024
CODE = re.compile(r"[a-z][a-z0-9_]{1,19}")


class Denomination(msgspec.Struct, frozen=True):
    """A kind of points as amounts of it are written, and whose its passbooks are."""

    code: str
    name: str
    unit: str
    decimals: int
    holder: str


PLAIN = Denomination(MAIN, "积分", "分", 0, "person")
"""Points of the main kind, as long as no community has said otherwise."""


class CodeTaken(Refusal):
    kind = RefusalKind.CONFLICT
    code = "ledger.kind_code_taken"
    message = "已经有代号是 {taken} 的存折。请换一个代号。"


class WrongCode(Refusal):
    kind = RefusalKind.INVALID
    code = "ledger.kind_code_wrong"
    message = "代号用小写字母开头，只用小写字母、数字和下划线，2 到 20 个字。"


class MainHasNoDecimals(Refusal):
    kind = RefusalKind.INVALID
    code = "ledger.main_kind_has_no_decimals"
    message = "主存折的积分没有小数，商品标价、发放和兑换都是整数。要小数的，请新建一种存折。"


class BaseUnclear(Refusal):
    kind = RefusalKind.INVALID
    code = "ledger.kind_base_unclear"
    message = "有基础积分就要选多久发一次；没有就填 0，选「不发」。"


class ResetDayUnfit(Refusal):
    kind = RefusalKind.INVALID
    code = "ledger.kind_reset_day_unfit"
    message = "清零日的月和日要一起填，而且要真有这一天。不清零就都空着。"


class LimitUnfit(Refusal):
    kind = RefusalKind.INVALID
    code = "ledger.kind_limit_unfit"
    message = "上限不能比基础积分或「留着不能动」的还低，也不能太大。"


class DecimalsFixed(Refusal):
    kind = RefusalKind.CONFLICT
    code = "ledger.kind_decimals_fixed"
    message = "小数位在新建的时候就定了，不能再改。要别的小数位，请新建一种存折。"


class HolderFixed(Refusal):
    kind = RefusalKind.CONFLICT
    code = "ledger.kind_holder_fixed"
    message = "这种存折归个人还是归家庭，已经定了，不能再改。"


class ResetUnderWay(Refusal):
    """Its holders were told that day: what lapses must not hang on who is quicker, a change or the job."""

    kind = RefusalKind.CONFLICT
    code = "ledger.kind_reset_under_way"
    message = "清零日刚过，这种存折还在清零。请过几分钟再改。"


class KindMoved(Refusal):
    kind = RefusalKind.CONFLICT
    code = "ledger.kind_moved"
    message = "别人刚刚改过这种存折。请刷新页面，看过再改。"


class Settings(msgspec.Struct, frozen=True):
    """What can be settled about a kind; all points are in its smallest unit.

    Of what a holder has, `spend_above` stays: only what lies above can be spent. Nothing comes in above `balance_max`:
    the surplus is refused, or goes to the community's pot. At the end of the reset day all is cleared, unless it is
    carried over. So many `notice_days` before points lapse, their holder and the community are told.
    """

    name: str
    unit: str
    decimals: int
    holder: str
    redeemable: bool
    donatable: bool
    transferable: bool
    balance_max: int | None
    surplus: str
    base_points: int
    base_every: str
    base_redeemable: bool
    spend_above: int
    reset_month: int | None
    reset_day: int | None
    carry_over: bool
    notice_days: int = NOTICE_DAYS


def check(code: str, settings: Settings) -> None:
    """Refuse what contradicts itself."""
    if CODE.fullmatch(code) is None:
        raise WrongCode
    if code == MAIN and settings.decimals:
        raise MainHasNoDecimals
    if (settings.base_points == 0) != (settings.base_every == "never"):
        raise BaseUnclear
    month, day = settings.reset_month, settings.reset_day
    if (month is None) != (day is None) or (month and day and day > monthrange(LEAP_YEAR, month)[1]):
        raise ResetDayUnfit
    least = max(settings.base_points, settings.spend_above)
    if not least <= (POINTS_MAX if settings.balance_max is None else settings.balance_max) <= POINTS_MAX:
        raise LimitUnfit


def base_period(every: str, day: date) -> str:
    """What names the period of this day: base points come once in each."""
    return {"once": "once", "month": f"{day:%Y-%m}", "year": f"{day:%Y}"}[every]


def base_start(every: str, day: date) -> date:
    return {"month": day.replace(day=1), "year": day.replace(month=1, day=1)}[every]


def reaching_into(every: str, day: date) -> list[str]:
    """The names of all periods that have a day in common with this day's, however long they are."""
    own = base_period(every, day)
    if every == "year":
        return [own, *(f"{own}-{month:02}" for month in range(1, 13))]
    return [own, base_period("year", day)] if every == "month" else [own]


def base_bucket(every: str, day: date) -> Bucket:
    """Base points that come anew live as long as their period."""
    last_days = {"once": NEVER, "month": month_end(day), "year": day.replace(month=12, day=31)}
    return Bucket(BASE, last_days[every])


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def last_reset(month: int, day_of_month: int, today: date) -> date:
    """The latest reset day that is over: points live through it. In a common year 29 February is the 28th."""
    for year in (today.year, today.year - 1):
        found = date(year, month, min(day_of_month, monthrange(year, month)[1]))
        if found < today:
            return found
    raise AssertionError("one of two years has a reset day that is over")


def next_reset(month: int, day_of_month: int, today: date) -> date:
    """The reset day that points live through today run up to."""
    last = last_reset(month, day_of_month, today)
    return date(last.year + 1, month, min(day_of_month, monthrange(last.year + 1, month)[1]))


def cleared_on(month: int | None, day_of_month: int | None, *, carry_over: bool, today: date) -> date:
    """The last day that points live through whatever their lots say; NEVER where no reset day clears them."""
    if month is None or day_of_month is None or carry_over:
        return NEVER
    return next_reset(month, day_of_month, today)


def smallest(text: str, decimals: int) -> int | None:
    """What was typed, in smallest units: "12.5" with two decimals is 1250; None where it is no such amount."""
    whole, point, part = text.strip().partition(".")
    digits = whole.isascii() and whole.isdigit() and (not point or (part.isascii() and part.isdigit()))
    if not digits or len(part) > decimals:
        return None
    return int(whole + part.ljust(decimals, "0"))

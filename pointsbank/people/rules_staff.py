"""Limits of staff's sign-ins, sessions and second steps, and what is refused about them."""

from datetime import datetime, timedelta

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.people.rules_roles import Role

# Whoever leaves a desk leaves a session open on it: half an hour without a request ends it. A counter stands in the
# open, with its clerk before it, and an afternoon without customers must not sign the clerk out before the next one.
# Pages that renew themselves (the projector of an event) are in use. What was typed into a form is not lost with the
# session: see `web.kept`.
IDLE = timedelta(minutes=30)
IDLE_AT_COUNTER = timedelta(hours=4)
USES_WRITTEN_EVERY = timedelta(minutes=2)
USES_LAG = 2 * USES_WRITTEN_EVERY  # how much later than written down a session may have been used elsewhere

UNUSED = timedelta(days=90)

TICKET_LIFE = timedelta(minutes=5)
PENDING_LIFE = timedelta(minutes=15)
CODE_FAILURES_MAX = 5
CODE_BLOCK = timedelta(minutes=15)

# Whoever does one of these for somebody knows the password, or may have chosen who is to have one.
APPOINTS = ("login.made", "login.password_reset", "role.granted")

# Who issues cards could otherwise spend from them unseen.
ISSUES_CARDS = frozenset({Role.COMMUNITY_ADMIN, Role.GRID_WORKER})


class CounterAndCards(Refusal):
    kind = Kind.CONFLICT
    code = "people.counter_and_cards"
    message = (
        "兑换台和能发卡的岗位（社区管理员、网格员）不能由同一个人在同一社区兼任。"
        "请先收回原来的岗位，或者把这个岗位交给另一个人。"
    )


class SecondStepFirst(Refusal):
    kind = Kind.FORBIDDEN
    code = "people.second_step_first"
    message = "社区要求登录时再输一次验证码，请先设好：打开「我的登录」里的「登录验证码」。"


class TicketExpired(Refusal):
    kind = Kind.EXPIRED
    code = "people.sign_in_ticket_expired"
    message = "等得太久了，请从头再登录一次。"


class WrongCode(Refusal):
    """One answer for wrong, used, blocked: nobody learns how near a guess was."""

    kind = Kind.FORBIDDEN
    code = "people.wrong_code"
    message = "验证码不对，或者已经用过。请等手机上换一个新的再输；连续输错 5 次，要等 15 分钟。"


class NothingToConfirm(Refusal):
    kind = Kind.EXPIRED
    code = "people.nothing_to_confirm"
    message = "这个二维码已经过期。请重新点「开始设置」。"


class SecondStepIsOn(Refusal):
    kind = Kind.CONFLICT
    code = "people.second_step_is_on"
    message = "登录验证码已经开着。要换手机，请先用现在的验证码关掉。"


class NoSecondStep(Refusal):
    kind = Kind.CONFLICT
    code = "people.no_second_step"
    message = "这个人没有开登录验证码，不用解除。"


def may_be_together(role: Role, held: frozenset[Role]) -> bool:
    """Whether somebody with these roles at a community may get this one there as well."""
    after = held | {role}
    return Role.COUNTER_STAFF not in after or not after & ISSUES_CARDS


def idle_minutes(role: Role | None) -> int:
    """After how long without a request a session in this role ends."""
    return int((IDLE_AT_COUNTER if role is Role.COUNTER_STAFF else IDLE).total_seconds()) // 60


def unused_since(made_at: datetime, signed_in_at: datetime | None, last_used_at: datetime | None) -> datetime:
    return max(when for when in (made_at, signed_in_at, last_used_at) if when is not None)

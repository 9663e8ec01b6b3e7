"""Panels: when their votes decide, and what is refused about them."""

from collections import Counter
from collections.abc import Sequence

from pointsbank.awards.rules import REASONS, Reason
from pointsbank.kit.errors import Kind, Refusal

PANEL = "panel"  # its step in a chain


class NotSeated(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.not_seated"
    message = "这条记录不由你评议：没有抽到你，或者你是当事人一户的、经过手的，或者已经不在评议小组。"


class AlreadyVoted(Refusal):
    kind = Kind.CONFLICT
    code = "awards.already_voted"
    message = "你已经投过票了，一人一票，不能再改。"


class TooFewNamed(Refusal):
    kind = Kind.CONFLICT
    code = "awards.too_few_named"
    message = "能参加评议的人还差 {missing} 人，现在不能投。等社区再指定几位评议小组成员。"


def outcome(*, members: int, agree: int, agreed: int, against: int) -> bool | None:
    """Whether the panel lets an award pass; None while its votes leave that open."""
    assert agreed + against <= members < 2 * agree <= 2 * members
    if agreed >= agree:
        return True
    return False if members - against < agree else None


def reason_of(reasons: Sequence[Reason]) -> Reason:
    """Why a panel sends an award back: what most of its members say, among equals what stands first in the list."""
    said = Counter(reasons)
    return max(REASONS, key=lambda reason: said[reason])


def missing(*, members: int, seats: int, free: int) -> int:
    """How many more have to be named before a panel is complete; `free` may sit and do not yet."""
    return max(0, members - seats - free)

"""Review chains, the counters of caps, and what an award says about itself."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum, StrEnum

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules import STREAK, CapKey, Counts, Item, Period, Result, Scope, Table, Used, period_start

NOTICE_DAYS_DEFAULT = 3  # where the published document does not say
BATCH_MAX = 200


class OwnAct(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.own_act"
    message = "自己和同一户家人的记录，不能由自己审核。请另一位管理员来做。"


class SameReviewer(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.same_reviewer"
    message = "这条记录是你记下的，或者上一步就是你审核的。这一步请另一位管理员来做。"


class AlreadyRecorded(Refusal):
    kind = Kind.CONFLICT
    code = "awards.already_recorded"
    message = "这件事已经记过分了，不会再记一次。"


class AlreadyReviewed(Refusal):
    kind = Kind.CONFLICT
    code = "awards.already_reviewed"
    message = "这条记录已经有人处理过了。请刷新页面再看。"


class NotYourStep(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.not_your_step"
    message = "这条记录现在等“{role}”审核，还轮不到这一步。"


class LineNotHeld(Refusal):
    kind = Kind.CONFLICT
    code = "awards.line_not_held"
    message = "这一行已经有人提出异议，或者已经入账、退回。请刷新页面再看。"


class State(StrEnum):
    PENDING = "pending"
    NOTICED = "noticed"
    DISPUTED = "disputed"
    SETTLED = "settled"
    REJECTED = "rejected"


class Settling(Enum):
    """What came of settling an award."""

    BOOKED = "booked"
    WAITS = "waits"  # its budget has no room
    MOVED = "moved"  # somebody else was quicker


STATE_WORDS: dict[State, str] = {
    State.PENDING: "待审核",
    State.NOTICED: "公示中",
    State.DISPUTED: "被异议",
    State.SETTLED: "已入账",
    State.REJECTED: "已退回",
}


class Reason(StrEnum):
    """Why an act is sent back."""

    NOT_THERE = "not_there"
    MINUTES = "minutes"
    WRONG_ITEM = "wrong_item"
    TWICE = "twice"
    NO_EVIDENCE = "no_evidence"
    OBJECTION = "objection"  # by a ruling; not to be chosen by a reviewer, nor those below
    SOMEBODY_ELSE = "somebody_else"
    LEFT = "left"


REASONS: dict[Reason, str] = {
    Reason.NOT_THERE: "本人没有到场",
    Reason.MINUTES: "时长不对",
    Reason.WRONG_ITEM: "积分项选错了",
    Reason.TWICE: "同一件事记了两次",
    Reason.NO_EVIDENCE: "凭据不够",
    Reason.OBJECTION: "公示中有人提出异议，经查属实",
    Reason.SOMEBODY_ELSE: "合并错了人，不是本人做的",
    Reason.LEFT: "本人已退出",
}
_NOT_CHOSEN = (Reason.OBJECTION, Reason.SOMEBODY_ELSE, Reason.LEFT)
REVIEW_REASONS = tuple(reason for reason in REASONS if reason not in _NOT_CHOSEN)


# How an act is known to have happened, where a room says it by a word of its own; other evidence is shown as written.
EVIDENCE_WORDS: dict[str, str] = {
    "screen": "扫现场屏幕上的码签到",
    "poster": "扫海报上的码签到",
    "card": "现场刷积分卡签到",
    "phone": "现场出示手机码签到",
    "picked": "工作人员按名册签到",
}


class Holders(msgspec.Struct, frozen=True):
    """Whose counters an act draws on; None for a person whom no household or building is known of."""

    person_id: int
    household_id: int | None
    building_id: int | None

    def of(self, scope: Scope) -> int:
        """Who has no household or building is one of their own, under the negative of their number."""
        known = {Scope.PERSON: self.person_id, Scope.HOUSEHOLD: self.household_id, Scope.BUILDING: self.building_id}
        found = known[scope]
        return -self.person_id if found is None else found


class Counter(msgspec.Struct, frozen=True):
    """The row of one cap of one holder."""

    scope: Scope
    holder_id: int
    item_code: str
    period: str
    period_start: date
    counts: str = Counts.POINTS


class CounterUse(msgspec.Struct, frozen=True):
    """`points` are times, minutes, parts of a point or acts in a row where the counter counts those.

    Of a row there are none for a further act in a period that is counted.
    """

    counter: Counter
    points: int


def counter_of(key: CapKey, holders: Holders) -> Counter:
    return Counter(key.scope, holders.of(key.scope), key.item_code, key.period, key.period_start, key.counts)


def order_of(counter: Counter) -> tuple[str, int, str, str, date, str]:
    """The one order in which counters are taken everywhere, so that two acts never wait for each other."""
    return counter.scope, counter.holder_id, counter.item_code, counter.period, counter.period_start, counter.counts


def together(key: CapKey, counted: int, merged: int) -> int:
    """What a counter and those of merged records come to. Two rows of one human being are not one twice as long."""
    return max(counted, merged) if key.counts == STREAK else counted + merged


def own_row(period: Period, own: Mapping[date, int], lent: Mapping[date, int]) -> dict[date, int]:
    """What changes in a row once what another record had lent it is gone; each by the first day of its period."""
    changed: dict[date, int] = {}
    for start, count in sorted(own.items()):
        before = period_start(period, start - timedelta(days=1))
        had, left = max(own.get(before, 0), lent.get(before, 0)), changed.get(before, own.get(before, 0))
        if count == had + 1 > left + 1:
            changed[start] = left + 1
    return changed


def uses_of(result: Result, holders: Holders) -> list[CounterUse]:
    return [CounterUse(counter_of(use.key, holders), use.amount) for use in result.uses]


def again_in_row(
    result: Result,
    day: date,
    keys: Mapping[CapKey, Counter],
    used: Used,
    counted: Mapping[Counter, int],
) -> list[CounterUse]:
    """How one more act in a period of a row uses its counter: by nothing, for the period is counted already.

    So it is known that this one stands should the other go. Where that one is of a merged record, the count is written
    down for this record, too: of two, the longer row counts.
    """
    if not result.points + result.clipped or any(use.key.counts == STREAK for use in result.uses):
        return []
    here = [key for key in keys if key.counts == STREAK and key.period_start == period_start(key.period, day)]
    return [CounterUse(keys[key], 0 if counted[keys[key]] else used[key]) for key in here]


def leaves_something(minutes: int, points: int, uses: Sequence[CounterUse]) -> bool:
    """Whether anything else may come of an act: its points, what later acts count on, or minutes for a gate.

    There may be a gate one day, so minutes count whether or not the table has one.
    """
    return points > 0 or minutes > 0 or bool(uses)


def next_role(chain: Sequence[str], given: int) -> str:
    """Empty once every step was passed."""
    assert 0 <= given <= len(chain)
    return chain[given] if given < len(chain) else ""


def notice_days(table: Table, item: Item | None = None) -> int:
    own = None if item is None else item.notice_days
    days = table.notice_days if own is None else own
    return NOTICE_DAYS_DEFAULT if days is None else days


def given_back(uses: Sequence[CounterUse], *, taken: int, of: int) -> list[CounterUse]:
    """What counters get back once `taken` of an award's points were taken back: what stays with the holder stays used.

    The act as such, its times and its minutes, counts until the last point is gone.
    """
    return [
        CounterUse(use.counter, min(use.points, taken) if use.counter.counts == Counts.POINTS else use.points)
        for use in uses
        if use.counter.counts == Counts.POINTS or taken >= of
    ]


BASIS = "《{name}》第 {number} 版"


def basis_of(table: Table, number: int) -> str:
    return BASIS.format(name=table.name, number=number)

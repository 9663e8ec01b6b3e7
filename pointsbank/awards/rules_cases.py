"""Findings that may end in a deduction: which step follows, what is refused, and how long one may object."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from pointsbank.approvals.rules import Subject
from pointsbank.awards.rules import notice_days
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules import NOTHING, Noted
from pointsbank.scoring.rules_table import Item, Process, Table, Veto

APPROVAL_KIND = "awards.case"
REMEDY_KIND = "awards.remedy"
FOUND_DAYS_MAX = 30
"""A finding is told while its holder can still say what happened."""
OBJECT_DAYS_MIN = 3
"""Whatever the table says: nothing is taken before one could object."""


class NoDeduction(Refusal):
    kind = Kind.NOT_FOUND
    code = "awards.no_deduction"
    message = "{day}生效的积分标准里没有编号为 {item_code} 的扣分项、一票否决。请从列出的里选。"


class NotYet(Refusal):
    kind = Kind.INVALID
    code = "awards.not_yet"
    message = "发现的日子不能晚于今天。"


class NotBrought(Refusal):
    kind = Kind.INVALID
    code = "awards.not_brought"
    message = "送到的日子要在确认以后，不能晚于今天。"


class TooLongAgo(Refusal):
    kind = Kind.INVALID
    code = "awards.too_long_ago"
    message = "{days} 天以前的事不能再记：时间长了，本人说不清楚。"


class FoundAlready(Refusal):
    kind = Kind.CONFLICT
    code = "awards.found_already"
    message = "这一户（人）这一天这一项已经记过一次。一天里同一件事只记一次。"


class OwnCase(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.own_case"
    message = "自己和同一户家人的情况，不能由你来办。请另一位工作人员来做。"


class CaseMoved(Refusal):
    kind = Kind.CONFLICT
    code = "awards.case_moved"
    message = "这件事已经有人办过了。请刷新页面再看。"


class CaseChanged(Refusal):
    kind = Kind.CONFLICT
    code = "awards.case_changed"
    message = "记下以后，前面的情况有了变化，这一次该是哪一步和当时不一样了。请退回，重新记一次。"


class NotTheirs(Refusal):
    kind = Kind.NOT_FOUND
    code = "awards.not_theirs"
    message = "没有这封信。"


class OverForObjecting(Refusal):
    kind = Kind.EXPIRED
    code = "awards.over_for_objecting"
    message = "提意见的日子已经过了，或者已经答复过。还有疑问，请打社区的监督电话。"


class SameHands(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.same_hands"
    message = "这件事是你记的、确认的或送达的，不能由你答复。请另一位管理员来做。"


class Step(StrEnum):
    """What a finding leads to: nothing is taken before somebody was advised and warned."""

    ADVICE = "advice"
    WARNING = "warning"
    DEDUCTION = "deduction"
    VETO = "veto"  # needs no warning before; it is told and may be objected to all the same


class Consequence(StrEnum):
    """What a veto leads to."""

    NO_REDEMPTION = "no_redemption"
    RESET_TO_BASE = "reset_to_base"


CARRIED_OUT = (Step.DEDUCTION, Step.VETO)
"""Steps after which something happens when the days are over."""


class CaseState(StrEnum):
    MADE = "made"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    AGREED = "agreed"
    TOLD = "told"
    DISPUTED = "disputed"
    DROPPED = "dropped"
    MADE_GOOD = "made_good"
    BOOKED = "booked"


class Verdict(StrEnum):
    UPHELD = "upheld"
    DISMISSED = "dismissed"


OPEN_STATES = frozenset({CaseState.AGREED, CaseState.TOLD, CaseState.DISPUTED})
"""Those of a letter to which something can still be done."""


class How(StrEnum):
    """How a letter came to its holder."""

    IN_PERSON = "in_person"
    FAMILY = "family"
    DOOR = "door"


STEP_WORDS: dict[Step, str] = {Step.ADVICE: "劝导", Step.WARNING: "警告", Step.DEDUCTION: "扣分", Step.VETO: "一票否决"}
LETTER_WORDS: dict[Step, str] = {
    Step.ADVICE: "劝导书",
    Step.WARNING: "警告书",
    Step.DEDUCTION: "扣分告知书",
    Step.VETO: "一票否决告知书",
}
STATE_WORDS: dict[CaseState, str] = {
    CaseState.MADE: "等另一人确认",
    CaseState.REFUSED: "已退回",
    CaseState.WITHDRAWN: "已撤回",
    CaseState.AGREED: "等送达",
    CaseState.TOLD: "已送达",
    CaseState.DISPUTED: "有异议，等答复",
    CaseState.DROPPED: "已撤销",
    CaseState.MADE_GOOD: "已补救，不扣",
    CaseState.BOOKED: "已扣分",
}
VETO_STATE_WORDS = STATE_WORDS | {CaseState.MADE_GOOD: "已补救，不再执行", CaseState.BOOKED: "已执行"}
VERDICT_WORDS: dict[Verdict, str] = {
    Verdict.UPHELD: "意见有理，这件事撤销",
    Verdict.DISMISSED: "查过了，情况属实",
}
HOW_WORDS: dict[How, str] = {
    How.IN_PERSON: "当面交给本人",
    How.FAMILY: "交给同住的家人",
    How.DOOR: "贴在门上，拍了照",
}


class Case(msgspec.Struct, frozen=True):
    """A finding. With `household_id` it counts for the whole household, else for its person alone."""

    id: int
    community_id: int
    version_id: int
    item_code: str
    person_id: int
    household_id: int | None
    passbook_id: int
    found_on: date
    quantity: int
    what: str
    evidence: str
    made_by: int
    approval_id: int | None
    state: CaseState
    step: Step | None
    points: int
    object_days: int | None
    told_on: date | None
    told_how: How | None
    open_until: date | None
    remedy: str | None
    remedy_by: int | None
    remedy_approval_id: int | None
    taken: int | None
    entry_id: int | None
    consequence: Consequence | None
    barred_until: date | None
    noted: Noted = NOTHING

    @property
    def facts(self) -> list[object]:
        """All that a second person is asked to confirm, but for the step that follows."""
        return [
            self.id, self.version_id, self.item_code, self.person_id, self.household_id, self.passbook_id,
            self.found_on, self.quantity, self.what, self.evidence, *([] if self.noted == NOTHING else [self.noted]),
        ]  # fmt: skip

    @property
    def state_word(self) -> str:
        return (STATE_WORDS if self.consequence is None else VETO_STATE_WORDS)[self.state]

    def is_barred(self, today: date) -> bool:
        """Whether it keeps its holder from redeeming on this day."""
        return self.state == CaseState.BOOKED and self.barred_until is not None and today <= self.barred_until


def subject(case_id: int) -> Subject:
    return Subject("awards", "case", case_id)


def place_of(case_id: int, column: str) -> str:
    """Where the words of a finding stand, for their seal: what, evidence, said, answer, remedy."""
    return f"awards/case/{case_id}/{column}"


def remedy_subject(case_id: int) -> Subject:
    return Subject("awards", "case_remedy", case_id)


def remedy_facts(case_id: int, said: str) -> list[object]:
    return [case_id, said]


def step_after(process: Process, earlier: int) -> Step:
    """The step of a finding before which so many were told, within the months of the process."""
    assert earlier >= 0
    if earlier < process.advice:
        return Step.ADVICE
    return Step.WARNING if earlier < process.advice + process.warnings else Step.DEDUCTION


def counts_after(found_on: date, months: int) -> date:
    """Findings after this day still count for one of `found_on`."""
    year, month = divmod(found_on.year * 12 + found_on.month - 1 - months, 12)
    return date(year, month + 1, min(found_on.day, monthrange(year, month + 1)[1]))


def months_after(told_on: date, months: int) -> date:
    """The last day of so many months that begin with the letter."""
    return counts_after(told_on, -months)


def check_day(found_on: date, today: date) -> None:
    if found_on > today:
        raise NotYet
    if found_on < today - timedelta(days=FOUND_DAYS_MAX):
        raise TooLongAgo(days=FOUND_DAYS_MAX)


def object_days(table: Table, rule: Item | Veto) -> int:
    """For how many full days after the letter one may object."""
    return max(notice_days(table, rule if isinstance(rule, Item) else None), OBJECT_DAYS_MIN)


def open_until(told_on: date, days: int) -> date:
    """The last day on which one may object, and make good."""
    return told_on + timedelta(days=days)


def rule_of(table: Table, code: str) -> Item | Veto | None:
    """What of a table a finding may be of: a deduction, or a veto that is carried out."""
    known: Sequence[Item | Veto] = (*deductions(table), *table.veto_rules)
    return next((rule for rule in known if rule.code == code), None)


def deductions(table: Table) -> Sequence[Item]:
    return [item for item in table.items if item.deduction]

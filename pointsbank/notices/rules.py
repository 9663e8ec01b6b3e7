"""How long a notice is shown, how it is numbered and printed, and on what grounds a line is objected to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.errors import Kind, Refusal

DAYS_MAX = 30
LINES_MAX = 200  # of one transaction
# A job that starts a little after midnight still opens that day's notice; one that is later gives a day more.
GRACE = timedelta(hours=1)
# Lines that fit on A4 with 8 mm each: on a sheet that goes on, and on one that closes with words and a seal.
FIRST_SHEET = 22, 15
LATER_SHEET = 25, 20
LAST_SHEET_MIN = 3


class NoticeOver(Refusal):
    kind = Kind.EXPIRED
    code = "notices.notice_over"
    message = "{number}的公示期已过，不能再记异议。还有疑问，请打社区的监督电话。"


class AlreadyRuled(Refusal):
    kind = Kind.CONFLICT
    code = "notices.already_ruled"
    message = "这件异议已经答复过了，答复只有一次。请刷新页面。"


class About(StrEnum):
    """The room above that opened a notice, and comes back for it."""

    AWARDS = "awards"
    SCORING = "scoring"


class Grounds(StrEnum):
    """Chosen from a list: a free text would sooner or later hold somebody's name."""

    NOT_THERE = "not_there"
    MINUTES = "minutes"
    POINTS = "points"
    WRONG_PERSON = "wrong_person"
    TWICE = "twice"
    OTHER = "other"


GROUNDS: dict[Grounds, str] = {
    Grounds.NOT_THERE: "这次没有来",
    Grounds.MINUTES: "时长不对",
    Grounds.POINTS: "分数不对",
    Grounds.WRONG_PERSON: "不是这个人做的",
    Grounds.TWICE: "同一件事记了两次",
    Grounds.OTHER: "其他，请社区查一查",
}


class Told(msgspec.Struct, frozen=True):
    """What a notice's points are: their kind, as the room above knows it, and how they are written."""

    book_kind: str
    unit: str
    decimals: int


class NewLine(msgspec.Struct, frozen=True):
    """`person_id` is kept beside the line, so that nobody is named who no longer wants to be.

    A line that is not about anybody's points has none.
    """

    shown_name: str
    place: str
    what: str
    points: int
    person_id: int | None = None

    def __post_init__(self) -> None:
        assert self.points >= 0


class HasPoints(Protocol):
    @property
    def points(self) -> int: ...


Line = TypeVar("Line", bound=HasPoints)


class Sheet(NamedTuple, Generic[Line]):
    """One page of paper: its lines and their sum. The last one also has room for the total and the seal."""

    lines: Sequence[Line]
    points: int
    is_last: bool


def shown_until(opened_at: datetime, days: int) -> datetime:
    """The midnight after `days` full local days."""
    assert 0 < days <= DAYS_MAX
    first = local_day(opened_at)
    if opened_at - start_of_day(first) > GRACE:
        first += timedelta(days=1)
    return start_of_day(first + timedelta(days=days))


def number_of(year: int, count: int) -> str:
    return f"〔{year}〕{count} 号"


def sheets(lines: Sequence[Line]) -> list[Sheet[Line]]:
    """Spread lines over paper so that the closing words never stand on a page without lines."""
    made: list[Sheet[Line]] = []
    start = 0
    most, most_of_last = FIRST_SHEET
    while len(lines) - start > most_of_last:
        end = min(start + most, len(lines) - LAST_SHEET_MIN)
        made.append(_sheet(lines[start:end], is_last=False))
        start = end
        most, most_of_last = LATER_SHEET
    return [*made, _sheet(lines[start:], is_last=True)]


def _sheet(lines: Sequence[Line], *, is_last: bool) -> Sheet[Line]:
    return Sheet(lines, sum(line.points for line in lines), is_last)


def place_of(line_id: int) -> str:
    """Where the words of an objection to a line stand, for their seal."""
    return f"notices/line/{line_id}/words"

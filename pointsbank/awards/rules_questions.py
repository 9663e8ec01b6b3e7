"""What somebody may ask about an award, and by when the community answers."""

from datetime import date, timedelta
from enum import StrEnum

from pointsbank.kit.errors import Kind, Refusal

ANSWER_LETTERS_MAX = 200
ANSWER_WORKDAYS = 3
_SATURDAY = 5


class AlreadyAsked(Refusal):
    kind = Kind.CONFLICT
    code = "awards.already_asked"
    message = "这一条已经有疑问在等答复，不用再提。答复会写在这一页。"


class AlreadyAnswered(Refusal):
    kind = Kind.CONFLICT
    code = "awards.already_answered"
    message = "这条疑问已经有人答复过了。请刷新页面再看。"


class OwnQuestion(Refusal):
    kind = Kind.FORBIDDEN
    code = "awards.own_question"
    message = "自己和同一户家人的疑问，不能由自己答复。请另一位管理员来做。"


class Doubt(StrEnum):
    """Chosen from a list: a free text would sooner or later hold somebody's name."""

    UNCLEAR = "unclear"
    MINUTES = "minutes"
    QUANTITY = "quantity"
    POINTS = "points"
    NOT_MINE = "not_mine"
    OTHER = "other"


DOUBTS: dict[Doubt, str] = {
    Doubt.UNCLEAR: "看不懂，请讲给我听",
    Doubt.MINUTES: "时长不对",
    Doubt.QUANTITY: "次数或数量不对",
    Doubt.POINTS: "分数不对",
    Doubt.NOT_MINE: "这不是我做的",
    Doubt.OTHER: "别的，请社区联系我",
}


def answer_by(asked_on: date) -> date:
    """The last day on which an answer is in time; weekends do not count, holidays do, since nobody here knows them."""
    day, left = asked_on, ANSWER_WORKDAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return day

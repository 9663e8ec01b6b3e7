"""The life of a version: which steps there are, why one is refused, and what a public notice says of the changes."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.notices.rules import NewLine
from pointsbank.scoring.rules_differences import Difference, described, differences
from pointsbank.scoring.rules_table import Item, Table
from pointsbank.scoring.rules_words import FIELD_LABELS, Write

UNDER_WAY = ("draft", "discussion", "noticed")
FIXED = ("scheduled", "in_force", "retired")
NOTICE_DAYS = 7  # unless a community says otherwise, which takes two to make shorter
WORDS_LETTERS_MAX = 300
PEOPLE_MAX = 100_000


class WrongStep(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.wrong_step"
    message = "这一版积分标准已经到了别的一步。请刷新页面再看。"


class OwnDraft(Refusal):
    kind = Kind.FORBIDDEN
    code = "scoring.own_draft"
    message = "这一版里有你起草或改过的内容。公示、答复意见和定生效日期，要请另一位管理员来办。"


class CodeEnded(Refusal):
    kind = Kind.INVALID
    code = "scoring.code_ended"
    message = "编号 {codes} 以前用过，已经停用。停用的号不再用，旧账和上限才不会算到别的项上。请换一个编号。"


class VersionWaits(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.version_waits"
    message = "第 {number} 版已经公布，{day} 零点起生效。要再改，请从那天起另起一份草稿。"


class VotesExceed(Refusal):
    kind = Kind.INVALID
    code = "scoring.votes_exceed"
    message = "同意、反对和弃权合计 {votes} 人，比到会的 {present} 人多。请核对。"


class MeetingOutOfTime(Refusal):
    kind = Kind.INVALID
    code = "scoring.meeting_out_of_time"
    message = "会议日期要在 {first} 到 {last} 之间：草稿 {first} 还改过，以后的会还没有开。"


class NoRecord(Refusal):
    kind = Kind.INVALID
    code = "scoring.no_record"
    message = "还没有选会议记录，或者选的文件是空的。请选一张照片或一份 PDF。"


class NoMeeting(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.no_meeting"
    message = "还没有登记居民议事会，不能公示。请先登记会议。"


class NotCarried(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.not_carried"
    message = "到会 {present} 人，同意 {votes_for} 人，没有过半数，不能公示。请退回起草，改好以后再议。"


class NothingChanged(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.nothing_changed"
    message = "这一版和现行的一样，没有要公示的改动。请先在草稿里改好，再交给议事会。"


class NoticeTooShort(Refusal):
    kind = Kind.INVALID
    code = "scoring.notice_too_short"
    message = "积分标准要公示 {least} 到 {most} 天。请改一下天数。"


class StartsTooEarly(Refusal):
    kind = Kind.INVALID
    code = "scoring.starts_too_early"
    message = "最早 {earliest} 起生效：要等公示期满，并且不早于公示上写的日期。请改一个日期。"


class NoticeRuns(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.notice_runs"
    message = "公示期还没有满，不能定生效日期。请在 {day} 以后再来。"


class Unanswered(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.unanswered"
    message = "还有 {count} 条意见没有答复，不能定生效日期。请先逐条答复。"


class UnansweredYet(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.unanswered_yet"
    message = "还有 {count} 条意见没有答复，不能退回起草。请先请没有起草过的管理员逐条答复。"


class NotLowered(Refusal):
    kind = Kind.FORBIDDEN
    code = "scoring.not_lowered"
    message = "公示天数可以加长。现在是 {least} 天，要缩短，请在有新的一版时由没有起草过它的管理员来办。"


class OwnObjection(Refusal):
    kind = Kind.FORBIDDEN
    code = "scoring.own_objection"
    message = "这条意见是你自己、家里人提的，或是你代记的，不能由你来答复。请另一位管理员来答复。"


class Back(StrEnum):
    """Why a version goes back to being a draft: a code, since a free text would sooner or later hold a name."""

    NOT_CARRIED = "not_carried"
    OBJECTION = "objection"
    MISTAKE = "mistake"
    OTHER = "other"


BACK: dict[Back, str] = {
    Back.NOT_CARRIED: "议事会没有通过",
    Back.OBJECTION: "采纳了居民的意见",
    Back.MISTAKE: "内容有误",
    Back.OTHER: "其他",
}
MARKS = {"added": "新", "changed": "改", "ended": "停"}
WHOLE = "全部"
ADDED = "新增：{what}"
SAID = "{label}：{words}"
ENDED = "停用"
CHANGED = "{label}：{old}，改为 {new}"
NOTHING = "无"


def place_of(meeting_id: int) -> str:
    """Where the minutes of a meeting lie, for their seal."""
    return f"scoring/meeting/{meeting_id}/record"


def is_carried(present: int, votes_for: int) -> bool:
    """More than half of those who came."""
    return 2 * votes_for > present


def notice_lines(old: Table | None, new: Table, book_kinds: Mapping[str, Denomination]) -> list[NewLine]:
    """What changes, item by item, after a line for the whole; no lines where nothing does.

    They are written once, in Chinese, as they hang on the board.
    """
    write = _writing(book_kinds)
    changed = differences(old, new, write=write)
    if not changed and old is not None:
        return []
    items = {item.code: item for item in new.items}
    return [
        NewLine(new.name, WHOLE, new.document, 0),
        *(NewLine(_name(one), MARKS[one.what], _told(one, items.get(one.code), write), 0) for one in changed),
    ]


def _name(one: Difference) -> str:
    return f"{one.code} {one.name}".strip()


def _told(one: Difference, item: Item | None, write: Write) -> str:
    if one.what == "ended":
        return ENDED
    if one.what == "added":
        assert item is not None
        said = [
            SAID.format(label=FIELD_LABELS.get(field, field), words=words)
            for field, words in described(item, write=write)
        ]
        return ADDED.format(what="；".join(said))
    return "；".join(
        CHANGED.format(
            label=FIELD_LABELS.get(change.field, change.field), old=change.old or NOTHING, new=change.new or NOTHING
        )
        for change in one.changes
    )


def _writing(book_kinds: Mapping[str, Denomination]) -> Write:
    def write(code: str, points: int) -> str:
        of = book_kinds.get(code, PLAIN)
        digits = str(points).rjust(of.decimals + 1, "0")
        whole, part = (digits[: -of.decimals], digits[-of.decimals :]) if of.decimals else (digits, "")
        return f"{whole}.{part} {of.unit}" if part else f"{whole} {of.unit}"

    return write


def earliest_start(notice_ends: date, announced: date | None, today: date) -> date:
    """The first day from which a version may be in force.

    `notice_ends` is the day that begins as the notice ends: on that day at the earliest somebody sets the date.
    """
    earliest = max(notice_ends, today).toordinal() + 1
    return max(date.fromordinal(earliest), announced or date.min)

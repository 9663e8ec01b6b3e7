"""When somebody may check in, what a code proves, how many minutes count; and every way to say no."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from pointsbank.kit.clock import ZONE, local_day
from pointsbank.kit.errors import Kind, Refusal

OPEN_BEFORE = timedelta(minutes=30)
OUT_AFTER = timedelta(hours=1)
STAY_MIN = timedelta(minutes=20)  # only then a scan is taken for a check-out
PLAN_MAX = timedelta(hours=16)
PLAN_MINUTES_MAX = PLAN_MAX // timedelta(minutes=1)
TITLE_LENGTH_MAX = 30
TITLE_LINE, TITLE_LARGE_MAX = 6, 12
VENUE_LENGTH_MAX = 60
CONTACT_LENGTH_MAX = 40
SEATS_MAX = 100_000
LINES_MAX = 200
POSTER_STATION, SCREEN_STATION = 0, 1
_PHONE = re.compile(r"[0-9][0-9 -]{5,}[0-9]$")


class NotOpenYet(Refusal):
    """The activity is a draft; residents do not see it."""

    kind = Kind.CONFLICT
    code = "events.not_published"
    message = "“{title}”还没有发布，不能签到。请先发布活动。"


class Cancelled(Refusal):
    kind = Kind.EXPIRED
    code = "events.cancelled"
    message = "“{title}”取消了。有疑问请找 {contact}。"


class TooEarly(Refusal):
    kind = Kind.CONFLICT
    code = "events.too_early"
    message = "{opens} 开始签到，现在 {now}。到时候再扫一次。"


class Over(Refusal):
    kind = Kind.EXPIRED
    code = "events.over"
    message = "已结束，请找{contact}补签。"


class Full(Refusal):
    kind = Kind.LIMITED
    code = "events.full"
    message = "{seats} 个名额满了，这次不能签到。请问 {contact} 有没有空位。"


class AlreadyIn(Refusal):
    kind = Kind.CONFLICT
    code = "events.already_in"
    message = "{since} 已签到，不用再签。"


class AlreadyOut(Refusal):
    kind = Kind.CONFLICT
    code = "events.already_out"
    message = "{since} 已签退，不用再签。"


class NotIn(Refusal):
    kind = Kind.CONFLICT
    code = "events.not_in"
    message = "没有签到，不能签退。请先签到；已经散场就找{contact}补签。"


class InElsewhere(Refusal):
    kind = Kind.CONFLICT
    code = "events.in_elsewhere"
    message = "正在参加“{title}”，还没有签退。请先在那里签退，再来签到。"


class StruckOff(Refusal):
    kind = Kind.CONFLICT
    code = "events.struck_off"
    message = "这次签到已被划去。有疑问请找{contact}。"


class OtherCommunity(Refusal):
    kind = Kind.FORBIDDEN
    code = "events.other_community"
    message = "这是别的社区的活动，你的存折记不了。请找现场工作人员。"


class CodeGone(Refusal):
    kind = Kind.EXPIRED
    code = "events.code_gone"
    message = "这个码已经换了。请扫现场大屏上的新码。"


class CodeOfAnother(Refusal):
    kind = Kind.CONFLICT
    code = "events.code_of_another"
    message = "这是另一场活动的码。请扫本场活动的码。"


class TicketExpired(Refusal):
    kind = Kind.EXPIRED
    code = "events.ticket_expired"
    message = "这一页打开超过 5 分钟，或不是在这部手机上打开的。请再扫一次现场的码。"


class NothingAgreed(Refusal):
    kind = Kind.INVALID
    code = "events.nothing_agreed"
    message = "要同意登记，才能签到。不同意也可以带积分卡，请现场工作人员登记。"


class StillOn(Refusal):
    kind = Kind.CONFLICT
    code = "events.still_on"
    message = "活动 {ends} 才结束，现在请在「签到签退」里点名。散场后才补签。"


class BadTimes(Refusal):
    kind = Kind.INVALID
    code = "events.bad_times"
    message = "到场要在活动时间里，离场要晚于到场。请照签到表改时间。"


class BadPlan(Refusal):
    kind = Kind.INVALID
    code = "events.bad_plan"
    message = "活动要在将来开始，结束晚于开始，最长 {hours} 小时。请改时间。"


class BadActivity(Refusal):
    kind = Kind.INVALID
    code = "events.bad_activity"
    message = "名称、地点、联系人都要写，不能太长，也不能有看不见的字符。"


class NotAnEventItem(Refusal):
    kind = Kind.INVALID
    code = "events.not_an_event_item"
    message = "积分项目 {item_code} 不能用在活动上，或那天还没有生效。请另选一项。"


class NotADraft(Refusal):
    kind = Kind.CONFLICT
    code = "events.not_a_draft"
    message = "活动已经发布或取消，不能再改。请复制一份再改。"


class PeopleAreIn(Refusal):
    kind = Kind.CONFLICT
    code = "events.people_are_in"
    message = "已有 {count} 人签到，不能取消。请散场后核对时长。"


class NotConfirmable(Refusal):
    kind = Kind.CONFLICT
    code = "events.not_confirmable"
    message = "这场活动没有发布，或已经核对完。请回到活动页看看。"


class LineGone(Refusal):
    kind = Kind.CONFLICT
    code = "events.line_gone"
    message = "有一行已经被别人核对过。请刷新页面再核对剩下的。"


class OwnLine(Refusal):
    kind = Kind.FORBIDDEN
    code = "events.own_line"
    message = "自己和同一户家人的时长不能自己核对。请另一位负责人或管理员来核对这一行。"


class LineNotSettled(Refusal):
    kind = Kind.CONFLICT
    code = "events.line_not_settled"
    message = "有一行还没有核对身份（待核对），不能确认时长。请先在“居民”里核对这个人。"


class SameHours(Refusal):
    kind = Kind.CONFLICT
    code = "events.same_hours"
    message = "有人同一时间在“{title}”的时长已经确认，不能再算一次。请划去这一行，或改短时长。"


class StillIn(Refusal):
    kind = Kind.CONFLICT
    code = "events.still_in"
    message = "有人还没有签退，活动 {ends} 才结束。请等散场，或先让本人签退。"


class TooLong(Refusal):
    kind = Kind.INVALID
    code = "events.too_long"
    message = "最多 {most} 分钟：不能超过签到到签退的时间，也不能超过活动时间。请改短。"


class LineFacts(Refusal):
    kind = Kind.INVALID
    code = "events.line_facts"
    message = "签到 {attendance} 这一行：{why}"


class NotOver(Refusal):
    kind = Kind.CONFLICT
    code = "events.not_over"
    message = "活动 {ends} 才结束，还不能结束核对。"


class Way(StrEnum):
    SCREEN = "screen"
    POSTER = "poster"
    CARD = "card"
    PHONE = "phone"
    PICKED = "picked"


class Doubt(StrEnum):
    """Why a line is not ticked beforehand."""

    OWN = "own"
    PROVISIONAL = "provisional"
    NO_MINUTES = "no_minutes"
    STILL_IN = "still_in"
    NOT_OUT = "not_out"
    POSTER = "poster"
    PICKED = "picked"


BLOCKING = frozenset({Doubt.OWN, Doubt.PROVISIONAL, Doubt.NO_MINUTES, Doubt.STILL_IN})


@dataclass(frozen=True, slots=True)
class Plan:
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        assert self.starts_at < self.ends_at

    @property
    def opens_at(self) -> datetime:
        return self.starts_at - OPEN_BEFORE

    @property
    def minutes(self) -> int:
        return _minutes(self.ends_at - self.starts_at)


def check_plan(plan_starts_at: datetime, plan_ends_at: datetime, now: datetime) -> None:
    """Refuse hours that nobody can attend any more, or that no activity lasts."""
    if not now < plan_ends_at or not timedelta(0) < plan_ends_at - plan_starts_at <= PLAN_MAX:
        raise BadPlan(hours=PLAN_MAX // timedelta(hours=1))


def check_open(plan: Plan, at: datetime, contact: str) -> None:
    """Whether a code is shown, and a check-in counts, at this time."""
    if at < plan.opens_at:
        raise TooEarly(opens=told(plan.opens_at, at), now=told(at, at))
    if at >= plan.ends_at:
        raise Over(contact=contact)


def began(plan: Plan, in_at: datetime) -> datetime:
    """Who comes early serves from the start of the plan."""
    return max(in_at, plan.starts_at)


def minutes_max(plan: Plan, in_at: datetime, out_at: datetime | None) -> int:
    """Whole minutes between in and out, inside the plan; without a check-out up to the planned end."""
    ended = plan.ends_at if out_at is None else min(out_at, plan.ends_at)
    return max(0, _minutes(ended - began(plan, in_at)))


def doubts(
    *, plan: Plan, in_at: datetime, in_way: str, out_at: datetime | None, state: str, is_own: bool, now: datetime
) -> list[Doubt]:
    """Everything that speaks against ticking a line beforehand; `state` is the person's."""
    found = []
    if is_own:
        found.append(Doubt.OWN)
    if state == "provisional":
        found.append(Doubt.PROVISIONAL)
    if out_at is None:
        found.append(Doubt.STILL_IN if now < plan.ends_at else Doubt.NOT_OUT)
    if minutes_max(plan, in_at, out_at) == 0:
        found.append(Doubt.NO_MINUTES)
    if in_way == Way.POSTER:
        found.append(Doubt.POSTER)
    if in_way == Way.PICKED:
        found.append(Doubt.PICKED)
    return found


def check_late(plan: Plan, in_at: datetime, out_at: datetime, now: datetime) -> None:
    """Whether times from a sheet of paper can be right; while people may still come, they come by the door."""
    if now < plan.ends_at:
        raise StillOn(ends=told(plan.ends_at, now))
    if not plan.opens_at <= in_at < plan.ends_at or not in_at < out_at <= min(plan.ends_at + OUT_AFTER, now):
        raise BadTimes


def moment_on_sheet(plan: Plan, clock: time) -> datetime:
    """The moment that a time on the sheet means: on the day of the activity, or past midnight if it lasts so long."""
    local = plan.opens_at.astimezone(ZONE)
    moment = datetime.combine(local.date(), clock, ZONE)
    return (
        moment + timedelta(days=1) if moment < local and plan.ends_at.astimezone(ZONE).date() > local.date() else moment
    )


def told(moment: datetime, now: datetime) -> str:
    """The clock, with the day in front where it is another one; alike in both languages."""
    local = moment.astimezone(ZONE)
    return f"{local:%H:%M}" if local_day(moment) == local_day(now) else f"{local:%m-%d %H:%M}"


def number(activity_id: int, starts_at: datetime) -> str:
    """What is printed on the poster and told over the telephone."""
    return f"{starts_at.astimezone(ZONE):%m%d}-{activity_id:02}"


def title_lines(title: str) -> list[str]:
    """Large type takes six characters to a line; a last line of one character looks like a mistake."""
    if not TITLE_LINE < len(title) <= TITLE_LARGE_MAX:
        return [title]
    middle = len(title) // 2
    return [title[:middle], title[middle:]]


def split_contact(contact: str) -> tuple[str, str]:
    """The name and the telephone number of a contact; either may be empty."""
    found = _PHONE.search(contact)
    return (contact, "") if found is None else (contact[: found.start()].strip(), found.group())


def _minutes(span: timedelta) -> int:
    return span // timedelta(minutes=1)

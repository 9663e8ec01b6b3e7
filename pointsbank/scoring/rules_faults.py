"""Why a scoring table cannot be adopted: each fault with the item and the field where it is, in plain words."""

import re
import unicodedata
from collections.abc import Collection, Iterator

import msgspec

from pointsbank.ledger.rules_kinds import CODE
from pointsbank.scoring.rules_table import (
    FIELD_LABELS,
    Basis,
    Cap,
    Item,
    Period,
    Rounding,
    Say,
    Scope,
    Table,
    Validity,
    ValidityKind,
    shown,
)

POINTS_MAX = 100_000  # of one item for one unit
CAP_MAX = 100_000_000
MINUTES_MAX = 24 * 60
MONTHS_MAX = 120

FAULTS: dict[str, str] = {
    "text": "“{label}”要填写，一行以内，最多 {most} 个字，不能有看不见的字符。",
    "out_of_range": "“{label}”现在是 {value}，应在 {least} 到 {most} 之间。",
    "code": "编号“{value}”写法不对。请用一个大写字母加两到三位数字，例如 A01。",
    "duplicate_code": "编号 {value} 用了两次。请给其中一项换一个编号。",
    "no_items": "这张表还没有可以得分的项。请至少写一项。",
    "range": "最高分值 {value} 要大于最低分值 {least}。",
    "not_per_minutes": "“{label}”只用于按时长计分的项。请删去，或把计分方式改为按时长。",
    "never_a_block": "一次最多计 {most} 分钟，不够一个 {block} 分钟，永远得不到分。",
    "never_long_enough": "最少要 {least} 分钟，却最多只计 {most} 分钟。请把最多的改大。",
    "not_whole": "按系数 {percent}% 算，分值不是整数。请改系数或分值。",
    "duplicate_cap": "同一个上限写了两次：{cap}。请留一个。",
    "act_scope": "一次的上限只能按人算。请把“上限管谁”改为每人。",
    "review": "“谁来审核”至少写一人，不能重复。",
    "months": "只有按月数有效时才写月数。",
    "years": "只有按年数有效时才写年数。",
    "deduction": "扣分项现在不能录入：扣分要先告知、听本人说明、可以申诉。请删去这一项。",
    "deduction_rights": "“{word}”是居民依法享有的权利，不能因此扣分。请删去这一项。",
    "deduction_not_volunteering": "志愿服务和活动凭自愿，不参加不能扣分。请删去这一项。",
    "paid_silence": "不能用加分换居民不用自己的权利（{word}）。请删去这一项。",
    "book_kind": "“记入哪种存折”要写存折种类的代号。主存折是 points。",
    "unknown_kind": "没有代号是 {value} 的存折种类。请先在“存折种类”里新建，或改记主存折（points）。",
    "main_has_no_decimals": "主存折的积分没有小数。小数位数请写 0；要小数的项，请记入有小数的存折种类。",
    "benefit": "积分不能影响{word}这类依法享有的待遇或办事。请删去这句话。",
}

BENEFIT = re.compile(
    "低保|特困|救助|医保|医疗|养老金|养老保险|补贴|抚恤|优抚|入学|上学|户口|户籍|身份证|公租房|手续|证明|选举"
)
RESTRICTION = re.compile("限制|取消|暂停|停发|停办|扣发|不予|不得|不准|不能|不给|缓办|延后|拒绝|拒办|降低|剥夺")
RIGHT = re.compile("上访|信访|投诉|举报|检举|控告|诉讼|起诉|打官司|复议|申诉|仲裁|言论|维权|选举|罢免")
NOT_VOLUNTEERING = re.compile("(不|未|没|没有|拒绝|拒不).{0,3}(参加|参与|报名|出席|到场|捐|志愿)|缺席|缺勤")
PAID_SILENCE = re.compile(f"息访|息诉|(不|零|无|未|没有|放弃|撤回|撤销|停止).{{0,3}}({RIGHT.pattern})")


class Fault(msgspec.Struct, frozen=True):
    """Why a table cannot be adopted; `item_code` is empty for the table as a whole."""

    item_code: str
    field: str
    key: str
    facts: dict[str, str | int]

    @property
    def text(self) -> str:
        return self.said(str.format)

    def said(self, say: Say) -> str:
        words = say(FAULTS[self.key], **self.facts)
        return f"{self.item_code}：{words}" if self.item_code else words


def faults(table: Table, book_kinds: Collection[str] | None = None) -> list[Fault]:
    """All that is wrong; `book_kinds` are the codes of the kinds of passbook there are, None where nobody knows."""
    found = list(_table_faults(table))
    codes: set[str] = set()
    for item in table.items:
        if item.code in codes:
            found.append(Fault(item.code, "code", "duplicate_code", {"value": item.code}))
        codes.add(item.code)
        found += _item_faults(item)
        if book_kinds is not None and item.book_kind not in book_kinds:
            found.append(Fault(item.code, "book_kind", "unknown_kind", {"value": item.book_kind}))
    return found


def _table_faults(table: Table) -> Iterator[Fault]:
    for field, most in (("name", 60), ("place", 120), ("document", 120), ("unit_name", 6)):
        yield from _text("", field, getattr(table, field), most)
    for field in ("consequences", "notes"):
        for line in getattr(table, field):
            yield from _text("", field, line, 300)
    for line in table.consequences:
        if (benefit := BENEFIT.search(line)) and RESTRICTION.search(line):
            yield Fault("", "consequences", "benefit", {"word": benefit.group()})
    if not table.items:
        yield Fault("", "items", "no_items", {})
    if table.decimals:
        yield Fault("", "decimals", "main_has_no_decimals", {})
    yield from _within("", "notice_days", table.notice_days, 0, 30)
    yield from _within("", "yuan_per_point_cents", table.yuan_per_point_cents, 1, 100_000)
    yield from _validity_faults(table.validity)
    yield from _cap_faults("", table.caps)


def _validity_faults(validity: Validity) -> Iterator[Fault]:
    for kind, field, count, most in (
        (ValidityKind.MONTHS, "months", validity.months, MONTHS_MAX),
        (ValidityKind.YEARS, "years", validity.years, MONTHS_MAX // 12),
    ):
        if validity.kind is kind:
            yield from _within("", field, count, 1, most)
        elif count:
            yield Fault("", field, field, {})


def _item_faults(item: Item) -> Iterator[Fault]:
    code = item.code
    if not re.fullmatch("[A-Z][0-9]{2,3}", code):
        yield Fault(code, "code", "code", {"value": code})
    for field, most in (("category", 20), ("name", 60), ("evidence", 120)):
        yield from _text(code, field, getattr(item, field), most)
    if CODE.fullmatch(item.book_kind) is None:
        yield Fault(code, "book_kind", "book_kind", {})
    yield from _rights_faults(item)
    yield from _within(code, "points", item.points, 1, POINTS_MAX)
    yield from _within(code, "range_max", item.range_max, 1, POINTS_MAX)
    if item.range_max is not None and item.range_max <= item.points:
        yield Fault(code, "range_max", "range", {"value": item.range_max, "least": item.points})
    yield from _within(code, "multiplier_percent", item.multiplier_percent, 1, 1_000)
    # A panel may fix any value of a range, so there only whole multiples stay whole.
    if item.multiplier_percent * (1 if item.range_max else item.points) % 100:
        yield Fault(code, "multiplier_percent", "not_whole", {"percent": item.multiplier_percent})
    yield from _within(code, "share_min_percent", item.share_min_percent, 0, 100)
    yield from _within(code, "quantity_min", item.quantity_min, 1, POINTS_MAX)
    yield from _minutes_faults(item)
    yield from _cap_faults(code, item.caps)
    if not item.review or len(set(item.review)) < len(item.review):
        yield Fault(code, "review", "review", {})


def _rights_faults(item: Item) -> Iterator[Fault]:
    words = f"{item.category} {item.name} {item.evidence}"
    if not item.deduction:
        if silence := PAID_SILENCE.search(words):
            yield Fault(item.code, "name", "paid_silence", {"word": silence.group()})
    elif right := RIGHT.search(words):
        yield Fault(item.code, "deduction", "deduction_rights", {"word": right.group()})
    elif NOT_VOLUNTEERING.search(words):
        yield Fault(item.code, "deduction", "deduction_not_volunteering", {})
    else:
        yield Fault(item.code, "deduction", "deduction", {})
    if (benefit := BENEFIT.search(words)) and RESTRICTION.search(words):
        yield Fault(item.code, "name", "benefit", {"word": benefit.group()})


def _minutes_faults(item: Item) -> Iterator[Fault]:
    code, most = item.code, item.minutes_max_per_act
    yield from _within(code, "block_minutes", item.block_minutes, 1, MINUTES_MAX)
    yield from _within(code, "minutes_min", item.minutes_min, 0, MINUTES_MAX)
    yield from _within(code, "minutes_max_per_act", most, 1, MINUTES_MAX)
    if item.basis is not Basis.PER_MINUTES:
        for field in ("block_minutes", "rounding", "minutes_max_per_act"):
            if getattr(item, field) != getattr(BLANK, field):
                yield Fault(code, field, "not_per_minutes", {"label": FIELD_LABELS[field]})
    elif most is not None and most < item.minutes_min:
        facts: dict[str, str | int] = {"least": item.minutes_min, "most": most}
        yield Fault(code, "minutes_max_per_act", "never_long_enough", facts)
    elif most is not None and most < item.block_minutes and item.rounding is Rounding.DOWN:
        facts = {"most": most, "block": item.block_minutes}
        yield Fault(code, "minutes_max_per_act", "never_a_block", facts)


def _cap_faults(code: str, caps: tuple[Cap, ...]) -> Iterator[Fault]:
    seen = set()
    for cap in caps:
        yield from _within(code, "caps", cap.points, 1, CAP_MAX)
        if cap.period is Period.ACT and cap.scope is not Scope.PERSON:
            yield Fault(code, "caps", "act_scope", {})
        if (cap.scope, cap.period) in seen:
            yield Fault(code, "caps", "duplicate_cap", {"cap": shown(cap)})
        seen.add((cap.scope, cap.period))


def _text(code: str, field: str, value: str, most: int) -> Iterator[Fault]:
    invisible = any(unicodedata.category(character)[0] == "C" for character in value)
    if not value.strip() or len(value) > most or invisible:
        yield Fault(code, field, "text", {"label": FIELD_LABELS[field], "most": most})


def _within(code: str, field: str, value: int | None, least: int, most: int) -> Iterator[Fault]:
    if value is not None and not least <= value <= most:
        facts: dict[str, str | int] = {"label": FIELD_LABELS[field], "value": value, "least": least, "most": most}
        yield Fault(code, field, "out_of_range", facts)


BLANK = Item(code="", category="", name="", basis=Basis.PER_TIME, points=0, evidence="")

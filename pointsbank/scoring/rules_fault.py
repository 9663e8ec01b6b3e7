"""One fault of a scoring table, in plain words, and how texts and numbers are found wrong."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pointsbank.scoring.rules_ranges import EACH_RANGE, EACH_WORDS, FREE_WORDS, RANGES, WORDS
from pointsbank.scoring.rules_table import Cap
from pointsbank.scoring.rules_words import FIELD_LABELS, Say, shown

FAULTS: dict[str, str] = {
    "text": "“{label}”要填写，一行以内，最多 {most} 个字，不能有看不见的字符。",
    "out_of_range": "“{label}”现在是 {value}，应在 {least} 到 {most} 之间。",
    "code": "编号“{value}”写法不对。请用一个大写字母加两到三位数字，例如 A01。",
    "duplicate_code": "编号 {value} 用了两次。请给其中一项换一个编号。",
    "duplicate_name": "“{label}”里，“{value}”写了两次。请留一个。",
    "no_items": "这张表还没有可以得分的项，不能公布。请至少写一项。",
    "value_unknown": "原文没有写“{value}”记多少，不能公布。请先议定分值，填进来。",
    "range": "最高分值 {value} 要大于最低分值 {least}。",
    "range_unpriced": "写了最高分值，就要写最低分值。请填写“分值”。",
    "not_for_basis": "“{label}”不用于“{basis}”的项。请删去，或改计分方式。",
    "for_basis": "“{basis}”的项要写“{label}”。请补上。",
    "points_elsewhere": "“{basis}”的项，分值写在“{label}”里。请删去“分值”。",
    "points_by_met": "“做到几条得几分”最多写 {most} 个数，不能一个比一个小。",
    "never_a_block": "一次最多计 {most} 分钟，不够一个 {block} 分钟，永远得不到分。",
    "never_long_enough": "最少要 {least} 分钟，却最多只计 {most} 分钟。请把最多的改大。",
    "never_over": "一次最多计 {most} 分钟，递增加分却从超过 {above} 分钟算起，永远加不到。",
    "streak": "“连续加分”要写加多少分（points）或按百分之几计（percent），只写一样。",
    "streak_period": "“连续加分”按每天、每周、每月这样数，不能按每次或累计。",
    "clock": "“{value}”不是几点几分。请写成 22:00 这样，从几点和到几点不能一样。",
    "multiplier_twice": "系数“{value}”整张表里也有，勾一次会乘两次。请留一处。",
    "half_window": "系数“{value}”的时段，“从几点”“到几点”要一起写。",
    "cap_counts": "一个上限只写一样：points（分）、times（次）或 minutes（分钟）。",
    "cap_act": "“每次”的上限只能写 points（分）。一次最多计多少分钟，请写 minutes_max_per_act。",
    "cap_above": "{cap}，比{other}还多，永远用不到。请改小或删去。",
    "cap_above_table": "{cap}，比整张表的上限（{other}）还多，永远用不到。请改小或删去。",
    "duplicate_cap": "同一个上限写了两次：{cap}。请留一个。",
    "act_scope": "一次的上限只能按人算。请把“上限管谁”改为每人。",
    "carry": "这一项没有零头可以留到下次。请删去“零头留不留”，或把“零头怎么算”改为按比例算（exact）。",
    "carry_whole": "这一项的分值、系数都不出零头，没有零头可以留到下次。请删去“零头留不留”。",
    "carry_rounding": "零头留到下次的项，最后的零头不能再进上去。请把“最后的零头怎么算”改为 down。",
    "carry_parts": "系数太多，零头分得太细，不能留到下次。请减少系数。",
    "submit": "“谁可以申报”至少写一种，不能重复。",
    "evidence_kinds": "“凭据的种类”不能重复。",
    "review": "“谁来审核”至少写一人，不能重复。",
    "panel": "写了评议小组，“谁来审核”里也要有它（panel）。请补上，或删去。",
    "panel_size": "“谁来审核”里有评议小组，要写几人、几人同意（panel）。请补上。",
    "panel_majority": "评议小组 {members} 人，同意的人数 {agree} 要过半，也不能比人数多。",
    "months": "只有按月数有效时才写月数。",
    "years": "只有按年数有效时才写年数。",
    "star": "等级“{value}”要写从多少分钟起（from_minutes）或从多少分起（from_points），只写一样。",
    "only_deduction": "“{label}”只用于扣分项。请删去。",
    "deduction": "扣分项要写明先劝导、再警告各几次（至少一次），在几个月里算，还有依据和补救的办法，才能公布。请补上。",
    "deduction_counts": "扣分项只能按次、按数量、按等级扣，或在范围里定，不看时间、距离、连续和系数，不能公布。请改。",
    "deduction_rights": "“{word}”是居民依法享有的权利，不能因此扣分。请删去这一项。",
    "deduction_not_volunteering": "志愿服务和活动凭自愿，不参加不能扣分。请删去这一项。",
    "paid_silence": "不能用加分换居民不用自己的权利（{word}）。请删去这一项。",
    "book_kind": "“记入哪种存折”要写存折种类的代号。主存折是 points。",
    "unknown_kind": "没有代号是 {value} 的存折种类。请先在“存折种类”里新建，或改记主存折（points）。",
    "main_has_no_decimals": "主存折的积分没有小数。小数位数请写 0；要小数的项，请记入有小数的存折种类。",
    "veto": "一票否决“{value}”要写明依据和补救的办法，才能公布。请补上。",
    "veto_months": "一票否决“{value}”：不能兑换的，写几个月；只留基础分的，不写月数。",
    "veto_base": "一票否决“{value}”要只留基础分，表里却没有写基础分，不能公布。请补上基础分。",
    "veto_rights": "“{word}”是居民依法享有的权利，不能因此一票否决。请删去这一条。",
    "veto_not_volunteering": "志愿服务和活动凭自愿，不参加不能一票否决。请删去这一条。",
    "benefit": "积分不能影响{word}这类依法享有的待遇或办事。请删去这句话。",
}
# A file with one of these can be read and kept as a draft, as far as its source goes. It cannot be published.
ONLY_PUBLISHING = frozenset(
    ("no_items", "value_unknown", "deduction", "deduction_counts", "panel_size", "veto", "veto_base")
)


Facts = Mapping[str, str | int | Cap]


def in_words(facts: Facts, say: Say) -> dict[str, str | int]:
    """A cap is put into words only when it is told, in the language of whoever reads it."""
    return {name: shown(fact, say) if isinstance(fact, Cap) else fact for name, fact in facts.items()}


class Fault(msgspec.Struct, frozen=True):
    """Why a table cannot be adopted; `item_code` is empty for the table as a whole.

    `entry` is which one of a list it is, from 1; 0 where it is no list, or all of it.
    """

    item_code: str
    field: str
    key: str
    facts: Facts
    entry: int = 0

    @property
    def text(self) -> str:
        return self.said(str.format)

    @property
    def only_publishing(self) -> bool:
        return self.key in ONLY_PUBLISHING

    def said(self, say: Say) -> str:
        return of_item(self.item_code, self.words(say), say)

    def words(self, say: Say) -> str:
        """Without the item, for whoever names it beside them."""
        return say(FAULTS[self.key], **in_words(self.facts, say))


def of_item(code: str, words: str, say: Say) -> str:
    return say("{label}：{words}", label=code, words=words) if code else words


def at(entry: int, found: Iterable[Fault]) -> Iterator[Fault]:
    for fault in found:
        yield msgspec.structs.replace(fault, entry=entry)


def text_faults(code: str, field: str, value: str, most: int) -> Iterator[Fault]:
    invisible = any(unicodedata.category(character)[0] == "C" for character in value)
    if not value.strip() or len(value) > most or invisible:
        yield Fault(code, field, "text", {"label": FIELD_LABELS[field], "most": most})


Range = tuple[int, int]


def within(code: str, field: str, value: int | None, span: Range, key: str = "") -> Iterator[Fault]:
    """`key` names the number where the field is a piece with several."""
    least, most = span
    if value is not None and not least <= value <= most:
        facts: dict[str, str | int] = {"label": FIELD_LABELS[key or field], "least": least, "most": most}
        yield Fault(code, field, "out_of_range", facts | {"value": value})


def sized(code: str, of: msgspec.Struct, field: str = "") -> Iterator[Fault]:
    """Numbers out of range and texts too long; `field` names the piece whose they are, else they are fields."""
    kind = type(of)
    for key, span in RANGES.get(kind, {}).items():
        yield from within(code, field or key, getattr(of, key), span, key)
    for key, span in EACH_RANGE.get(kind, {}).items():
        for number in getattr(of, key):
            yield from within(code, key, number, span)
    for key, most in WORDS.get(kind, {}).items():
        yield from text_faults(code, field or key, getattr(of, key), most)
    for key, most in FREE_WORDS.get(kind, {}).items():
        if words := getattr(of, key):
            yield from text_faults(code, field or key, words, most)
    for key, most in EACH_WORDS.get(kind, {}).items():
        for entry, line in enumerate(getattr(of, key), start=1):
            yield from at(entry, text_faults(code, key, line, most))


def repeated(code: str, field: str, names: list[str]) -> Iterator[Fault]:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Fault(code, field, "duplicate_name", {"label": FIELD_LABELS[field], "value": name})

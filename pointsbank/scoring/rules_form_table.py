"""The form of a table as a whole: every field of it but the items, and what of it was changed since it was shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.scoring import rules_form
from pointsbank.scoring.rules_form import Section, Texts, Wrong
from pointsbank.scoring.rules_table import Table, TableKind

_OF_TABLE = rules_form.fields_of(Table)


def _section(title: str, names: str) -> Section:
    return Section(title, tuple(_OF_TABLE[name] for name in names.split()))


SECTIONS = (
    _section("", "name unit_name notice_days yuan_per_point_cents validity caps"),
    _section("依据哪份文件、存折归谁", "place document kind passbook decimals"),
    _section("各项都用的系数", "multipliers multipliers_combine"),
    _section("基础分、存折里最多多少", "base balance_max"),
    _section("兑换和有效期的规定", "gate_minutes redeem redemption_ratio expiry_words"),
    _section("等级", "levels levels_words"),
    _section("审核和申诉", "approval appeal"),
    _section("一票否决、后果、说明", "vetoes veto_rules consequences notes"),
)
SECTION_TITLES = {number: section.title for number, section in enumerate(SECTIONS) if section.title}
FIELDS = tuple(field for section in SECTIONS for field in section.fields)
_BASE = [field for field in FIELDS if field.name == "base"]
_MAIN = [field for field in FIELDS if field.name != "base"]
Kinds = Mapping[str, Denomination]


def usual() -> Texts:
    return texts_of(Table(name="", place="", document="", kind=TableKind.SERVICE_HOURS), {})


def texts_of(table: Table, book_kinds: Kinds) -> Texts:
    """What stands in each input. Amounts are those of the main passbook, but for what everybody begins with."""
    base = book_kinds.get(table.base.book_kind if table.base else MAIN, PLAIN)
    return rules_form.written(_MAIN, table, book_kinds.get(MAIN, PLAIN)) | rules_form.written(_BASE, table, base)


def marks_of(table: Table) -> str:
    """A mark of each field as it is now, for the form to carry: which of them were typed in is told by these."""
    return rules_form.marks_of(table, [field.name for field in FIELDS])


def meant(texts: Mapping[str, Sequence[str]], book_kinds: Kinds, marks: str) -> tuple[dict[str, Any], list[Wrong]]:
    """The fields that say something else than when they were shown, and what is to be typed again."""
    base = book_kinds.get(next(iter(texts.get("base.book_kind", [])), ""), PLAIN)
    found: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for fields, of in ((_MAIN, book_kinds.get(MAIN, PLAIN)), (_BASE, base)):
        read, unread = rules_form.read([field for field in fields if rules_form.is_sent(field, texts)], texts, of)
        found |= read
        wrong += unread
    shown = rules_form.marks_read(marks)
    return {name: value for name, value in found.items() if shown.get(name) != rules_form.mark(value)}, wrong

"""What happened, as a file (JSON): one act, or a list of acts that are scored one after the other."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules import FactMissing, Facts, NotInTable, PastAct, Table, marks_of


class FactsUnreadable(Refusal):
    kind = Kind.INVALID
    code = "scoring.facts_unreadable"
    message = "第 {number} 件事读不出来：{why}"


NUMBER_MAX = 10_000_000
NUMBERS = dict.fromkeys(
    ("minutes", "planned_minutes", "quantity", "fixed_points", "metres", "streak", "earlier"), NUMBER_MAX
) | {"began_minute": 1_439}
TEXTS = ("level", "occasion")
LISTS = ("marks", "met", "faults")
PLANNED = "整场活动多少分钟（planned_minutes）"
HOLDERS = ("person", "household", "building")


def parse(text: str) -> list[PastAct]:
    """Read acts such as {"item": "A01", "day": "2025-03-12", "minutes": 130}.

    The other keys are those of `Facts`, and `person`, `household`, `building`: whose counters an act draws on, 1 where
    nothing is said.
    """
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise FactsUnreadable(number=1, why="文件不是 JSON，请检查引号、逗号和括号") from None
    if found == []:
        raise FactsUnreadable(number=1, why="文件里一件也没有")
    return [_act(number, one) for number, one in enumerate(found if isinstance(found, list) else [found], start=1)]


def check(table: Table, acts: Sequence[PastAct]) -> None:
    """Refuse a mark that the table does not have: in a file it is a slip, while past acts may be of another version.

    And a share of nothing: an act that belongs to no activity has no planned minutes, one in a file has lost them.
    """
    items = {item.code: item for item in table.items}
    for act in acts:
        if (item := items.get(act.item_code)) is not None:
            if item.share_min_percent and not act.facts.planned_minutes:
                raise FactMissing(fact=PLANNED, name=item.name)
            for mark in act.facts.marks:
                if mark not in marks_of(table, item):
                    raise NotInTable(name=item.name, value=mark[:40])


def _act(number: int, told: Any) -> PastAct:
    if not isinstance(told, dict) or not isinstance(told.get("item"), str):
        raise FactsUnreadable(number=number, why='要写成 {"item": "A01", "day": "2025-03-12", …}')
    facts = {name: value for name, value in told.items() if value is not None}
    ids = [facts.pop(name, 1) for name in HOLDERS]
    item_code = str(facts.pop("item"))
    why = next(_faults(facts), None) or next(filter(None, map(_no_number, HOLDERS, ids)), "")
    if why:
        raise FactsUnreadable(number=number, why=why)
    return PastAct(item_code, msgspec.convert({"minutes": 0, "planned_minutes": 0} | facts, Facts), *ids)


def _faults(facts: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the facts, in words."""
    if "day" not in facts:
        yield "缺 day（哪一天）"
    for name, value in facts.items():
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if name == "day" and not _is_day(value):
            yield 'day 要写成 "2025-03-12" 这样，要真有这一天'
        elif name in NUMBERS and (why := _no_number(name, value)):
            yield why
        elif name in TEXTS and not isinstance(value, str):
            yield f"{name} 要写成文字，加引号"
        elif name in LISTS and not is_list:
            yield f'{name} 要写成一串文字，例如 ["…", "…"]'
        elif name not in ("day", *NUMBERS, *TEXTS, *LISTS):
            yield f"不认识“{name[:40]}”"


def _no_number(name: str, value: Any) -> str:
    most = NUMBERS.get(name, NUMBER_MAX)
    return "" if type(value) is int and 0 <= value <= most else f"{name} 要是 0 到 {most} 的整数"


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False

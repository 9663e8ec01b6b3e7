"""What happened, as a file (JSON): one act, or a list of acts that are scored one after the other."""

from collections.abc import Sequence
from typing import Any

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules import Facts, NotInTable, PastAct, Table, marks_of


class FactsUnreadable(Refusal):
    kind = Kind.INVALID
    code = "scoring.facts_unreadable"
    message = "第 {number} 件事读不出来：{why}"


PLAIN = ("minutes", "planned_minutes", "quantity", "metres", "streak", "earlier", "began_minute")


def parse(text: str) -> list[PastAct]:
    """Read acts such as {"item": "A01", "day": "2025-03-12", "minutes": 130}.

    The other keys are those of `Facts`, and `person`, `household`, `building`: whose counters an act draws on, 1 where
    nothing is said.
    """
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise FactsUnreadable(number=1, why=str(error)) from None
    return [_act(number, one) for number, one in enumerate(found if isinstance(found, list) else [found], start=1)]


def check_marks(table: Table, acts: Sequence[PastAct]) -> None:
    """Refuse a mark that the table does not have: in a file it is a slip, while past acts may be of another version."""
    items = {item.code: item for item in table.items}
    for act in acts:
        if (item := items.get(act.item_code)) is not None:
            for mark in act.facts.marks:
                if mark not in marks_of(table, item):
                    raise NotInTable(name=item.name, value=mark[:40])


def _act(number: int, told: Any) -> PastAct:
    if not isinstance(told, dict) or not isinstance(told.get("item"), str):
        raise FactsUnreadable(number=number, why='要写成 {"item": "A01", "day": "2025-03-12", …}')
    facts = {"minutes": 0, "planned_minutes": 0} | told
    ids = [facts.pop(name, 1) for name in ("person", "household", "building")]
    item_code = str(facts.pop("item"))
    unknown = sorted(facts.keys() - set(Facts.__struct_fields__))
    if unknown:
        raise FactsUnreadable(number=number, why=f"不认识“{unknown[0][:40]}”")
    below = [name for name in PLAIN if isinstance(facts.get(name), int) and facts[name] < 0]
    if below:
        raise FactsUnreadable(number=number, why=f"{below[0]} 不能是负数")
    try:
        person, household, building = msgspec.convert(ids, list[int])
        return PastAct(item_code, msgspec.convert(facts, Facts), person, household, building)
    except msgspec.ValidationError as error:
        raise FactsUnreadable(number=number, why=str(error)) from None

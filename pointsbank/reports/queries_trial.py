"""SQL across rooms for a trial run: acts in slices, in the order in which they were recorded and used up their caps."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime

import msgspec

from pointsbank.awards.rules import State
from pointsbank.kit.db import Row
from pointsbank.scoring.rules import NOTHING, Noted

SLICE = 1_000

COUNT = "SELECT COUNT(*) FROM awards_act act WHERE act.community_id = ?"
# As they live now: whose household or building it was on the day, nobody has written down.
ACTS = """
SELECT act.id AS act_id, one.id AS person_id, one.household_id, home.building_id, one.birth_year, one.sex,
       act.item_code, act.began_at, act.minutes, act.planned_minutes, act.quantity, act.occasion, act.facts,
       award.version_id, award.points, award.state, undone.id IS NOT NULL AS is_undone
  FROM awards_act act JOIN awards_award award ON award.act_id = act.id
  JOIN people_person who ON who.id = act.person_id
  JOIN people_person one ON one.id = COALESCE(who.merged_into, who.id)
  LEFT JOIN people_household home ON home.id = one.household_id
  LEFT JOIN ledger_entry undone ON undone.reverses_id = award.entry_id
 WHERE act.community_id = ? AND act.id > ?
"""
IN_ORDER = " ORDER BY act.id LIMIT ?"

PLAIN = (
    "act_id", "person_id", "household_id", "building_id", "birth_year", "sex", "item_code", "minutes",
    "planned_minutes", "quantity", "occasion", "version_id",
)  # fmt: skip
Rows = Callable[..., Awaitable[list[Row]]]
_noted = msgspec.json.Decoder(Noted).decode


class Recorded(msgspec.Struct, frozen=True):
    """An act as it was recorded. `counts` is false for what was sent back or reversed: it was not so."""

    act_id: int
    person_id: int
    household_id: int | None
    building_id: int | None
    birth_year: int | None
    sex: str | None
    item_code: str
    began_at: datetime
    minutes: int
    planned_minutes: int
    quantity: int
    occasion: str
    version_id: int
    awarded: int
    noted: Noted
    counts: bool


class Span(msgspec.Struct, frozen=True):
    """Acts of some days, and of these `codes` all that were before."""

    first: date
    last: date
    codes: tuple[str, ...]

    @property
    def sql(self) -> str:
        return (
            f" AND act.day <= ? AND (act.day >= ? OR act.item_code IN ({', '.join('?' * len(self.codes)) or 'NULL'}))"
        )

    @property
    def values(self) -> tuple[date | str, ...]:
        return self.last, self.first, *self.codes


async def count(rows: Rows, community_id: int, span: Span) -> int:
    ((found,),) = await rows(f"{COUNT}{span.sql}", community_id, *span.values)
    return int(found)


async def slices(rows: Rows, community_id: int, span: Span) -> AsyncIterator[list[Recorded]]:
    after, sql = 0, f"{ACTS}{span.sql}{IN_ORDER}"
    while found := await rows(sql, community_id, after, *span.values, SLICE):
        yield [_recorded(one) for one in found]
        after = found[-1]["act_id"]


def _recorded(found: Row) -> Recorded:
    began_at = found["began_at"]  # as a snapshot of SQLite has it: text
    return Recorded(
        **{name: found[name] for name in PLAIN},
        began_at=began_at if isinstance(began_at, datetime) else datetime.fromisoformat(began_at),
        awarded=found["points"],
        noted=_noted(found["facts"]) if found["facts"] else NOTHING,
        counts=found["state"] != State.REJECTED and not found["is_undone"],
    )

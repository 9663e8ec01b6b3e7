"""Old against new on paper: what differs, a row for each change, spread over sheets of A4."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.notices import queries as notices
from pointsbank.people import queries as people
from pointsbank.people.access import Session, needs
from pointsbank.scoring import queries, queries_life, rules
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_life import version_of
from pointsbank.scoring.routes_pieces import MARKS, writing
from pointsbank.scoring.rules import Item, Table
from pointsbank.scoring.rules_differences import described
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

# In millimetres: what a sheet holds, what its head and its signatures take, and how high a row of so many lines is.
SHEET, HEAD, SIGNED = 222, 40, 84
LINE, ROUND = 5.2, 2.4
LINES_MAX = int((SHEET - HEAD - SIGNED - ROUND) / LINE)  # so that any row fits a first sheet that is the last one too
COLUMNS = {"name": 20, "label": 12, "old": 22, "new": 24}  # letters in a line, a Chinese one counting for two
WHOLE = N_("整项")


class Row(msgspec.Struct, frozen=True):
    """One change: of which item, of what, from what to what; `mark` is 改, 新 or 停."""

    mark: str
    name: str
    label: str
    old: str
    new: str

    @property
    def height(self) -> float:
        lines = max(-(-_width(getattr(self, column)) // letters) for column, letters in COLUMNS.items())
        return max(lines, 1) * LINE + ROUND

    def pieces(self) -> list["Row"]:
        """The row, or parts of it that each fit on a sheet; all of them say what they are of."""
        parts = {column: _cut(getattr(self, column), COLUMNS[column] * LINES_MAX) for column in ("old", "new")}
        pairs = list(zip_longest(parts["old"], parts["new"], fillvalue=" "))
        labels = [self.label, *[self.label + _("（续）")] * (len(pairs) - 1)]
        return [
            msgspec.structs.replace(self, label=label, old=old, new=new)
            for label, (old, new) in zip(labels, pairs, strict=True)
        ]


class Sheet(msgspec.Struct, frozen=True):
    rows: list[Row]
    is_last: bool


def _width(text: str) -> int:
    return sum(1 if letter.isascii() else 2 for letter in text) + 4


def _cut(text: str, width: int) -> list[str]:
    """The text in parts that are no wider; at least one."""
    parts = [""]
    for letter in text:
        if _width(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def compared(old: Table | None, new: Table, book_kinds: Mapping[str, Denomination]) -> list[Row]:
    write = writing(book_kinds)
    before = {item.code: item for item in old.items} if old else {}
    after = {item.code: item for item in new.items}
    rows = []
    for one in rules.differences(old, new, _, write):
        mark, name = _(MARKS[one.what][0]), f"{one.code} {one.name}".strip()
        if one.what == "changed":
            rows += [
                Row(mark, name, _(rules.FIELD_LABELS.get(change.field, change.field)), change.old, change.new)
                for change in one.changes
            ]
        else:
            was, now = before.get(one.code), after.get(one.code)
            old_words, new_words = ["" if item is None else _told(item, book_kinds) for item in (was, now)]
            rows.append(Row(mark, name, _(WHOLE), old_words, new_words))
    return rows


def _told(item: Item, book_kinds: Mapping[str, Denomination]) -> str:
    said = described(item, _, writing(book_kinds))
    return _("；").join(f"{_(rules.FIELD_LABELS.get(field, field))} {words}" for field, words in said)


def sheets_of(rows: Sequence[Row]) -> list[Sheet]:
    """Spread rows over paper; the last sheet has room for signatures."""
    made: list[Sheet] = []
    some: list[Row] = []
    used: float = HEAD
    for row in (piece for whole in rows for piece in whole.pieces()):
        if some and used + row.height > SHEET:
            made.append(Sheet(some, is_last=False))
            some, used = [], 0
        some.append(row)
        used += row.height
    if used + SIGNED > SHEET and len(some) > 1:
        made.append(Sheet(some[:-1], is_last=False))
        some = some[-1:]
    return [*made, Sheet(some, is_last=True)]


async def _before(found: Version, clock: Clock) -> Version | None:
    """What a version takes the place of."""
    day = found.in_force_from - timedelta(days=1) if found.in_force_from else local_day(clock.now())
    return await queries.current(found.community_id, day)


@get("/scoring/versions/{version_id:int}/comparison", guards=[needs()])
async def comparison(
    version_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """For the meeting to sign, and for the notice board."""
    found = await version_of(session, version_id)
    told = await queries_life.told(None, version_id)
    before = await _before(found, clock)
    book_kinds = await kinds.denominations(None, found.community_id)
    return page(
        "scoring/comparison.html",
        version=found,
        before=before,
        told=told,
        notice=await notices.notice(session.community_ids, told.notice_id) if told else None,
        community=await people.community(found.community_id),
        sheets=sheets_of(compared(before.table if before else None, found.table, book_kinds)),
        is_resident=session.kind == "resident",
    )


handlers: list[Any] = [comparison]

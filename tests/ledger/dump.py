"""Everything that a database holds, told alike on SQLite and PostgreSQL.

A row is numbered by its order of appearance in its table: what was refused on the way leaves holes in the numbers of
PostgreSQL, and none in those of SQLite. What is made of such numbers (hashes, digests, stored answers) is left out, and
what lies sealed.
"""

import json
import re
from typing import Any

from pointsbank.kit import db
from tests.schema_reading import read_schema

LEFT_OUT = {
    "command": {"digest", "answer"},
    "ledger_seal": {"hash"},
    "ledger_period": {"head"},
    "approvals_approval": {"facts_hash"},
    "people_person": {"wrapped_key", "name"},
    "people_household": {"wrapped_key", "door"},
    "people_card": {"digits_index"},
    "people_activation": {"token_digest", "typed_digest"},
}
SUBJECTS = {
    "entry": "ledger_entry", "change": "ledger_change", "lot": "ledger_lot", "hold": "ledger_hold",
    "voucher": "ledger_voucher", "budget": "ledger_budget", "period": "ledger_period", "approval": "approvals_approval",
    "award": "awards_award", "passbook": "ledger_passbook", "person": "people_person", "household": "people_household",
    "opening_list": "ledger_opening_list", "merge_request": "governance_merge_request",
    "proposal": "ledger_proposal", "order": "redemption_order", "outlet": "redemption_outlet",
    "counter": "redemption_counter", "good": "stock_good", "delivery": "stock_lot", "card": "people_card",
    "merge": "people_merge",
}  # fmt: skip
"""Where the row is that something is about, by its kind."""
KINDS = {"source_id": "source_kind", "subject_id": "subject_kind", "ref_id": "what"}
"""What says it, by the column with the number."""
MOVED_BY = {"receipt": "stock_lot", "order": "redemption_order", "put_back": "redemption_order"}
"""Why goods were moved, by the move's kind."""
NO_KEYS = {
    "redemption_limit_use": {"account_id": "ledger_account", "good_id": "stock_good"},
    "redemption_visit": {"card_id": "people_card"},
}
"""Numbers of rows that no foreign key holds."""
KEYS = {name: name for name in SUBJECTS} | {
    "expiry": "lot", "base": "passbook", "reset": "passbook", "reversal": "entry", "clawback": "entry",
    "surplus": "entry", "opening": "opening_list", "given-up": "passbook",
}  # fmt: skip
"""Whose number stands in a posting key, or in the name of a subject, after its first word."""
FACTS = {
    "by_entry": "entry", "entry": "entry", "budget": "budget", "approval_id": "approval", "household": "household",
    "left": "household", "household_id": "household", "into": "person", "person_id": "person", "people": "person",
    "passbook": "passbook", "person": "person", "batch_id": "voucher", "card_id": "card", "lot": "delivery",
    "outlet": "outlet", "orders": "order",
}  # fmt: skip
"""And in the facts of a trail, or in the content of a change."""
ASKED_OF = {
    "ledger.voucher": "voucher", "ledger.opening": "opening_list", "governance.merge": "merge_request",
    "ledger.proposal": "proposal",
}  # fmt: skip
NAMED = dict.fromkeys(("voucher", "joining", "past_day", "gift"), "ledger_voucher") | {
    "opening_list": "ledger_opening_list", "proposal": "ledger_proposal",
}  # fmt: skip
KEY = re.compile(r"([a-z-]+)([:/])(\d+)")

Places = dict[str, dict[int, int]]


async def dump() -> dict[str, list[tuple[Any, ...]]]:
    schema = await read_schema()
    rows = {
        table: [dict(zip(columns, row, strict=True)) for row in await db.slow_rows(_all_of(table, list(columns)))]
        for table, columns in schema.columns.items()
    }
    places = {
        table: {each["id"]: place for place, each in enumerate(sorted(found, key=_id), start=1)}
        for table, found in rows.items()
        if "id" in schema.columns[table]
    }
    told = {}
    for table, found in rows.items():
        targets = {"id": table} | {column: target for column, target, _ in schema.foreign_keys[table]}
        targets |= NO_KEYS.get(table, {})
        kept = [column for column in sorted(schema.columns[table]) if column not in LEFT_OUT.get(table, ())]
        told[table] = sorted(
            (tuple((column, _told(row, column, targets, places)) for column in kept) for row in found), key=repr
        )
    return told


def _id(row: dict[str, Any]) -> int:
    return row["id"]


def _all_of(table: str, columns: list[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"


def _told(row: dict[str, Any], column: str, targets: dict[str, str], places: Places) -> Any:
    value = row[column]
    table = _table_of(row, column, targets)
    if table is not None and isinstance(value, int):
        return _place(places, table, value)
    if column == "name" and row.get("what") in NAMED:
        return str(_place(places, NAMED[row["what"]], int(value)))
    if column == "posting_key":
        return _renumbered(value, places)
    if column in {"facts", "content"} and value:
        facts = json.loads(value)
        return {name: _fact(name, fact, facts, places) for name, fact in facts.items()}
    return int(value) if isinstance(value, bool) else value


def _table_of(row: dict[str, Any], column: str, targets: dict[str, str]) -> str | None:
    """Where the row is whose number stands in this column."""
    if targets["id"] == "stock_move" and column == "source_id":
        return MOVED_BY[row["kind"]]
    kind = row.get(KINDS[column]) if column in KINDS else None
    return SUBJECTS.get(kind or "") or targets.get(column)


def _fact(name: str, fact: Any, facts: dict[str, Any], places: Places) -> Any:
    if isinstance(fact, str):
        return _renumbered(fact, places)
    if name == "of":
        return _place(places, SUBJECTS[ASKED_OF[facts["kind"]] if "kind" in facts else "person"], fact)
    if name == "rows" and "line_count" in facts:  # of a list of opening balances
        return [
            [at, _place(places, "people_person", person), _place(places, "people_household", home), *told]
            for at, person, home, *told in fact
        ]
    if name == "counted":  # an order, for an account
        return [[_place(places, "redemption_order", one), _place(places, "ledger_account", at)] for one, at in fact]
    kind = "passbook" if name == "left" and "orders" in facts else FACTS.get(name)
    if isinstance(fact, list) and kind is not None:
        return [_place(places, SUBJECTS[kind], one) for one in fact]
    return _place(places, SUBJECTS[kind], fact) if kind is not None and fact is not None else fact


def _renumbered(text: str, places: Places) -> str:
    def number(found: re.Match[str]) -> str:
        what, mark, number = found.groups()
        return f"{what}{mark}{_place(places, SUBJECTS[KEYS[what]], int(number))}" if what in KEYS else found[0]

    return KEY.sub(number, text, count=1)


def _place(places: Places, table: str, number: int) -> int:
    return places.get(table, {}).get(number, number)

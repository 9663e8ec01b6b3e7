"""Changes of what is no entry, and the chain that seals entries and changes."""

from datetime import UTC, datetime
from typing import Any

from tortoise.migrations import operations as ops

from pointsbank.ledger import canon

from ._lib import HandWritten, append_only, sql
from ._state_0016_seals import STATE

CHANGE = """
CREATE TABLE ledger_change (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  what TEXT NOT NULL,
  name TEXT NOT NULL,
  actor_id BIGINT,
  changed_at MOMENT NOT NULL,
  content TEXT NOT NULL
)
"""
SEAL = """
CREATE TABLE ledger_seal (
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  position WHOLE NOT NULL CHECK (position > 0),
  entry_id BIGINT REFERENCES ledger_entry(id),
  change_id BIGINT REFERENCES ledger_change(id),
  hash BLOB NOT NULL,
  PRIMARY KEY (community_id, position),
  CHECK ((entry_id IS NULL) <> (change_id IS NULL))
) WITHOUT_ROWID
"""

# What is in the books already, as the program says it: id, community, name, facts.
KINDS = """
SELECT id, community_id, code AS named, name, unit, decimals, holder, redeemable, donatable, transferable, balance_max,
       surplus, base_points, base_every, base_redeemable, spend_above, reset_month, reset_day, carry_over, version
  FROM ledger_book_kind ORDER BY id
"""
PASSBOOKS = """
SELECT book.id, book.community_id, book.number AS named, kind.code AS kind, book.person_id, book.household_id,
       book.opened_at
  FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id ORDER BY book.id
"""
ACCOUNTS = """
SELECT account.id, account.community_id, COALESCE(book.number, account.system) AS named, book.number AS passbook,
       account.system, NULL AS closed_at
  FROM ledger_account account LEFT JOIN ledger_passbook book ON book.id = account.passbook_id ORDER BY account.id
"""
PAPERS = """
SELECT paper.id, book.community_id, book.number AS named, paper.book, paper.page, paper.row_number, paper.page_after,
       paper.last_move, paper.printed_at
  FROM ledger_paper paper JOIN ledger_passbook book ON book.id = paper.passbook_id ORDER BY paper.id
"""
LISTS = """
SELECT id, community_id, CAST(id AS TEXT) AS named, day, expires_on, made_by, made_at, line_count, points, state,
       approval_id
  FROM ledger_opening_list ORDER BY id
"""
LINES = """
SELECT list_id, position, person_id, household_id, points, remark FROM ledger_opening_line ORDER BY list_id, position
"""
SUBJECTS = {"kind": KINDS, "passbook": PASSBOOKS, "account": ACCOUNTS, "paper": PAPERS, "opening_list": LISTS}
MOMENTS = {"opened_at", "printed_at", "made_at"}
RECORD = """
INSERT INTO ledger_change (community_id, what, name, actor_id, changed_at, content) VALUES ({}, {}, {}, NULL, {}, {})
"""


async def record_what_is_there(_apps: Any, editor: Any) -> None:
    execute, now = editor.client.execute_query, datetime.now(UTC)
    is_sqlite = editor.client.capabilities.dialect == "sqlite"
    insert = RECORD.format(*(["?"] * 5 if is_sqlite else [f"${number}" for number in range(1, 6)]))
    lines: dict[int, list[Any]] = {}
    for list_id, *line in (await execute(LINES))[1]:
        lines.setdefault(list_id, []).append(line)
    for what, read in SUBJECTS.items():
        for row in (await execute(read))[1]:
            said = dict(row)
            row_id, community_id, name = (said.pop(key) for key in ("id", "community_id", "named"))
            if what in ("kind", "opening_list"):
                said["rows"] = lines.get(row_id, []) if what == "opening_list" else []
            for moment in MOMENTS & said.keys():
                said[moment] = datetime.fromisoformat(str(said[moment]))  # SQLite keeps the text that it was given
            changed_at = canon.text(now) if is_sqlite else now
            await execute(insert, [community_id, what, name, changed_at, canon.content(said)])


class Migration(HandWritten):
    dependencies = [("models", "0015_lots")]
    operations = [
        sql(
            CHANGE,
            SEAL,
            "CREATE UNIQUE INDEX ledger_seal_entry ON ledger_seal (entry_id) WHERE entry_id IS NOT NULL",
            "CREATE UNIQUE INDEX ledger_seal_change ON ledger_seal (change_id) WHERE change_id IS NOT NULL",
        ),
        append_only("ledger_change"),
        append_only("ledger_seal"),
        ops.RunPython(record_what_is_there, ops.RunPython.noop),
        *STATE,
    ]

"""Each kind of passbook says how early its holders are told of what lapses; a rate may be of one kind."""

from datetime import UTC, datetime
from typing import Any

from tortoise.migrations import operations as ops

from pointsbank.ledger import canon

from ._lib import HandWritten, sql

# What is in the books already, as the program says it from now on: id, community, name, facts.
KINDS = """
SELECT id, community_id, code AS named, name, unit, decimals, holder, redeemable, donatable, transferable, balance_max,
       surplus, base_points, base_every, base_redeemable, spend_above, reset_month, reset_day, carry_over, version,
       notice_days
  FROM ledger_book_kind ORDER BY id
"""
RUNS = "SELECT kind_id, what, period, upto FROM ledger_kind_run ORDER BY kind_id, what"
RATES = """
SELECT id, community_id, CAST(id AS TEXT) AS named, from_day, cents_per_100, set_by, set_at, book_kind
  FROM ledger_rate ORDER BY id
"""
RECORD = """
INSERT INTO ledger_change (community_id, what, name, actor_id, changed_at, content) VALUES ({}, {}, {}, NULL, {}, {})
"""


async def record_what_is_there(_apps: Any, editor: Any) -> None:
    execute, now = editor.client.execute_query, datetime.now(UTC)
    is_sqlite = editor.client.capabilities.dialect == "sqlite"
    insert = RECORD.format(*(["?"] * 5 if is_sqlite else [f"${number}" for number in range(1, 6)]))
    runs: dict[int, list[Any]] = {}
    for kind_id, *run in (await execute(RUNS))[1]:
        runs.setdefault(kind_id, []).append(run)
    for what, read in (("kind", KINDS), ("rate", RATES)):
        for row in (await execute(read))[1]:
            said = dict(row)
            row_id, community_id, name = (said.pop(key) for key in ("id", "community_id", "named"))
            if what == "kind":
                said["rows"] = runs.get(row_id, [])
            else:
                said["set_at"] = datetime.fromisoformat(str(said["set_at"]))
            changed_at = canon.text(now) if is_sqlite else now
            await execute(insert, [community_id, what, name, changed_at, canon.content(said)])


class Migration(HandWritten):
    dependencies = [("models", "0022_lean")]
    operations = [
        sql(
            "ALTER TABLE ledger_book_kind ADD COLUMN notice_days WHOLE NOT NULL DEFAULT 30 "
            "CHECK (notice_days BETWEEN 1 AND 366)",
            "ALTER TABLE ledger_rate ADD COLUMN book_kind TEXT NOT NULL DEFAULT 'points'",
        ),
        ops.RunPython(record_what_is_there, ops.RunPython.noop),
    ]

"""What an entry, a stored answer and a line of the trail cost: smaller indexes, and answers without what is known."""

from typing import Any

from tortoise.migrations import operations as ops

from ._lib import HandWritten, sql

# Of a key nobody ever asked when it was taken; the first half of a digest is enough, also of those that are stored.
COMMAND = (
    "CREATE TEMPORARY TABLE old_command AS SELECT * FROM command",
    "DROP TABLE command",
    """
CREATE TABLE command (
  caller TEXT NOT NULL,
  request_key TEXT NOT NULL,
  digest BLOB NOT NULL,
  is_refused BOOLEAN NOT NULL,
  answer BLOB NOT NULL,
  PRIMARY KEY (caller, request_key)
) WITHOUT_ROWID
""",
    """
INSERT INTO command (caller, request_key, digest, is_refused, answer)
SELECT caller, request_key, SUBSTR(digest, 1, 16), outcome = 'refused', answer FROM old_command
 ORDER BY caller, request_key
""",
    "DROP TABLE old_command",
)
# A moment is 32 letters on SQLite, so the index has the day's number, which takes no room in the row there.
UTC_DAY = "ALTER TABLE ledger_entry ADD COLUMN utc_day BIGINT GENERATED ALWAYS AS ({}) {}"
DAY_IN_POSTGRES = "CAST(CAST(booked_at AT TIME ZONE 'UTC' AS DATE) - DATE '1970-01-01' AS BIGINT)"
INDEXES = (
    "CREATE UNIQUE INDEX ledger_entry_reverses ON ledger_entry (reverses_id) WHERE reverses_id IS NOT NULL",
    "DROP INDEX ledger_entry_community",
    "CREATE INDEX ledger_entry_day ON ledger_entry (community_id, utc_day)",
    "DROP INDEX ledger_entry_source",
    "CREATE INDEX ledger_entry_opening ON ledger_entry (source_id) WHERE kind = 'opening'",
    # Only a passbook's side says the balance after it, and nobody turns the pages of `issued`.
    "DROP INDEX ledger_move_source",
    "DROP INDEX ledger_move_target",
    "CREATE INDEX ledger_move_source ON ledger_move (source_id, id) WHERE source_after IS NOT NULL",
    "CREATE INDEX ledger_move_target ON ledger_move (target_id, id) WHERE target_after IS NOT NULL",
    "DROP INDEX ledger_lot_use_lot",
    "DROP INDEX trail_record_subject",
    "CREATE INDEX trail_record_subject ON trail_record (subject_id)",
)
WITHIN = "reverses_id BIGINT UNIQUE REFERENCES"
MADE_BY_UNIQUE, FREED = "sqlite_autoindex_ledger_entry_2", "ledger_entry_reverses_freed"


async def free_reverses(_apps: Any, editor: Any) -> None:
    """Take the UNIQUE of reverses_id away, which keeps a place for each entry that reverses nothing.

    SQLite has no ALTER for it. The index that it made is given a name and a text like any other, and dropped.
    """
    execute = editor.client.execute_query
    if editor.client.capabilities.dialect != "sqlite":
        await execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_reverses_id_key")
        return
    _, ((text,),) = await execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'ledger_entry'")
    assert text.count(WITHIN) == 1, "ledger_entry is not as it was made"
    _, ((version,),) = await execute("PRAGMA schema_version")
    await execute("PRAGMA writable_schema = ON")
    try:
        await execute(
            "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = 'ledger_entry'",
            [text.replace(WITHIN, WITHIN.replace("UNIQUE ", ""))],
        )
        freed = f"CREATE UNIQUE INDEX {FREED} ON ledger_entry (reverses_id)"
        await execute(
            "UPDATE sqlite_schema SET name = ?, sql = ? WHERE type = 'index' AND name = ?",
            [FREED, freed, MADE_BY_UNIQUE],
        )
        await execute(f"PRAGMA schema_version = {version + 1}")  # so that every connection reads the texts anew
    finally:
        await execute("PRAGMA writable_schema = OFF")
    _, ((sound,),) = await execute("PRAGMA quick_check(1)")
    assert sound == "ok", sound
    await execute(f"DROP INDEX {FREED}")


class Migration(HandWritten):
    dependencies = [("models", "0021_homes")]
    operations = [
        sql(*COMMAND),
        ops.RunPython(free_reverses, ops.RunPython.noop),
        sql(
            sqlite=(UTC_DAY.format("CAST(strftime('%s', booked_at) AS INTEGER) / 86400", "VIRTUAL"),),
            postgres=(UTC_DAY.format(DAY_IN_POSTGRES, "STORED"),),
        ),
        sql(*INDEXES),
    ]

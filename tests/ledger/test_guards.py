"""The triggers that stand are those that are written down, on both databases; `verify` misses each that is not."""

import pytest

from pointsbank.kit import db, guards
from pointsbank.ledger import verify

pytestmark = pytest.mark.both
NOTHING_ON_POSTGRES = "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
NOTHING_ON_SQLITE = "CREATE TRIGGER {} BEFORE DELETE ON ledger_entry WHEN 1 = 0 BEGIN SELECT RAISE(ABORT, 'x'); END"
GUARD = "ledger_entry_append_only_update"
ASLEEP_ON_SQLITE = (
    f"CREATE TRIGGER {GUARD} BEFORE UPDATE OF {{}} ON ledger_entry WHEN {{}} "
    "BEGIN SELECT RAISE(ABORT, 'ledger_entry: append_only'); END"
)
ASLEEP_ON_POSTGRES = (
    f"CREATE TRIGGER {GUARD} BEFORE UPDATE {{}} ON ledger_entry FOR EACH ROW {{}} "
    "EXECUTE FUNCTION ledger_entry_append_only()"
)
AS_OF_ENTRIES = "BEFORE DELETE ON ledger_gift FOR EACH ROW EXECUTE FUNCTION ledger_entry_append_only()"
# What somebody says to SQLite, and to PostgreSQL; and what verify names.
FAULTS = {
    "one is gone": (
        ["DROP TRIGGER ledger_rate_append_only_delete"],
        ["DROP TRIGGER ledger_rate_append_only_delete ON ledger_rate"],
        "ledger_rate_append_only_delete",
    ),
    "one of another room is gone": (
        ["DROP TRIGGER stock_move_append_only_delete"],
        ["DROP TRIGGER stock_move_append_only_delete ON stock_move"],
        "stock_move_append_only_delete",
    ),
    "one refuses nothing": (
        ["DROP TRIGGER ledger_entry_append_only_delete", NOTHING_ON_SQLITE.format("ledger_entry_append_only_delete")],
        [NOTHING_ON_POSTGRES.format("ledger_entry_append_only()")],
        "ledger_entry_append_only_delete",
    ),
    "one stands elsewhere": (
        [
            "DROP TRIGGER ledger_entry_append_only_delete",
            (
                "CREATE TRIGGER ledger_entry_append_only_delete BEFORE DELETE ON ledger_gift WHEN 1 = 1 "
                "BEGIN SELECT RAISE(ABORT, 'ledger_gift: append_only'); END"
            ),
        ],
        [
            "DROP TRIGGER ledger_entry_append_only_delete ON ledger_entry",
            f"CREATE TRIGGER ledger_entry_append_only_delete {AS_OF_ENTRIES}",
        ],
        "ledger_entry_append_only_delete",
    ),
    "one sleeps": (
        ["DROP TRIGGER ledger_move_append_only_update"],
        ["ALTER TABLE ledger_move DISABLE TRIGGER ledger_move_append_only_update"],
        "ledger_move_append_only_update",
    ),
    "one looks at one column alone": (
        [f"DROP TRIGGER {GUARD}", ASLEEP_ON_SQLITE.format("reason", "1 = 1")],
        [f"DROP TRIGGER {GUARD} ON ledger_entry", ASLEEP_ON_POSTGRES.format("OF reason", "")],
        GUARD,
    ),
    "one has a condition of its own": (
        [f"DROP TRIGGER {GUARD}", ASLEEP_ON_SQLITE.format("reason", "1 = 0")],
        [f"DROP TRIGGER {GUARD} ON ledger_entry", ASLEEP_ON_POSTGRES.format("", "WHEN (1 = 0)")],
        GUARD,
    ),
    "a stranger's": (
        [NOTHING_ON_SQLITE.format("helpful")],
        [f"CREATE TRIGGER helpful {AS_OF_ENTRIES}"],
        "helpful",
    ),
    "a stranger's that acts afterwards": (
        [NOTHING_ON_SQLITE.format("helpful_later").replace("BEFORE", "AFTER")],
        [f"CREATE TRIGGER helpful_later {AS_OF_ENTRIES.replace('BEFORE', 'AFTER')}"],
        "helpful_later",
    ),
    "a stranger's under the name of a guard": (
        [NOTHING_ON_SQLITE.format("helpful_too")],
        [f"CREATE TRIGGER ledger_account_kept_delete {AS_OF_ENTRIES}"],
        "helpful_too or ledger_account_kept_delete",
    ),
}


async def test_what_stands_after_all_migrations_is_what_is_written_down(world):
    standing, wanted = await guards.standing(db.rows), guards.wanted()
    unwritten = sorted(told for name, told in standing if told not in wanted.get(name, set()))
    assert unwritten == [], "migrations/guards.txt lacks these lines"
    assert wanted.keys() - dict(standing).keys() == set(), "migrations/guards.txt tells of these, and they are gone"


@pytest.mark.tampers
@pytest.mark.parametrize("fault", FAULTS)
async def test_verify_finds_a_guard_that_is_not_as_it_should_be(world, fault):
    on_sqlite, on_postgres, named = FAULTS[fault]
    assert (await verify.verify()).is_clean

    async def tamper(tx):
        for statement in on_sqlite if db.current().is_sqlite else on_postgres:
            await tx.rows(statement)

    await db.write(tamper)

    found = {finding.where for finding in (await verify.verify()).findings}
    assert found & {*named.split(" or ")}

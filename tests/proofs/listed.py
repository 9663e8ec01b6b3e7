"""What is proven and how: one entry for each promise and way of trying it. To add one, write a line in PROOFS.

Most run tests of the suite at length: `tests` names them, `env` says how long. What is no test says `run`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.proofs import drill

LONG_CYCLES, QUICK_CYCLES = 500, 10


@dataclass(frozen=True)
class Proof:
    """`often` is what the table says; with `quick` the quick form's. Seeds reach tests by PB_CRASH_SEED,
    PB_FAULT_SEED and PB_MACHINE_SEED, and functions as an argument.
    """

    promise: str
    tried: str
    often: str
    quick: str
    tests: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    quick_env: dict[str, str] = field(default_factory=dict)
    run: Callable[[int, bool], None] | None = None
    at_once: int = 1
    """So many processes side by side, each with a seed of its own; `env` says how long one of them is."""


ALL = {"PB_FAULTS": "all"}
CRASH = "tests/crash/test_crash.py::test_what_was_acknowledged_survives_and_what_was_asked_again_happened_once"
MACHINE = "tests/ledger/test_machine.py::test_the_ledger_and_its_oracle_never_differ"

PROOFS = (
    Proof(
        "P-01 P-02", "kill -9 under 64 clients, SQLite", f"{LONG_CYCLES} kills", f"{QUICK_CYCLES} kills",
        (f"{CRASH}[sqlite]",), {"PB_CRASH_CYCLES": str(LONG_CYCLES)}, {"PB_CRASH_CYCLES": str(QUICK_CYCLES)},
    ),
    Proof(
        "P-01 P-02", "kill -9 under 64 clients, PostgreSQL", f"{LONG_CYCLES} kills", f"{QUICK_CYCLES} kills",
        (f"{CRASH}[postgres]",), {"PB_CRASH_CYCLES": str(LONG_CYCLES)}, {"PB_CRASH_CYCLES": str(QUICK_CYCLES)},
    ),
    Proof(
        "P-01 P-16", "kill -9 in checkpoint, backup, migration, expiry, month close", "25 kills each", "1 kill each",
        ("tests/crash/test_moments.py",), {"PB_MOMENTS": "25"},
    ),
    Proof(
        "P-01", "an answer before its commit is seen, a stop under load", "once each", "once each",
        ("tests/crash/test_crash.py::test_this_test_sees_what_is_lost_when_answers_leave_before_the_commit",
         "tests/crash/test_stop.py"),
    ),
    Proof(
        "P-01", "a sync before each answer; NORMAL fails", "1,000 orders", "50 orders",
        ("tests/crash/test_synced.py",), {"PB_SYNC_COMMANDS": "1000"},
    ),
    Proof(
        "P-02", "each changing route again, ten at once on both databases: one effect, one answer", "all routes",
        "a sample at once",
        ("tests/faults/test_retries.py",), ALL,
    ),
    Proof("P-02", "request keys, both databases", "once each", "once each", ("tests/kit/test_db_keys.py",)),
    Proof(
        "P-03 P-04 P-13", "any operations beside an oracle, SQLite", "2 × 500,000 steps", "3,000 steps",
        (f"{MACHINE}[sqlite]",), {"PB_MACHINE_STEPS": "500000"}, {"PB_MACHINE_STEPS": "3000"},
        at_once=2,
    ),
    Proof(
        "P-03 P-04 P-13", "any operations beside an oracle, PostgreSQL", "4 × 250,000 steps", "3,000 steps",
        (f"{MACHINE}[postgres]",), {"PB_MACHINE_STEPS": "250000"}, {"PB_MACHINE_STEPS": "3000"},
        at_once=4,  # one alone waits for PostgreSQL most of the time
    ),
    Proof("P-03 P-04 P-13", "faults put into the ledger: the oracle sees each", "76 faults", "76 faults",
          ("tests/ledger/test_machine_faults.py",)),
    Proof(
        "P-03 P-13", "one history on both databases, all rows compared", "20,000 operations", "240 operations",
        ("tests/ledger/test_history.py",), {"PB_HISTORY": "20000"},
    ),
    Proof("P-06 P-07", "each column, row and table changed, tails cut, chains made anew", "all columns", "all columns",
          ("tests/ledger/test_tampering.py", "tests/ledger/test_export.py")),
    Proof("P-02 P-06", "keys, goods, orders and limits changed, also alike: each is found", "once each", "once each",
          ("tests/faults/test_keys_kept.py", "tests/redemption/test_verify.py")),
    Proof("P-03 P-05 P-09", "races by 2 to 64, both databases", "once each", "once each",
          ("tests/journeys/test_races.py",)),
    Proof(
        "P-03 P-05 P-09", "races by 2, 8 and 64 in one process and in four", "9 races, 5 fields each",
        "9 races by 8 in four", ("tests/races",), {"PB_RACES": "all"},
    ),
    Proof(
        "P-16", "backup under 64 clients, restored; a plain copy fails", f"{drill.BACKUPS} backups",
        f"{drill.QUICK_BACKUPS} backups", run=drill.run,
    ),
    Proof("P-16", "backups that were harmed; pg_dump", "once each", "once each",
          ("tests/app/test_backup.py", "tests/app/test_backup_postgres.py")),
    Proof(
        "P-18", "disk full, read-only, lock held for 10 s", "all routes", "a sample",
        ("tests/faults/test_disks.py",), ALL,
    ),
    Proof("P-18", "PostgreSQL lost, restarted, locked, full, read-only, deadlocked", "once each", "once each",
          ("tests/faults/test_postgres.py",), ALL, ALL),
    Proof(
        "P-18", "the caller goes at every wait, both databases", "all routes", "a sample",
        ("tests/faults/test_cancelled.py",), ALL,
    ),
)  # fmt: skip

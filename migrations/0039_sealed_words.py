"""Words of residents are sealed from here on. Those that stand in plain are sealed by a job, which has the key.

It comes by rows that are ended, too: these may change once more, for as long as they are in plain.
"""

from ._lib import HandWritten, forbid, sql


def _dropped(table: str, why: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    name = f"{table}_{why}"
    return (
        (f"DROP TRIGGER {name}_update",),
        (f"DROP TRIGGER {name}_update ON {table}", f"DROP FUNCTION {name}()"),
    )


ENDED = _dropped("awards_case", "ended")
FINAL = _dropped("awards_case_objection", "final")


class Migration(HandWritten):
    dependencies = [("models", "0038_consequences")]
    operations = [
        sql(sqlite=ENDED[0] + FINAL[0], postgres=ENDED[1] + FINAL[1]),
        forbid(
            "awards_case",
            "UPDATE",
            "(OLD.state IN ('dropped', 'made_good') OR OLD.taken IS NOT NULL) "
            "AND (OLD.remedy IS NULL OR OLD.remedy LIKE 'sealed/1:%')",
            "ended",
        ),
        forbid("awards_case_objection", "UPDATE", "OLD.verdict IS NOT NULL AND OLD.said LIKE 'sealed/1:%'", "final"),
    ]

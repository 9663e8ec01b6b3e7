"""Words of residents are sealed from here on. Those that stand in plain are sealed by a job, which has the key.

It comes by rows that are ended, too: these may change once more, for as long as they are in plain.
"""

from ._lib import HandWritten, allow, forbid


class Migration(HandWritten):
    dependencies = [("models", "0038_consequences")]
    operations = [
        allow("awards_case", "UPDATE", "ended"),
        allow("awards_case_objection", "UPDATE", "final"),
        forbid(
            "awards_case",
            "UPDATE",
            "(OLD.state IN ('dropped', 'made_good') OR OLD.taken IS NOT NULL) "
            "AND (OLD.remedy IS NULL OR OLD.remedy LIKE 'sealed/1:%')",
            "ended",
        ),
        forbid("awards_case_objection", "UPDATE", "OLD.verdict IS NOT NULL AND OLD.said LIKE 'sealed/1:%'", "final"),
    ]

"""What staff write down of a resident is sealed from here on, like what the resident says to it.

What stands in plain a job seals: it comes by rows that are ended, too, which may change for as long as they are.
"""

from ._lib import HandWritten, allow, forbid

IS_SEALED = "OLD.what LIKE 'sealed/1:%'"


class Migration(HandWritten):
    dependencies = [("models", "0040_what_is_found")]
    operations = [
        allow("awards_case", "UPDATE", "final"),
        allow("awards_case", "UPDATE", "ended"),
        forbid("awards_case", "UPDATE", f"OLD.state IN ('refused', 'withdrawn') AND {IS_SEALED}", "final"),
        forbid(
            "awards_case",
            "UPDATE",
            "(OLD.state IN ('dropped', 'made_good') OR OLD.taken IS NOT NULL) "
            f"AND (OLD.remedy IS NULL OR OLD.remedy LIKE 'sealed/1:%') AND {IS_SEALED}",
            "ended",
        ),
    ]

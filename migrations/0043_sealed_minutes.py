"""Minutes of meetings are sealed from here on; those that lie in plain are sealed by a job, which has the key.

A paper may change once more for as long as it is in plain, of a meeting that counts no longer, too.
"""

from ._lib import HandWritten, allow, forbid

MARK = "CAST('sealed/1:' AS BLOB)"
IS_SEALED = f"substr(OLD.record, 1, 9) = {MARK}"
REWRITTEN = (
    f"(OLD.voided_at IS NOT NULL AND ({IS_SEALED} OR NEW.voided_at IS NULL OR NEW.voided_at <> OLD.voided_at))"
    f" OR (NEW.record <> OLD.record AND ({IS_SEALED} OR substr(NEW.record, 1, 9) <> {MARK}))"
    " OR NEW.version_id <> OLD.version_id OR NEW.held_on <> OLD.held_on OR NEW.place <> OLD.place"
    " OR NEW.present <> OLD.present OR NEW.votes_for <> OLD.votes_for OR NEW.votes_against <> OLD.votes_against"
    " OR NEW.abstained <> OLD.abstained"
)


class Migration(HandWritten):
    dependencies = [("models", "0042_carried_limits")]
    operations = [
        allow("scoring_meeting", "UPDATE", "rewritten"),
        forbid("scoring_meeting", "UPDATE", REWRITTEN, "rewritten"),
    ]

"""What one person asks for of a kind of passbook, or of what one may do alone, waits for a second one."""

from ._lib import HandWritten, forbid, sql
from ._state_0044_proposals import STATE

# Without a kind it is about how much one person may do alone. `was`: the version of the kind, or that limit, which
# whoever asked had before them.
PROPOSAL = """
CREATE TABLE ledger_proposal (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  kind_id BIGINT REFERENCES ledger_book_kind(id),
  was BIGINT NOT NULL,
  settings TEXT NOT NULL,
  made_by BIGINT NOT NULL REFERENCES people_person(id),
  made_at MOMENT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'done', 'refused', 'withdrawn')),
  approval_id BIGINT UNIQUE REFERENCES approvals_approval(id)
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0043_sealed_minutes")]
    operations = [
        sql(
            PROPOSAL,
            # One thing is asked about once at a time.
            "CREATE UNIQUE INDEX ledger_proposal_kind ON ledger_proposal (kind_id) WHERE state = 'asked'",
            "CREATE UNIQUE INDEX ledger_proposal_limit ON ledger_proposal (community_id) "
            "WHERE state = 'asked' AND kind_id IS NULL",
            "CREATE INDEX ledger_proposal_community ON ledger_proposal (community_id, id)",
        ),
        forbid("ledger_proposal", "DELETE", "1 = 1", "kept"),
        forbid("ledger_proposal", "UPDATE", "OLD.state <> 'asked'", "final"),
        *STATE,
    ]

"""Two records become one when a second person has agreed, and the points that follow say to what."""

from ._lib import HandWritten, append_only, forbid, sql
from ._state_0026_merges_agreed import STATE

REQUEST = """
CREATE TABLE governance_merge_request (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  into_id BIGINT NOT NULL REFERENCES people_person(id),
  made_by BIGINT NOT NULL REFERENCES people_person(id),
  made_at MOMENT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'done', 'refused', 'withdrawn')),
  approval_id BIGINT UNIQUE REFERENCES approvals_approval(id),
  CHECK (person_id <> into_id)
)
"""
JOINING = """
CREATE TABLE ledger_joining (
  id ID,
  voucher_id BIGINT NOT NULL UNIQUE REFERENCES ledger_voucher(id),
  approval_id BIGINT NOT NULL REFERENCES approvals_approval(id)
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0025_gifts")]
    operations = [
        sql(
            REQUEST,
            JOINING,
            # A record is asked about once at a time.
            "CREATE UNIQUE INDEX governance_merge_request_asked ON governance_merge_request (person_id) "
            "WHERE state = 'asked'",
            "CREATE INDEX governance_merge_request_community ON governance_merge_request (community_id, id)",
        ),
        forbid("governance_merge_request", "DELETE", "1 = 1", "kept"),
        forbid("governance_merge_request", "UPDATE", "OLD.state <> 'asked'", "final"),
        append_only("ledger_joining"),
        *STATE,
    ]

"""Merges that can be undone, residents' requests, how consent was given, and whom a notice's line is about."""

from ._lib import HandWritten, append_only, sql
from ._state_0011_people_pages import STATE

MERGE = """
CREATE TABLE people_merge (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  into_id BIGINT NOT NULL REFERENCES people_person(id),
  merged_by BIGINT,
  merged_at MOMENT NOT NULL,
  separated_by BIGINT,
  separated_at MOMENT,
  reason TEXT NOT NULL
)
"""

REQUEST = """
CREATE TABLE people_request (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  kind TEXT NOT NULL CHECK (kind IN ('correct', 'leave')),
  field TEXT NOT NULL CHECK (field IN ('', 'name', 'phone', 'birth_year', 'home')),
  asked BLOB,
  state TEXT NOT NULL CHECK (state IN ('open', 'done', 'refused', 'withdrawn')),
  answer TEXT NOT NULL,
  made_at MOMENT NOT NULL,
  settled_by BIGINT,
  settled_at MOMENT
)
"""

# Beside the lines, which never change: who agrees to be named may change while a notice hangs.
LINE_PERSON = """
CREATE TABLE notices_line_person (
  line_id BIGINT PRIMARY KEY NOT NULL REFERENCES notices_line(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id)
)
"""

MERGES_SO_FAR = """
INSERT INTO people_merge (person_id, into_id, merged_by, merged_at, reason)
SELECT p.id, p.merged_into, t.person_id, COALESCE(t.at, p.made_at), ''
  FROM people_person p
  LEFT JOIN trail_record t ON t.subject_kind = 'person' AND t.subject_id = p.id AND t.verb = 'person.merged'
 WHERE p.state = 'merged'
"""
LINES_SO_FAR = """
INSERT INTO notices_line_person (line_id, person_id)
SELECT line_id, person_id FROM awards_award WHERE line_id IS NOT NULL
"""


class Migration(HandWritten):
    dependencies = [("models", "0010_staff")]
    operations = [
        sql(
            MERGE,
            REQUEST,
            LINE_PERSON,
            "ALTER TABLE people_consent ADD COLUMN how TEXT",
            "ALTER TABLE people_consent ADD COLUMN given_by BIGINT",
            "ALTER TABLE people_consent ADD COLUMN withdrawn_how TEXT",
            "ALTER TABLE people_consent ADD COLUMN withdrawn_by BIGINT",
            "CREATE UNIQUE INDEX people_merge_live ON people_merge (person_id) WHERE separated_at IS NULL",
            "CREATE INDEX people_merge_into ON people_merge (into_id)",
            "CREATE UNIQUE INDEX people_request_live ON people_request (person_id, kind, field) WHERE state = 'open'",
            "CREATE INDEX people_request_open ON people_request (community_id) WHERE state = 'open'",
            "CREATE INDEX people_request_person ON people_request (person_id)",
            MERGES_SO_FAR,
            LINES_SO_FAR,
        ),
        append_only("notices_line_person"),
        *STATE,
    ]

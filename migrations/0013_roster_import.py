"""Rosters that come as files, what a row of them may say of a person, and the tags of a community."""

from ._lib import HandWritten, recheck, sql
from ._state_0013_roster_import import STATE

TAG = """
CREATE TABLE people_tag (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  name TEXT NOT NULL,
  ended_at MOMENT,
  UNIQUE (community_id, name)
)
"""

PERSON_TAG = """
CREATE TABLE people_person_tag (
  id ID,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  tag_id BIGINT NOT NULL REFERENCES people_tag(id),
  given_at MOMENT NOT NULL,
  UNIQUE (person_id, tag_id)
)
"""

IMPORT = """
CREATE TABLE people_import (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  made_by BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('uploading', 'mapping', 'checking', 'checked', 'importing', 'done', 'stopped', 'expired')),
  digest BLOB NOT NULL,
  kind TEXT NOT NULL,
  wrapped_key BLOB,
  head BIGINT NOT NULL,
  plan TEXT NOT NULL,
  summary TEXT NOT NULL,
  total BIGINT NOT NULL,
  done BIGINT NOT NULL,
  entered BIGINT NOT NULL,
  known BIGINT NOT NULL,
  left_out BIGINT NOT NULL,
  cleared BOOLEAN NOT NULL,
  made_at MOMENT NOT NULL
)
"""

# What will be a person lies ready here until the last command makes all of them members at once.
IMPORT_ROW = """
CREATE TABLE people_import_row (
  id ID,
  import_id BIGINT NOT NULL REFERENCES people_import(id),
  number BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('raw', 'skipped', 'good', 'known', 'faulty', 'asked', 'ready', 'entered')),
  accepted BOOLEAN NOT NULL,
  cells BLOB NOT NULL,
  verdict BLOB,
  household_id BIGINT,
  makes_household BOOLEAN NOT NULL,
  is_head BOOLEAN NOT NULL,
  publication BOOLEAN NOT NULL,
  member_number TEXT,
  wrapped_key BLOB,
  name BLOB,
  phone BLOB,
  phone_index BLOB,
  id_last4 TEXT,
  id_index BLOB,
  birth_year BIGINT,
  sex TEXT,
  tags TEXT NOT NULL,
  UNIQUE (import_id, number)
)
"""

IMPORT_COLUMNS = """
CREATE TABLE people_import_columns (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  header BLOB NOT NULL,
  columns TEXT NOT NULL,
  UNIQUE (community_id, header)
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0012_cards")]
    operations = [
        sql(
            TAG,
            PERSON_TAG,
            IMPORT,
            IMPORT_ROW,
            IMPORT_COLUMNS,
            "CREATE INDEX people_person_tag_tag ON people_person_tag (tag_id)",
            "CREATE INDEX people_import_community ON people_import (community_id, id)",
            "CREATE INDEX people_import_left ON people_import (id) WHERE NOT cleared",
            "CREATE INDEX people_import_row_state ON people_import_row (import_id, state, number)",
            "CREATE INDEX people_import_row_home ON people_import_row (household_id) WHERE household_id IS NOT NULL",
            "CREATE INDEX people_import_row_new ON people_import_row (member_number) WHERE member_number IS NOT NULL",
            "ALTER TABLE people_person ADD COLUMN sex TEXT CHECK (sex IN ('f', 'm'))",
        ),
        recheck(
            "people_consent",
            "people_consent_purpose_check",
            "purpose IN ('service', 'publication')",
            "purpose IN ('service', 'publication', 'tags')",
        ),
        *STATE,
    ]

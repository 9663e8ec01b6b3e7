"""Stored answers of commands, the outbox, what this installation is, and the trail."""

from ._lib import HandWritten, append_only, sql
from ._state_0001_kit_trail import STATE

COMMAND = """
CREATE TABLE command (
  caller TEXT NOT NULL,
  request_key TEXT NOT NULL,
  digest BLOB NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
  answer BLOB NOT NULL,
  at MOMENT NOT NULL,
  PRIMARY KEY (caller, request_key)
) WITHOUT_ROWID
"""

OUTBOX = """
CREATE TABLE outbox (
  id ID,
  topic TEXT NOT NULL,
  facts TEXT NOT NULL,
  at MOMENT NOT NULL,
  done_at MOMENT
)
"""

INSTALLATION = """
CREATE TABLE installation (
  id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
  kind TEXT NOT NULL CHECK (kind IN ('real', 'demo')),
  key_fingerprint TEXT NOT NULL,
  made_at MOMENT NOT NULL
)
"""

JOB = """
CREATE TABLE job (
  name TEXT PRIMARY KEY NOT NULL,
  due_at MOMENT NOT NULL
)
"""

TRAIL = """
CREATE TABLE trail_record (
  id ID,
  at MOMENT NOT NULL,
  person_id BIGINT,
  session_id BIGINT,
  verb TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BIGINT NOT NULL,
  facts TEXT NOT NULL
)
"""


class Migration(HandWritten):
    initial = True
    operations = [
        sql(
            COMMAND,
            INSTALLATION,
            JOB,
            OUTBOX,
            "CREATE INDEX outbox_waiting ON outbox (id) WHERE done_at IS NULL",
            TRAIL,
            "CREATE INDEX trail_record_subject ON trail_record (subject_kind, subject_id, id)",
        ),
        append_only("trail_record"),
        *STATE,
    ]

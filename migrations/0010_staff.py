"""Places that are no longer offered; when sessions and sign-ins were last used; the second step of a sign-in."""

from ._lib import HandWritten, sql
from ._state_0010_staff import STATE

SECOND_STEP = """
CREATE TABLE people_second_step (
  id BIGINT PRIMARY KEY NOT NULL REFERENCES people_person(id),
  secret BLOB NOT NULL,
  confirmed_at MOMENT,
  last_step WHOLE NOT NULL,
  failures WHOLE NOT NULL CHECK (failures >= 0),
  blocked_until MOMENT,
  made_at MOMENT NOT NULL
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0009_openings")]
    operations = [
        sql(
            SECOND_STEP,
            "ALTER TABLE people_place ADD COLUMN ended_at MOMENT",
            "ALTER TABLE people_community ADD COLUMN second_step_required BOOLEAN NOT NULL DEFAULT FALSE",
            "ALTER TABLE people_session ADD COLUMN idle_minutes BIGINT",
            "ALTER TABLE people_session ADD COLUMN last_used_at MOMENT",
            "ALTER TABLE people_login ADD COLUMN signed_in_at MOMENT",
            "ALTER TABLE people_login ADD COLUMN last_used_at MOMENT",
            "ALTER TABLE people_login ADD COLUMN reset_at MOMENT",
            "ALTER TABLE people_login ADD COLUMN reset_by BIGINT",
        ),
        *STATE,
    ]

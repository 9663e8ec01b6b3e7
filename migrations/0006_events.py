"""Activities and who was there."""

from ._lib import HandWritten, forbid, sql
from ._state_0006_events import STATE

ACTIVITY = """
CREATE TABLE events_activity (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  title TEXT NOT NULL,
  venue TEXT NOT NULL,
  item_code TEXT NOT NULL,
  contact TEXT NOT NULL,
  starts_at MOMENT NOT NULL,
  ends_at MOMENT NOT NULL,
  seats WHOLE,
  arrived WHOLE NOT NULL CHECK (arrived >= 0),
  organiser_id BIGINT NOT NULL REFERENCES people_person(id),
  state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'confirmed', 'cancelled')),
  poster_token TEXT NOT NULL UNIQUE,
  made_at MOMENT NOT NULL,
  confirmed_at MOMENT,
  confirmed_by BIGINT,
  CHECK (starts_at < ends_at)
)
"""

ATTENDANCE = """
CREATE TABLE events_attendance (
  id ID,
  activity_id BIGINT NOT NULL REFERENCES events_activity(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  in_at MOMENT NOT NULL,
  in_way TEXT NOT NULL CHECK (in_way IN ('screen', 'poster', 'card', 'phone', 'picked')),
  in_by BIGINT,
  out_at MOMENT,
  out_way TEXT CHECK (out_way IN ('screen', 'poster', 'card', 'phone', 'picked')),
  out_by BIGINT,
  state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'struck')),
  minutes WHOLE,
  settled_by BIGINT,
  settled_at MOMENT,
  UNIQUE (activity_id, person_id),
  CHECK (out_at IS NULL OR out_at >= in_at)
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0005_notices_awards")]
    operations = [
        sql(
            ACTIVITY,
            ATTENDANCE,
            "CREATE INDEX events_activity_community ON events_activity (community_id, starts_at)",
            "CREATE INDEX events_attendance_person ON events_attendance (person_id, in_at)",
        ),
        forbid("events_attendance", "DELETE", "1 = 1", "kept"),
        *STATE,
    ]

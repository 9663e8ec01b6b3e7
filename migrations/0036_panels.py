"""A panel votes on awards; an act says on what occasion it was done."""

from ._lib import HandWritten, append_only, forbid, recheck, sql
from ._state_0036_panels import STATE

PANEL = """
CREATE TABLE awards_panel (
  id ID,
  award_id BIGINT NOT NULL UNIQUE REFERENCES awards_award(id),
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  step WHOLE NOT NULL,
  members WHOLE NOT NULL,
  agree WHOLE NOT NULL,
  drawn BOOLEAN NOT NULL,
  seats WHOLE NOT NULL,
  agreed WHOLE NOT NULL,
  against WHOLE NOT NULL,
  opened_at MOMENT NOT NULL,
  verdict TEXT CHECK (verdict IN ('passed', 'rejected')),
  decided_at MOMENT,
  CHECK (agree <= members AND members < 2 * agree AND seats BETWEEN 0 AND members),
  CHECK (agreed >= 0 AND against >= 0 AND agreed + against <= seats),
  CHECK (verdict IS NULL OR CASE verdict WHEN 'passed' THEN agreed = agree ELSE members - against = agree - 1 END),
  CHECK ((verdict IS NULL) = (decided_at IS NULL))
)
"""
SEAT = """
CREATE TABLE awards_panel_seat (
  id ID,
  panel_id BIGINT NOT NULL REFERENCES awards_panel(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  out_of WHOLE,
  seated_at MOMENT NOT NULL,
  left_at MOMENT
)
"""
VOTE = """
CREATE TABLE awards_panel_vote (
  id ID,
  seat_id BIGINT NOT NULL UNIQUE REFERENCES awards_panel_seat(id),
  agrees BOOLEAN NOT NULL,
  reason TEXT NOT NULL,
  voted_at MOMENT NOT NULL,
  CHECK (agrees = (reason = ''))
)
"""
ROLES = """role IN
    ('counter_staff', 'event_organiser', 'grid_worker', 'community_admin', 'supervisor', 'auditor', 'street_admin')"""
MORE_ROLES = """role IN
    ('counter_staff', 'event_organiser', 'grid_worker', 'community_admin', 'supervisor', 'auditor', 'street_admin',
     'panel_member')"""


class Migration(HandWritten):
    dependencies = [("models", "0034_deductions")]
    operations = [
        recheck("people_role_grant", "people_role_grant_role_check", ROLES, MORE_ROLES),
        sql(
            PANEL,
            SEAT,
            VOTE,
            "CREATE INDEX awards_panel_open ON awards_panel (community_id) WHERE verdict IS NULL",
            "CREATE UNIQUE INDEX awards_panel_seat_taken ON awards_panel_seat (panel_id, person_id) "
            "WHERE left_at IS NULL",
            "CREATE INDEX awards_panel_seat_person ON awards_panel_seat (person_id)",
            "ALTER TABLE awards_act ADD COLUMN occasion TEXT NOT NULL DEFAULT ''",
        ),
        forbid("awards_panel", "DELETE", "1 = 1", "kept"),
        forbid("awards_panel", "UPDATE", "OLD.verdict IS NOT NULL", "decided"),
        forbid("awards_panel_seat", "DELETE", "1 = 1", "kept"),
        forbid("awards_panel_seat", "UPDATE", "OLD.left_at IS NOT NULL", "left"),
        append_only("awards_panel_vote"),
        *STATE,
    ]

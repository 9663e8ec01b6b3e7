"""Streets and districts keep a scoring table that their communities may take and compare their own with."""

from ._lib import HandWritten, append_only, recheck, sql
from ._state_0031_templates import STATE

TEMPLATE = """
CREATE TABLE scoring_template (
  id ID,
  place_id BIGINT NOT NULL REFERENCES people_place(id),
  rules TEXT NOT NULL,
  version_id BIGINT REFERENCES scoring_version(id),
  made_by BIGINT,
  made_at MOMENT NOT NULL
)
"""
ROLES = """role IN
    ('counter_staff', 'event_organiser', 'grid_worker', 'community_admin', 'supervisor', 'auditor')"""
MORE_ROLES = """role IN
    ('counter_staff', 'event_organiser', 'grid_worker', 'community_admin', 'supervisor', 'auditor', 'street_admin')"""


class Migration(HandWritten):
    dependencies = [("models", "0030_version_life")]
    operations = [
        recheck("people_role_grant", "people_role_grant_role_check", ROLES, MORE_ROLES),
        sql(TEMPLATE, "CREATE INDEX scoring_template_place ON scoring_template (place_id)"),
        append_only("scoring_template"),
        *STATE,
    ]

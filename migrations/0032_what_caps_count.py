"""A cap counts points, times or minutes; a rest that is carried to the next act is counted beside them.

A rest may fall below zero: an act that was sent back takes along what the next one has already been given.
"""

from ._lib import HandWritten, sql

CAP_USE = """
CREATE TABLE awards_cap_use (
  community_id BIGINT NOT NULL,
  scope TEXT NOT NULL,
  holder_id BIGINT NOT NULL,
  item_code TEXT NOT NULL,
  period TEXT NOT NULL,
  period_start DAY NOT NULL,
  counts TEXT NOT NULL,
  points WHOLE NOT NULL,
  PRIMARY KEY (community_id, scope, holder_id, item_code, period, period_start, counts),
  CHECK (points >= 0 OR counts LIKE 'rest/%')
) WITHOUT_ROWID
"""


class Migration(HandWritten):
    dependencies = [("models", "0031_templates")]
    operations = [
        sql(
            "CREATE TABLE awards_cap_kept AS SELECT * FROM awards_cap_use",
            "DROP TABLE awards_cap_use",
            CAP_USE,
            """
INSERT INTO awards_cap_use (community_id, scope, holder_id, item_code, period, period_start, counts, points)
SELECT community_id, scope, holder_id, item_code, period, period_start, 'points', points FROM awards_cap_kept""",
            "DROP TABLE awards_cap_kept",
        )
    ]

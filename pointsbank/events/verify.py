"""Compare confirmed lines with the acts that they became."""

from pointsbank.kit.checks import Check, Finding, Rows, broken

CHECKS: tuple[Check, ...] = (
    (
        7,
        "a confirmed line has become no act, or several, or one of other minutes",
        """
SELECT 'attendance ' || it.id, it.minutes, CAST(COALESCE(SUM(act.minutes), 0) AS BIGINT) FROM events_attendance it
  JOIN events_activity activity ON activity.id = it.activity_id
  LEFT JOIN awards_act act ON act.source_room = 'events' AND act.source_kind = 'attendance' AND act.source_id = it.id
        AND act.community_id = activity.community_id
 WHERE it.state = 'confirmed' GROUP BY it.id, it.minutes
HAVING COUNT(act.id) <> 1 OR SUM(act.minutes) IS DISTINCT FROM it.minutes ORDER BY it.id""",
    ),
    (
        7,
        "an act is of a line that nobody confirmed",
        """
SELECT 'act ' || act.id, 0, act.minutes FROM awards_act act
  LEFT JOIN events_attendance it ON it.id = act.source_id AND it.state = 'confirmed'
 WHERE act.source_room = 'events' AND act.source_kind = 'attendance' AND it.id IS NULL ORDER BY act.id""",
    ),
)


async def check(rows: Rows) -> list[Finding]:
    return await broken(rows, CHECKS, "events")

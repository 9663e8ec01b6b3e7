"""Compare awards with the acts that they are for, and with the entries that they became."""

from pointsbank.kit.checks import Check, Finding, Rows, broken

CHECKS: tuple[Check, ...] = (
    (
        1,
        "an act has no award, or several, or one of another person or item",
        """
SELECT 'act ' || act.id, 1, COUNT(award.id) FROM awards_act act LEFT JOIN awards_award award ON award.act_id = act.id
 GROUP BY act.id
HAVING COUNT(award.id) <> 1 OR MIN(award.person_id) <> act.person_id OR MIN(award.item_code) <> act.item_code
    OR MIN(award.community_id) <> act.community_id ORDER BY act.id""",
    ),
    (
        1,
        "an award is for no act",
        """
SELECT 'award ' || award.id, 1, 0 FROM awards_award award LEFT JOIN awards_act act ON act.id = award.act_id
 WHERE act.id IS NULL ORDER BY award.id""",
    ),
    (
        5,
        "a settled award has no entry, or one that says something else",
        """
SELECT 'award ' || award.id, award.points, COALESCE(move.points, 0) FROM awards_award award
  JOIN awards_act act ON act.id = award.act_id
  LEFT JOIN ledger_entry entry ON entry.id = award.entry_id AND entry.kind = 'award'
        AND entry.source_room = 'awards' AND entry.source_kind = 'award' AND entry.source_id = award.id
        AND entry.member_id = award.person_id AND entry.version_id = award.version_id
        AND entry.effective_at = act.began_at AND entry.booked_at = award.settled_at
  LEFT JOIN ledger_move move ON move.entry_id = entry.id
  LEFT JOIN ledger_account account ON account.id = move.target_id
 WHERE award.state = 'settled' AND award.points > 0
   AND (move.points IS DISTINCT FROM award.points OR account.passbook_id IS DISTINCT FROM award.passbook_id)
 ORDER BY award.id""",
    ),
    (
        5,
        "an award that is not settled, or is worth nothing, has an entry",
        """
SELECT 'award ' || id, 0, entry_id FROM awards_award
 WHERE entry_id IS NOT NULL AND (state <> 'settled' OR points = 0) ORDER BY id""",
    ),
    (
        5,
        "an award is beyond its reviews, and not every step of its chain was passed",
        """
SELECT 'award ' || id, wanted, passed
  FROM (SELECT award.id, award.next_role, award.reviews_given,
               CASE award.chain WHEN '[]' THEN 0
                    ELSE 1 + LENGTH(award.chain) - LENGTH(REPLACE(award.chain, ',', '')) END AS wanted,
               (SELECT COUNT(*) FROM awards_review review
                 WHERE review.award_id = award.id AND review.verdict = 'passed') AS passed
          FROM awards_award award WHERE award.state IN ('noticed', 'disputed', 'settled')) beyond
 WHERE next_role <> '' OR reviews_given <> wanted OR passed <> wanted ORDER BY id""",
    ),
    (
        10,
        "a deduction has no entry, or one that says something else, or was not confirmed by a second person",
        """
SELECT 'case ' || it.id, COALESCE(it.taken, 0), COALESCE(move.points, 0) FROM awards_case it
  LEFT JOIN approvals_approval asked ON asked.id = it.approval_id AND asked.state = 'used'
        AND asked.checker_id <> asked.maker_id
  LEFT JOIN ledger_entry entry ON entry.id = it.entry_id AND entry.kind = 'deduction'
        AND entry.source_room = 'awards' AND entry.source_kind = 'case' AND entry.source_id = it.id
        AND entry.member_id = it.person_id AND entry.version_id = it.version_id AND entry.booked_at = it.booked_at
  LEFT JOIN ledger_move move ON move.entry_id = entry.id
  LEFT JOIN ledger_account account ON account.id = move.source_id
 WHERE (it.taken > 0 AND (it.state <> 'booked' OR move.points IS DISTINCT FROM it.taken
                          OR account.passbook_id IS DISTINCT FROM it.passbook_id))
    OR (COALESCE(it.taken, 0) = 0 AND it.entry_id IS NOT NULL)
    OR (it.state = 'booked' AND (it.taken IS NULL) <> (it.barred_until IS NOT NULL))
    OR (it.step IS NOT NULL AND asked.id IS NULL) OR (it.state = 'booked' AND it.step NOT IN ('deduction', 'veto'))
 ORDER BY it.id""",
    ),
    (
        15,
        "a passbook is kept from redeeming by no veto that was carried out, or for another time",
        """
SELECT 'passbook ' || COALESCE(bar.passbook_id, it.passbook_id), it.barred_until, bar.barred_until
  FROM (SELECT passbook_id, MAX(barred_until) AS barred_until FROM awards_case
         WHERE state = 'booked' AND barred_until IS NOT NULL GROUP BY passbook_id) it
  FULL JOIN (SELECT passbook_id, barred_until FROM ledger_bar WHERE barred_until IS NOT NULL) bar
    ON bar.passbook_id = it.passbook_id
 WHERE bar.barred_until IS DISTINCT FROM it.barred_until ORDER BY 1""",
    ),
    (
        17,
        "a panel counts other seats or votes than it has, or two of one person",
        """
SELECT 'award ' || panel.award_id, panel.seats * 10000 + panel.agreed * 100 + panel.against,
       COUNT(seat.id) * 10000 + COALESCE(SUM(CASE WHEN vote.agrees THEN 1 ELSE 0 END), 0) * 100
       + COALESCE(SUM(CASE WHEN vote.agrees THEN 0 WHEN vote.id IS NOT NULL THEN 1 ELSE 0 END), 0)
  FROM awards_panel panel
  LEFT JOIN awards_panel_seat seat ON seat.panel_id = panel.id AND seat.left_at IS NULL
  LEFT JOIN awards_panel_vote vote ON vote.seat_id = seat.id
 GROUP BY panel.id, panel.award_id, panel.seats, panel.agreed, panel.against
HAVING panel.seats * 10000 + panel.agreed * 100 + panel.against
       <> COUNT(seat.id) * 10000 + COALESCE(SUM(CASE WHEN vote.agrees THEN 1 ELSE 0 END), 0) * 100
       + COALESCE(SUM(CASE WHEN vote.agrees THEN 0 WHEN vote.id IS NOT NULL THEN 1 ELSE 0 END), 0)
    OR COUNT(DISTINCT seat.person_id) <> COUNT(seat.id)
 ORDER BY panel.award_id""",
    ),
    (
        17,
        "a step of a panel was taken without as many votes as the table wants, or by somebody",
        """
SELECT 'award ' || award.id, COALESCE(panel.agree, 1), COALESCE(panel.agreed, 0) FROM awards_award award
  LEFT JOIN awards_panel panel ON panel.award_id = award.id
  LEFT JOIN awards_review review ON review.award_id = award.id AND review.step = panel.step
 WHERE award.chain LIKE '%"panel"%'
   AND ((panel.id IS NULL AND (award.next_role = 'panel' OR (award.next_role = '' AND award.state <> 'rejected')))
        OR (award.reviews_given > panel.step
            AND (panel.verdict IS NULL OR review.verdict IS DISTINCT FROM panel.verdict
                 OR review.reviewed_by IS NOT NULL OR (panel.verdict = 'passed' AND panel.agreed < panel.agree))))
 ORDER BY award.id""",
    ),
    (
        10,
        "an entry is of a finding that does not know it",
        """
SELECT 'entry ' || entry.id, 1, 0 FROM ledger_entry entry LEFT JOIN awards_case it ON it.entry_id = entry.id
 WHERE entry.kind = 'deduction' AND it.id IS NULL ORDER BY entry.id""",
    ),
    (
        6,
        "an award is to come to a passbook that is closed",
        """
SELECT 'award ' || award.id, 0, award.points FROM awards_award award
  JOIN ledger_account account ON account.passbook_id = award.passbook_id AND account.closed_at IS NOT NULL
 WHERE award.state IN ('pending', 'noticed', 'disputed') ORDER BY award.id""",
    ),
    (
        5,
        "an award or a deduction was taken back by no voucher",
        """
SELECT 'entry ' || back.id, back.reverses_id, 0 FROM ledger_entry back
  JOIN (SELECT entry_id FROM awards_award UNION ALL SELECT entry_id FROM awards_case) it
    ON it.entry_id = back.reverses_id
  LEFT JOIN ledger_voucher voucher ON voucher.entry_id = back.id AND voucher.reverses_id = back.reverses_id
        AND voucher.what = back.kind
 WHERE voucher.id IS NULL ORDER BY back.id""",
    ),
    (
        5,
        "an entry is of an award that does not know it",
        """
SELECT 'entry ' || entry.id, 1, 0 FROM ledger_entry entry LEFT JOIN awards_award award ON award.entry_id = entry.id
 WHERE entry.kind = 'award' AND award.id IS NULL ORDER BY entry.id""",
    ),
)


async def check(rows: Rows) -> list[Finding]:
    return await broken(rows, CHECKS, "awards")

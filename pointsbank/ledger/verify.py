"""Recompute the books. Needs no keys, so it works on any copy of the database."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

import msgspec

from pointsbank.kit import db, guards
from pointsbank.kit.checks import SHOWN, Check, Finding, broken
from pointsbank.ledger import queries_seal, verify_books, verify_seals
from pointsbank.ledger.queries_seal import Rows
from pointsbank.ledger.verify_seals import CheckSpans, Deposited


class Report(msgspec.Struct, frozen=True):
    """`overdue_holds` names holds that nobody resolved in time: the books are right, but points lie idle."""

    findings: list[Finding]
    accounts: int
    entries: int
    points_issued: int
    overdue_holds: list[str]
    heads: list[str]
    waiting: int

    @property
    def is_clean(self) -> bool:
        return not self.findings


OPENINGS = """
SELECT 'entry ' || entry.id, COALESCE(line.points, 0), move.points
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  LEFT JOIN ledger_opening_list list ON list.id = entry.source_id AND list.community_id = entry.community_id
  LEFT JOIN ledger_opening_line line
    ON line.list_id = list.id AND entry.posting_key = 'opening/' || line.list_id || '/' || line.position
  LEFT JOIN approvals_approval approval ON approval.id = list.approval_id AND approval.subject_id = list.id
 WHERE entry.kind = 'opening'
   AND (line.points IS DISTINCT FROM move.points OR approval.state IS DISTINCT FROM 'used'
        OR approval.kind <> 'ledger.opening' OR approval.checker_id = approval.maker_id)
"""
ORPHANS = """
SELECT 'move ' || it.id, 1, 0 FROM ledger_move it LEFT JOIN ledger_entry entry ON entry.id = it.entry_id
 WHERE entry.id IS NULL
UNION ALL SELECT 'use of lot ' || it.lot_id || ' by entry ' || it.entry_id, 1, 0 FROM ledger_lot_use it
  LEFT JOIN ledger_entry entry ON entry.id = it.entry_id LEFT JOIN ledger_lot lot ON lot.id = it.lot_id
 WHERE entry.id IS NULL OR lot.id IS NULL
UNION ALL SELECT 'lot ' || it.id, 1, 0 FROM ledger_lot it LEFT JOIN ledger_account account ON account.id = it.account_id
 WHERE account.id IS NULL
UNION ALL SELECT 'hold ' || it.hold_id, 1, 0 FROM ledger_hold_lot it
  LEFT JOIN ledger_hold hold ON hold.id = it.hold_id LEFT JOIN ledger_lot lot ON lot.id = it.lot_id
 WHERE hold.id IS NULL OR lot.id IS NULL
UNION ALL SELECT 'run of kind ' || it.kind_id, 1, 0 FROM ledger_kind_run it
  LEFT JOIN ledger_book_kind kind ON kind.id = it.kind_id WHERE kind.id IS NULL
UNION ALL SELECT 'line ' || it.id || ' of openings', 1, 0 FROM ledger_opening_line it
  LEFT JOIN ledger_opening_list list ON list.id = it.list_id WHERE list.id IS NULL
"""
# A surplus comes back with what brought it, by the one voucher of that.
VOUCHERS = """
SELECT 'entry ' || entry.id, COALESCE(voucher.points, 0), move.points
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  LEFT JOIN ledger_account source ON source.id = move.source_id
  LEFT JOIN ledger_account target ON target.id = move.target_id
  LEFT JOIN ledger_voucher voucher ON voucher.entry_id = entry.id
 WHERE entry.kind IN ('transfer', 'donation', 'grant', 'adjustment', 'gift', 'joining', 'estate')
   AND (voucher.points IS DISTINCT FROM move.points OR voucher.from_id IS DISTINCT FROM source.passbook_id
        OR voucher.to_id IS DISTINCT FROM target.passbook_id)
   AND (entry.kind <> 'gift' OR voucher.id IS NOT NULL)
UNION ALL
SELECT 'entry ' || entry.id, entry.reverses_id, COALESCE(voucher.reverses_id, 0)
  FROM ledger_entry entry JOIN ledger_entry origin ON origin.id = entry.reverses_id
  LEFT JOIN ledger_voucher voucher ON voucher.entry_id = entry.id AND voucher.what = entry.kind
 WHERE entry.kind IN ('reversal', 'clawback') AND origin.source_room = 'ledger'
   AND origin.kind NOT IN ('opening', 'surplus') AND voucher.reverses_id IS DISTINCT FROM entry.reverses_id
UNION ALL
SELECT 'entry ' || entry.id, entry.reverses_id, 0
  FROM ledger_entry entry JOIN ledger_entry surplus ON surplus.id = entry.reverses_id AND surplus.kind = 'surplus'
 WHERE surplus.source_room = 'ledger' AND entry.id NOT IN (
         SELECT back.id FROM ledger_entry whole JOIN ledger_entry brought ON brought.id = whole.reverses_id
           JOIN ledger_entry rest ON rest.posting_key = 'surplus:' || brought.id
           JOIN ledger_entry back ON back.reverses_id = rest.id
           LEFT JOIN ledger_voucher voucher ON voucher.entry_id = whole.id AND voucher.reverses_id = brought.id
          WHERE whole.kind IN ('reversal', 'clawback') AND (brought.kind = 'opening' OR voucher.id IS NOT NULL))
UNION ALL
SELECT 'voucher ' || voucher.id, 1, 0 FROM ledger_voucher voucher
  LEFT JOIN approvals_approval approval ON approval.id = voucher.approval_id AND approval.kind = 'ledger.voucher'
        AND approval.subject_room = 'ledger' AND approval.subject_kind = 'voucher'
        AND approval.subject_id = voucher.id AND approval.state = 'used' AND approval.maker_id = voucher.made_by
        AND approval.checker_id <> approval.maker_id
 WHERE voucher.entry_id IS NOT NULL AND approval.id IS NULL
   AND (voucher.approval_id IS NOT NULL OR voucher.what IN ('grant', 'adjustment', 'gift'))
UNION ALL
SELECT 'proposal ' || proposal.id, 1, 0 FROM ledger_proposal proposal
  LEFT JOIN approvals_approval approval ON approval.id = proposal.approval_id AND approval.kind = 'ledger.proposal'
        AND approval.subject_room = 'ledger' AND approval.subject_kind = 'proposal'
        AND approval.subject_id = proposal.id AND approval.state = 'used' AND approval.maker_id = proposal.made_by
        AND approval.checker_id <> approval.maker_id
 WHERE proposal.state = 'done' AND approval.id IS NULL
UNION ALL
SELECT 'voucher ' || voucher.id, 1, 0 FROM ledger_joining joining
  LEFT JOIN ledger_voucher voucher ON voucher.id = joining.voucher_id
  LEFT JOIN approvals_approval approval ON approval.id = joining.approval_id AND approval.kind = 'governance.merge'
        AND approval.state = 'used' AND approval.checker_id <> approval.maker_id
 WHERE voucher.reason IS DISTINCT FROM 'same_person' OR approval.maker_id IS DISTINCT FROM voucher.made_by
"""
# Each check selects what is wrong: where, expected, found.
CHECKS: tuple[Check, ...] = (
    (
        1,
        "the balances of a community do not sum to zero",
        """
SELECT 'community ' || community_id, 0, SUM(balance) FROM ledger_account GROUP BY community_id
HAVING SUM(balance) <> 0""",
    ),
    (
        2,
        "a balance differs from its moves",
        """
SELECT 'account ' || account.id, COALESCE(moved.points, 0), account.balance FROM ledger_account account
  LEFT JOIN (SELECT account_id, SUM(points) AS points FROM (
               SELECT source_id AS account_id, -points AS points FROM ledger_move
               UNION ALL SELECT target_id, points FROM ledger_move) AS sides GROUP BY account_id) moved
         ON moved.account_id = account.id
 WHERE account.balance <> COALESCE(moved.points, 0)""",
    ),
    (
        2,
        "a passbook's balance differs from its unspent lots",
        """
SELECT 'account ' || account.id, COALESCE(lots.points, 0), account.balance FROM ledger_account account
  LEFT JOIN (SELECT account_id, SUM(remaining) AS points FROM ledger_lot GROUP BY account_id) lots
         ON lots.account_id = account.id
 WHERE account.passbook_id IS NOT NULL AND account.balance <> COALESCE(lots.points, 0)""",
    ),
    (
        2,
        "what is left of a lot differs from its uses",
        """
SELECT 'lot ' || lot.id, COALESCE(-used.points, 0), lot.remaining FROM ledger_lot lot
  LEFT JOIN (SELECT lot_id, SUM(points) AS points FROM ledger_lot_use GROUP BY lot_id) used ON used.lot_id = lot.id
 WHERE lot.remaining <> COALESCE(-used.points, 0)""",
    ),
    (
        2,
        "the last line of a passbook differs from its balance",
        """
SELECT 'account ' || account.id, account.balance,
       CASE WHEN move.source_id = account.id THEN move.source_after ELSE move.target_after END
  FROM ledger_account account JOIN (
       SELECT account_id, MAX(id) AS move_id FROM (
         SELECT source_id AS account_id, id FROM ledger_move
         UNION ALL SELECT target_id, id FROM ledger_move) AS sides GROUP BY account_id) latest
    ON latest.account_id = account.id JOIN ledger_move move ON move.id = latest.move_id
 WHERE account.passbook_id IS NOT NULL AND account.balance IS DISTINCT FROM
       CASE WHEN move.source_id = account.id THEN move.source_after ELSE move.target_after END""",
    ),
    (
        3,
        "an account other than `issued` is below zero",
        """
SELECT 'account ' || id, 0, balance FROM ledger_account
 WHERE balance < 0 AND COALESCE(system, '') NOT LIKE 'issued%'""",
    ),
    (
        5,
        "an entry has no move",
        """
SELECT 'entry ' || entry.id, 1, 0 FROM ledger_entry entry
 WHERE NOT EXISTS (SELECT 1 FROM ledger_move move WHERE move.entry_id = entry.id)""",
    ),
    (
        5,
        "a move joins accounts of different communities",
        """
SELECT 'move ' || move.id, entry.community_id, target.community_id FROM ledger_move move
  JOIN ledger_entry entry ON entry.id = move.entry_id JOIN ledger_account source ON source.id = move.source_id
  JOIN ledger_account target ON target.id = move.target_id
 WHERE source.community_id <> entry.community_id OR target.community_id <> entry.community_id""",
    ),
    (5, "a row belongs to a row that is not there", ORPHANS),
    (
        6,
        "a reversal is not the mirror of its entry",
        """
SELECT 'entry ' || reversal.id, 0, mirror.points FROM ledger_entry reversal
  JOIN ledger_move mirror ON mirror.entry_id = reversal.id
  LEFT JOIN ledger_move move ON move.entry_id = reversal.reverses_id AND move.points = mirror.points
        AND move.source_id = mirror.target_id AND move.target_id = mirror.source_id
 WHERE reversal.kind = 'reversal' AND move.id IS NULL
UNION ALL
SELECT 'entry ' || reversal.id, move.points, 0 FROM ledger_entry reversal
  JOIN ledger_move move ON move.entry_id = reversal.reverses_id
  LEFT JOIN ledger_move mirror ON mirror.entry_id = reversal.id AND mirror.points = move.points
        AND mirror.source_id = move.target_id AND mirror.target_id = move.source_id
 WHERE reversal.kind = 'reversal' AND mirror.id IS NULL""",
    ),
    (
        6,
        "a clawback and its shortfall are not what its entry brought",
        """
SELECT 'entry ' || clawback.id, move.points - COALESCE(refused.points, 0),
       taken.points + COALESCE(clawback.shortfall, 0) FROM ledger_entry clawback
  JOIN ledger_move taken ON taken.entry_id = clawback.id JOIN ledger_move move ON move.entry_id = clawback.reverses_id
  LEFT JOIN ledger_entry surplus ON surplus.posting_key = 'surplus:' || clawback.reverses_id
        AND surplus.reason = 'refused'
  LEFT JOIN ledger_move refused ON refused.entry_id = surplus.id
 WHERE clawback.kind = 'clawback'
   AND (taken.points + COALESCE(clawback.shortfall, 0) <> move.points - COALESCE(refused.points, 0)
        OR taken.source_id <> move.target_id)
UNION ALL
SELECT 'entry ' || id, 0, shortfall FROM ledger_entry WHERE shortfall IS NOT NULL AND kind <> 'clawback'""",
    ),
    (
        6,
        "an entry's lots differ from its moves",
        """
SELECT 'entry ' || sides.entry_id || ', account ' || sides.account_id, SUM(sides.moved), SUM(sides.used) FROM (
         SELECT entry_id, source_id AS account_id, points AS moved, 0 AS used FROM ledger_move
         UNION ALL SELECT entry_id, target_id, -points, 0 FROM ledger_move
         UNION ALL SELECT used.entry_id, lot.account_id, 0, used.points
                     FROM ledger_lot_use used JOIN ledger_lot lot ON lot.id = used.lot_id) AS sides
  JOIN ledger_account account ON account.id = sides.account_id AND account.passbook_id IS NOT NULL
 GROUP BY sides.entry_id, sides.account_id HAVING SUM(sides.moved) <> SUM(sides.used)""",
    ),
    (
        10,
        "a passbook is of a kind of another community, or a community has no main kind, or one of another holder",
        """
SELECT 'passbook ' || book.id, kind.community_id, book.community_id FROM ledger_passbook book
  JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE kind.community_id <> book.community_id
UNION ALL
SELECT 'community ' || book.community_id, 1, 0 FROM ledger_passbook book WHERE NOT EXISTS (
  SELECT 1 FROM ledger_book_kind kind WHERE kind.community_id = book.community_id AND kind.code = 'points')
UNION ALL
SELECT 'community ' || community.id, 0, 1 FROM people_community community
  JOIN ledger_book_kind kind ON kind.community_id = community.id AND kind.code = 'points'
 WHERE kind.holder <> community.holder""",
    ),
    (
        11,
        "what an account holds differs from its open holds",
        """
SELECT 'account ' || account.id, COALESCE(open.points, 0), account.held FROM ledger_account account
  LEFT JOIN (SELECT account_id, SUM(points) AS points FROM ledger_hold WHERE state = 'open' GROUP BY account_id) open
         ON open.account_id = account.id
 WHERE account.held <> COALESCE(open.points, 0)""",
    ),
    (
        11,
        "what is held of a lot differs from its open holds",
        """
SELECT 'lot ' || lot.id, COALESCE(open.points, 0), lot.held FROM ledger_lot lot
  LEFT JOIN (SELECT part.lot_id, SUM(part.points) AS points FROM ledger_hold_lot part
               JOIN ledger_hold hold ON hold.id = part.hold_id AND hold.state = 'open' GROUP BY part.lot_id) open
         ON open.lot_id = lot.id
 WHERE lot.held <> COALESCE(open.points, 0)""",
    ),
    (
        11,
        "a hold differs from its lots, or from the entry that captured it",
        """
SELECT 'hold ' || hold.hold_key, hold.points, COALESCE(SUM(part.points), 0) FROM ledger_hold hold
  LEFT JOIN ledger_hold_lot part ON part.hold_id = hold.id
  LEFT JOIN ledger_lot lot ON lot.id = part.lot_id
  LEFT JOIN ledger_lot_use used ON used.entry_id = hold.entry_id AND used.lot_id = part.lot_id
 GROUP BY hold.id, hold.hold_key, hold.points
HAVING hold.points <> COALESCE(SUM(part.points), 0)
    OR SUM(CASE WHEN lot.account_id <> hold.account_id THEN 1 ELSE 0 END) > 0
    OR SUM(CASE WHEN hold.entry_id IS NOT NULL AND used.points IS DISTINCT FROM part.points THEN 1 ELSE 0 END) > 0""",
    ),
    (
        2,
        "a lot was never used",
        """
SELECT 'lot ' || id, 1, 0 FROM ledger_lot WHERE id NOT IN (SELECT lot_id FROM ledger_lot_use)""",
    ),
    (
        9,
        "a list of opening balances has booked another number of lines than it says",
        """
SELECT 'list ' || list.id, (SELECT COUNT(*) FROM ledger_entry entry WHERE entry.source_id = list.id
                               AND entry.source_room = 'ledger' AND entry.source_kind = 'opening_list'
                               AND entry.kind = 'opening'), list.booked
  FROM ledger_opening_list list
 WHERE list.booked <> (SELECT COUNT(*) FROM ledger_entry entry WHERE entry.source_id = list.id
                          AND entry.source_room = 'ledger' AND entry.source_kind = 'opening_list'
                          AND entry.kind = 'opening')""",
    ),
    (
        9,
        "a line of opening balances waits that has ended, or has ended that waits",
        """
SELECT 'list ' || list.id || ', line ' || line.position, 0, 0
  FROM ledger_opening_line line JOIN ledger_opening_list list ON list.id = line.list_id
  LEFT JOIN ledger_entry entry ON entry.posting_key = 'opening/' || line.list_id || '/' || line.position
  LEFT JOIN ledger_entry back ON back.reverses_id = entry.id
 WHERE line.live <> (list.state NOT IN ('refused', 'withdrawn') AND back.id IS NULL)""",
    ),
    (9, "opening points stand on no list that a second person confirmed", OPENINGS),
    *verify_books.CHECKS,
    (15, "points went by no voucher, or by one that lacks its second person", VOUCHERS),
)

OVERDUE_HOLDS = """
SELECT hold_key FROM ledger_hold WHERE state = 'open' AND overdue_at < ? ORDER BY overdue_at, id LIMIT ?
"""
COUNTS = """
SELECT (SELECT COUNT(*) FROM ledger_account), (SELECT COUNT(*) FROM ledger_entry),
       (SELECT COALESCE(-SUM(balance), 0) FROM ledger_account WHERE system LIKE 'issued%')
"""
SEALS = "SELECT COUNT(*) FROM ledger_seal"
GUARD_MISSING = "a trigger that guards rows is missing, or says something else"
# Nothing refers to these by their number, so the number itself is looked at: the database gives them one by one and
# rows never go.
NUMBERED = ("ledger_move", "ledger_opening_line", "ledger_paper")
NUMBERS_SQLITE = "SELECT COALESCE(MIN(id), 1), COALESCE(MAX(id), 0), COUNT(*) FROM {table}"
NUMBERS_POSTGRES = """
SELECT COALESCE(MIN(id), 1), COALESCE(MAX(id), 0),
       COALESCE(pg_sequence_last_value(CAST(pg_get_serial_sequence('{table}', 'id') AS regclass)),
                                      0) FROM {table}
"""


async def verify(heads: Sequence[Deposited] = (), check: CheckSpans | None = None) -> Report:
    """Recompute the books from their rows as of one moment, and compare all that is sealed with the chain.

    `heads` are heads that were printed or deposited: what was cut off or written anew as a whole shows in them alone.
    `check` goes through the chains elsewhere: seals never change, so it need not be of the same moment.
    """
    # Each is of one moment by itself, and neither looks at what the other does.
    (findings, totals), (sealed, shown, waiting) = await asyncio.gather(_books(), _chains(heads, check))
    return Report(findings + sealed, *totals, shown, waiting)


async def _books() -> tuple[list[Finding], tuple[int, int, int, list[str]]]:
    async with db.snapshot() as rows:
        findings = await broken(rows, CHECKS) + await _guards(rows)
        ((accounts, entries, issued),) = await rows(COUNTS)
        yesterday = db.current().writer.clock.now() - timedelta(days=1)
        overdue = [hold_key for (hold_key,) in await rows(OVERDUE_HOLDS, yesterday, SHOWN)]
    return findings, (accounts, entries, int(issued), overdue)


async def _chains(deposited: Sequence[Deposited], check: CheckSpans | None) -> tuple[list[Finding], list[str], int]:
    async with db.snapshot() as rows:
        heads = await queries_seal.heads(rows)
        communities = {head.community_id for head in heads}
        strangers = [head for head in deposited if head.community_id not in communities]
        findings = [Finding(12, "a deposited head is of no community here", str(head)) for head in strangers]
        ((seals,),) = await rows(SEALS)
        spans = [span for head in heads for span in verify_seals.spans_of(head, deposited)]
        checked = await (check or partial(verify_seals.check_spans, rows))(spans)
        findings += _sealed(told for one in checked for told in one.findings)
        findings += _sealed(told for head in heads for told in verify_seals.cut_off(head, deposited))
        if seals != sum(one.count for one in checked):
            findings.append(Finding(12, "seals stand beyond the chains", str(seals)))
        findings += _sealed(await verify_seals.check_facts(rows))
        waiting, late = await verify_seals.check_waiting(rows)
    return findings + _sealed(late), [head.shown for head in heads if head.position], waiting


async def _guards(rows: Rows) -> list[Finding]:
    """The triggers stand, and the database itself has numbered the rows."""
    is_sqlite = db.current().is_sqlite
    wanted, standing = guards.wanted(), await guards.standing(rows)
    all_told = {told for _name, told in standing}
    missing = {name for name, told in wanted.items() if not told & all_told}
    strange = {name for name, told in standing if told not in wanted.get(name, ())} - missing
    findings = [Finding(5, GUARD_MISSING, name) for name in sorted(missing)]
    findings += [Finding(5, "a trigger is none of this program's", name) for name in sorted(strange)]
    for table in NUMBERED:
        ((first, last, given),) = await rows((NUMBERS_SQLITE if is_sqlite else NUMBERS_POSTGRES).format(table=table))
        if first < 1 or last > given:
            findings.append(Finding(5, "rows bear numbers that the database did not give", f"{table} {last}"))
    return findings


def _sealed(told: Iterable[verify_seals.Told]) -> list[Finding]:
    return [Finding(12, what, where) for what, where in list(told)[:SHOWN]]

"""What changes are sealed of: the tables of the books, and how one row of each is read."""

from typing import NamedTuple

NAMED = "COALESCE({0}_book.number, {0}.system)"


class Subject(NamedTuple):
    """What a change may be about: one row of a table, with the rows that belong to it.

    `sql` reads the row's id, its community, its name, and then every column that is a fact of its own, named as in
    the content; its table is called `it`. `parts` reads the id and the facts of the rows that belong to it, and ends
    with the column that refers to it; `parts_order` is an order that the facts give.
    What follows from other rows (a balance, what is left of a lot) is no fact: verify computes it.
    """

    sql: str
    parts: str = ""
    parts_order: str = ""


ACCOUNT_NAME = """
  LEFT JOIN ledger_account account ON account.id = {0}.account_id
  LEFT JOIN ledger_passbook account_book ON account_book.id = account.passbook_id
"""
SUBJECTS = {
    "kind": Subject(
        """
SELECT it.id, it.community_id, it.code, it.name, it.unit, it.decimals, it.holder, it.redeemable, it.donatable,
       it.transferable, it.balance_max, it.surplus, it.base_points, it.base_every, it.base_redeemable, it.spend_above,
       it.reset_month, it.reset_day, it.carry_over, it.version, it.notice_days
  FROM ledger_book_kind it""",
        """
SELECT run.kind_id, run.what, run.period, run.upto FROM ledger_kind_run run WHERE run.kind_id""",
        " ORDER BY run.what",
    ),
    "passbook": Subject(
        """
SELECT it.id, it.community_id, it.number, kind.code AS kind, it.person_id, it.household_id, it.opened_at
  FROM ledger_passbook it LEFT JOIN ledger_book_kind kind ON kind.id = it.kind_id"""
    ),
    "account": Subject(
        f"""
SELECT it.id, it.community_id, {NAMED.format("it")} AS named, it_book.number AS passbook, it.system, it.closed_at
  FROM ledger_account it LEFT JOIN ledger_passbook it_book ON it_book.id = it.passbook_id"""
    ),
    "hold": Subject(
        f"""
SELECT it.id, account.community_id, it.hold_key, {NAMED.format("account")} AS account, it.points, it.state,
       it.overdue_at, it.source_room, it.source_kind, it.source_id, it.member_id, it.actor_id, it.made_at,
       it.resolved_at, entry.posting_key AS entry
  FROM ledger_hold it {ACCOUNT_NAME.format("it")} LEFT JOIN ledger_entry entry ON entry.id = it.entry_id""",
        """
SELECT held.hold_id, lot.kind, lot.expires_on, lot.match_percent, held.points
  FROM ledger_hold_lot held LEFT JOIN ledger_lot lot ON lot.id = held.lot_id WHERE held.hold_id""",
        " ORDER BY lot.expires_on, lot.kind, COALESCE(lot.match_percent, 0)",
    ),
    "budget": Subject(
        """
SELECT it.id, it.community_id, account.system, it.year, it.programme, it.ceiling_points, it.ceiling_cents,
       it.cents_per_100, it.made_by, it.made_at
  FROM ledger_budget it LEFT JOIN ledger_account account ON account.id = it.account_id"""
    ),
    "rate": Subject(
        """
SELECT it.id, it.community_id, CAST(it.id AS TEXT) AS named, it.from_day, it.cents_per_100, it.book_kind, it.set_by,
       it.set_at
  FROM ledger_rate it"""
    ),
    "period": Subject(
        """
SELECT it.id, it.community_id, CAST(it.id AS TEXT) AS named, it.month, it.starts_at, it.ends_at, it.begun_by,
       it.begun_at, it.closed_at, it.head
  FROM ledger_period it"""
    ),
    "paper": Subject(
        """
SELECT it.id, book.community_id, book.number, it.book, it.page, it.row_number, it.page_after, it.last_move,
       it.printed_at
  FROM ledger_paper it LEFT JOIN ledger_passbook book ON book.id = it.passbook_id"""
    ),
    "opening_list": Subject(
        """
SELECT it.id, it.community_id, CAST(it.id AS TEXT) AS named, it.day, it.expires_on, it.made_by, it.made_at,
       it.line_count, it.points, it.state, it.approval_id
  FROM ledger_opening_list it""",
        """
SELECT line.list_id, line.position, line.person_id, line.household_id, line.points, line.remark
  FROM ledger_opening_line line WHERE line.list_id""",
        " ORDER BY line.position",
    ),
    "gate": Subject(
        """
SELECT it.id, kind.community_id, kind.code AS named, it.minutes
  FROM ledger_gate it LEFT JOIN ledger_book_kind kind ON kind.id = it.kind_id"""
    ),
    "bar": Subject(
        """
SELECT it.id, book.community_id, book.number, it.barred_until, it.gate_passed_on
  FROM ledger_bar it LEFT JOIN ledger_passbook book ON book.id = it.passbook_id"""
    ),
    "gift": Subject(
        """
SELECT it.id, voucher.community_id, CAST(it.voucher_id AS TEXT) AS named, it.match_percent, it.batch_id
  FROM ledger_gift it LEFT JOIN ledger_voucher voucher ON voucher.id = it.voucher_id"""
    ),
    "joining": Subject(
        """
SELECT it.id, voucher.community_id, CAST(it.voucher_id AS TEXT) AS named, it.approval_id
  FROM ledger_joining it LEFT JOIN ledger_voucher voucher ON voucher.id = it.voucher_id"""
    ),
    "past_day": Subject(
        """
SELECT it.id, voucher.community_id, CAST(it.voucher_id AS TEXT) AS named, it.day
  FROM ledger_past_day it LEFT JOIN ledger_voucher voucher ON voucher.id = it.voucher_id"""
    ),
    # What one person may do alone: a setting of the books that people's table of communities holds.
    "limit": Subject(
        """
SELECT it.id, it.id AS community_id, 'alone' AS named, it.reversal_alone_max FROM people_community it
  JOIN ledger_book_kind kind ON kind.community_id = it.id AND kind.code = 'points'"""
    ),
    "proposal": Subject(
        """
SELECT it.id, it.community_id, CAST(it.id AS TEXT) AS named, kind.community_id AS kind_of, kind.code AS kind,
       it.was, it.settings, it.made_by, it.made_at, it.state, it.approval_id
  FROM ledger_proposal it LEFT JOIN ledger_book_kind kind ON kind.id = it.kind_id"""
    ),
    "voucher": Subject(
        """
SELECT it.id, it.community_id, CAST(it.id AS TEXT) AS named, it.what, source.number AS source, target.number AS target,
       reversed.posting_key AS reverses, it.points, it.expires_on, it.reason, it.note, it.how, it.member_id, it.made_by,
       it.made_at, it.state, it.approval_id, entry.posting_key AS entry
  FROM ledger_voucher it LEFT JOIN ledger_passbook source ON source.id = it.from_id
  LEFT JOIN ledger_passbook target ON target.id = it.to_id
  LEFT JOIN ledger_entry reversed ON reversed.id = it.reverses_id
  LEFT JOIN ledger_entry entry ON entry.id = it.entry_id"""
    ),
}

"""Remember how far a passbook is printed. The points know nothing of it."""

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_paper, rules_paper
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules_paper import OtherLines, Place
from pointsbank.trail import actions as trail

ACCOUNT = "SELECT id FROM ledger_account WHERE passbook_id = ?"
BEGIN = """
INSERT INTO ledger_paper (passbook_id, book, page, row_number, page_after, last_move, printed_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (passbook_id) DO NOTHING RETURNING id
"""
GO_ON = """
UPDATE ledger_paper SET book = ?, page = ?, row_number = ?, page_after = ?, last_move = ?, printed_at = ?
 WHERE passbook_id = ? AND book = ? AND page = ? AND row_number = ? AND last_move = ?
RETURNING id
"""


class Printed(msgspec.Struct, frozen=True):
    book: int
    page: int
    row: int


async def note_printed(tx: Tx, *, passbook_id: int, last_move: int, upto: int) -> Printed:
    """The lines after the move `last_move` up to the move `upto` are on paper; refuses if the paper stood elsewhere."""
    before = await queries_paper.place(tx, passbook_id)
    if before.last_move != last_move:
        raise OtherLines
    account = await tx.row(ACCOUNT, passbook_id)
    if account is None:
        raise NotFound
    _carried, lines = await queries_paper.lines(tx, account["id"], before)
    after = rules_paper.after_printing(before, [line for line in lines if line.move_id <= upto])
    if after.last_move != upto or after == before:
        raise OtherLines
    return await _go_on(tx, passbook_id, before, after, "passbook.printed")


async def renew(tx: Tx, *, passbook_id: int, book: int) -> Printed:
    """A new paper book for the one that is full, lost or spoilt; what is not printed yet goes into it."""
    before = await queries_paper.place(tx, passbook_id)
    if before.book != book:
        raise OtherLines
    return await _go_on(tx, passbook_id, before, rules_paper.new_book(before), "passbook.renewed")


async def _go_on(tx: Tx, passbook_id: int, before: Place, after: Place, verb: str) -> Printed:
    where = (after.book, after.page, after.row, after.page_after, after.last_move, tx.now)
    if before == Place():
        changed = await tx.row(BEGIN, passbook_id, *where)
    else:
        changed = await tx.row(GO_ON, *where, passbook_id, before.book, before.page, before.row, before.last_move)
    if changed is None:
        raise OtherLines
    await change(tx, what="paper", row_id=changed["id"])
    await trail.record(tx, verb, subject=("passbook", passbook_id), book=after.book, page=after.page, row=after.row)
    return Printed(after.book, after.page, after.row)

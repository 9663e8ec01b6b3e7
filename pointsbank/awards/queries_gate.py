"""What keeps a passbook from redeeming, and how much service opens it.

The gate counts confirmed minutes of whoever holds the passbook: of a person under every number that was merged, of a
household those of everybody who lives there now, wherever they served them. So service goes with whoever moves.
"""

from pointsbank.awards.rules_gate import Gate, refusals
from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import Refusal
from pointsbank.ledger.queries import Account

HOLDER = "SELECT person_id, household_id FROM ledger_passbook WHERE id = ?"
# What was taken back was not done.
SERVED = """
SELECT COALESCE(SUM(act.minutes), 0) FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE award.state = 'settled'
   AND NOT EXISTS (SELECT 1 FROM ledger_entry back WHERE back.reverses_id = award.entry_id)
   AND award.person_id IN
"""
OF_PERSON = f"""{SERVED} (
  SELECT id FROM people_person WHERE id = ? UNION SELECT id FROM people_person WHERE merged_into = ?)
"""
LIVES_HERE = "household_id = ? AND state = 'member' AND merged_into IS NULL"
OF_HOUSEHOLD = f"""{SERVED} (
  SELECT id FROM people_person WHERE {LIVES_HERE}
   UNION SELECT id FROM people_person WHERE merged_into IN (SELECT id FROM people_person WHERE {LIVES_HERE}))
"""


async def served(tx: Tx | None, passbook_id: int) -> int:
    """Minutes that count for the gate of this passbook."""
    minutes, _is_household = await _served(tx, passbook_id)
    return minutes


async def gate(tx: Tx | None, account: Account) -> Gate | None:
    """The gate that this account has not passed; asks for the minutes only where there is one."""
    if not account.gate_minutes:
        return None
    return Gate(account.gate_minutes, *await _served(tx, account.passbook_id))


async def why_shut(tx: Tx | None, account: Account) -> Refusal | None:
    """Why this account redeems nothing today."""
    found = refusals(account.barred_until, await gate(tx, account))
    return found[0] if found else None


async def _served(tx: Tx | None, passbook_id: int) -> tuple[int, bool]:
    row = db.row if tx is None else tx.row
    holder = await row(HOLDER, passbook_id)
    assert holder is not None
    person_id, household_id = holder
    sql, owner = (OF_PERSON, person_id) if household_id is None else (OF_HOUSEHOLD, household_id)
    found = await row(sql, owner, owner)
    assert found is not None
    return int(found[0]), household_id is not None

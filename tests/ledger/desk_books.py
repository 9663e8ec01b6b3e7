"""How a desk's community is founded, and all that the ledger says of it."""

import hashlib
from datetime import date, timedelta
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions, actions_budgets, actions_kinds
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules import Basis, Item, Table, TableKind, Validity, ValidityKind
from tests.ledger.conftest import add_person, found_community
from tests.ledger.oracle_flows import ALONE_MAX, HOUSEMATES
from tests.ledger.oracle_years import CENTS_PER_100, Oracle

MEMBERS = 3
FOREVER = timedelta(days=365_000)
PROGRAMME = "助老"

ALONE = "UPDATE people_community SET reversal_alone_max = ? WHERE id = ?"
HOUSEHOLD = """
INSERT INTO people_household (community_id, building_id, wrapped_key, made_at) VALUES (?, NULL, ?, ?) RETURNING id
"""
LIVES_AT = "UPDATE people_person SET household_id = ? WHERE id = ?"
SESSION = """
INSERT INTO people_session (kind, token_digest, person_id, made_at, expires_at) VALUES ('staff', ?, ?, ?, ?)
RETURNING id
"""
FIRST = "SELECT MIN(id) AS id FROM ledger_account WHERE community_id = ? AND passbook_id = ?"
ACCOUNTS = "SELECT id, passbook_id, system, balance, held FROM ledger_account WHERE community_id = ?"
LOTS = """
SELECT account.passbook_id, lot.expires_on, lot.kind, COALESCE(lot.match_percent, 0), lot.remaining, lot.held
  FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id WHERE account.community_id = ?
"""
HOLDS = """
SELECT hold.hold_key, hold.state FROM ledger_hold hold JOIN ledger_account account ON account.id = hold.account_id
 WHERE account.community_id = ?
"""
NEW_ENTRIES = """
SELECT entry.id, entry.kind, move.points, move.source_id, move.target_id
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
 WHERE entry.id > ? AND entry.community_id = ? ORDER BY move.id
"""
OTHERS = """
SELECT (SELECT COUNT(*) FROM awards_award WHERE community_id = ? AND waits_for_budget IS NOT NULL),
       (SELECT CAST(COALESCE(SUM(issued), 0) AS BIGINT) FROM ledger_budget WHERE community_id = ?)
"""
VOUCHERS = "SELECT state FROM ledger_voucher WHERE community_id = ? ORDER BY id"
TABLE = Table(
    name="测试积分表", place="测试社区", document="测试办法", kind=TableKind.SERVICE_HOURS, notice_days=0,
    validity=Validity(ValidityKind.YEAR_END),
    items=tuple(
        Item(code=code, category=category, name="打扫楼道", basis=Basis.PER_ITEM, points=1, evidence="现场签到")
        for code, category in (("A01", PROGRAMME), ("B01", "环境"))
    ),
)  # fmt: skip


class Founded(msgspec.Struct):
    """Members by place, with their passbooks and accounts; two people of the office with a session each."""

    community_id: int
    kind_id: int
    persons: list[int]
    books: list[int]
    accounts: list[int]
    maker: tuple[int, int]
    checker: tuple[int, int]


async def found(tx: Tx, *, number: int) -> Founded:
    community_id, office_id = await found_community(tx), await found_community(tx)
    kind_id = await actions_kinds.make_main_kind(tx, community_id=community_id)
    await actions_kinds.make_main_kind(tx, community_id=office_id)
    await tx.run(ALONE, ALONE_MAX, community_id)
    await scoring.adopt(tx, community_id=community_id, table=TABLE, in_force_from=date(2026, 1, 1))
    await actions_budgets.set_rate(
        tx, community_id=community_id, from_day=local_day(tx.now), cents_per_100=CENTS_PER_100
    )
    made = Founded(community_id, kind_id, [], [], [], await _staff(tx, office_id, number, 8), (0, 0))
    made.checker = await _staff(tx, office_id, number, 9)
    for place in range(MEMBERS):
        person_id = await add_person(tx, community_id=community_id, number=f"{number:06d}{place:03d}")
        passbook_id = await actions.open_passbook(tx, community_id=community_id, person_id=person_id)
        account = await tx.row(FIRST, community_id, passbook_id)
        assert account is not None
        made.persons.append(person_id)
        made.books.append(passbook_id)
        made.accounts.append(account["id"])
    for home in HOUSEMATES:
        household = await tx.row(HOUSEHOLD, community_id, b"", tx.now)
        assert household is not None
        for place in home:
            await tx.run(LIVES_AT, household["id"], made.persons[place])
    return made


async def _staff(tx: Tx, office_id: int, number: int, place: int) -> tuple[int, int]:
    person_id = await add_person(tx, community_id=office_id, number=f"{number:06d}{place:03d}")
    digest = hashlib.sha256(f"{number}-{place}".encode()).digest()
    session = await tx.row(SESSION, digest, person_id, tx.now, tx.now + FOREVER)
    assert session is not None
    return person_id, session["id"]


async def look(place: Founded, oracle: Oracle, last_id: int) -> list[int]:
    """Hold all that the ledger says against the oracle; returns the ids of entries after `last_id`."""
    at = {book: number for number, book in enumerate(place.books)}
    names: dict[int, Any] = {}
    systems: dict[str, int] = {}
    for account_id, book, system, balance, held in await db.rows(ACCOUNTS, place.community_id):
        names[account_id] = system if book is None else at[book]
        if book is None:
            systems[system] = balance
        else:
            assert (balance, held) == (oracle.balance(at[book]), oracle.held(at[book])), f"member {at[book]}"
    assert _some(systems) == _some(oracle.systems)
    assert sum(systems.values()) + sum(oracle.balance(member) for member in range(MEMBERS)) == 0
    assert {
        (at[book], (day, kind, percent)): (left, held)
        for book, day, kind, percent, left, held in await db.rows(LOTS, place.community_id)
    } == {
        (member, bucket): (lot.remaining, lot.held)
        for member, lots in enumerate(oracle.lots)
        for bucket, lot in lots.items()
    }
    assert dict(map(tuple, await db.rows(HOLDS, place.community_id))) == {
        key: hold.state for key, hold in oracle.holds.items()
    }
    ((waiting, issued),) = await db.rows(OTHERS, place.community_id, place.community_id)
    assert waiting == len(oracle.waiting)
    assert issued == -sum(oracle.systems[budget.name] for budget in oracle.budgets)
    states = [state for (state,) in await db.rows(VOUCHERS, place.community_id)]
    assert states == [voucher.state for voucher in oracle.vouchers]
    return _same_entries(await db.rows(NEW_ENTRIES, last_id, place.community_id), names, oracle)


def _same_entries(found: list[Row], names: dict[int, Any], oracle: Oracle) -> list[int]:
    """In the same order; but what expires at once, in any."""
    seen = [(kind, points, names[source], names[target]) for _, kind, points, source, target in found]
    said = [entry.seen for entry in oracle.entries[len(oracle.entries) - len(found) :]]
    if seen and all(kind == "expiry" for kind, *_ in seen):
        seen, said = sorted(seen), sorted(said)
    assert seen == said
    return [row["id"] for row in found]


def _some(balances: dict[str, int]) -> dict[str, int]:
    return {name: balance for name, balance in balances.items() if balance}

"""How a desk's community is founded, and all that the ledger says of it."""

import hashlib
import itertools
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_budgets, actions_kinds
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.people import actions as people
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules import Basis, Item, Table, TableKind, Validity, ValidityKind
from tests.ledger.conftest import PLAIN, add_person, found_community
from tests.ledger.desk_shelf import SAYS, Shelf, day_of, open_shop, place_of, same_shop
from tests.ledger.oracle import MAIN
from tests.ledger.oracle_flows import ALONE_MAX
from tests.ledger.oracle_rows import Home
from tests.ledger.oracle_shop import DAILY_MAX
from tests.ledger.oracle_years import CENTS_PER_100, Oracle

PEOPLE = (("测试甲", 0), ("测试乙", 0), ("测试丙", 1), ("测试丁", None))
"""Name, and household by place."""
HONOUR, TIME = "honour", "time"
KINDS = (MAIN, HONOUR, TIME)
BEGIN_WITH = ((0, MAIN), (1, MAIN), (2, MAIN), (3, MAIN), (0, HONOUR), (2, HONOUR))
FOREVER = timedelta(days=365_000)
PROGRAMME = "助老"
ITEMS = {(PROGRAMME, MAIN): "A01", ("", MAIN): "B01", ("", HONOUR): "C01", ("", TIME): "D01"}

BUILDING = """
INSERT INTO people_place (parent_id, kind, name, path) VALUES (?, 'building', '测试 1 号楼', ?) RETURNING id
"""
COMMUNITY = "UPDATE people_community SET reversal_alone_max = ?, holder = ?, daily_points_max = ? WHERE id = ?"
SESSION = """
INSERT INTO people_session (kind, token_digest, person_id, made_at, expires_at) VALUES ('staff', ?, ?, ?, ?)
RETURNING id
"""
# All of it at once: on PostgreSQL the way there and back takes longer than the answer.
LOOK = f"""
SELECT 'account' AS what, account.id AS a, account.balance AS b, account.held AS c,
       CASE WHEN account.closed_at IS NULL THEN 0 ELSE 1 END AS d, book.id AS e, book.person_id AS f,
       book.household_id AS g, kind.code AS t, account.system AS u
  FROM ledger_account account LEFT JOIN ledger_passbook book ON book.id = account.passbook_id
  LEFT JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE account.community_id = ?
UNION ALL SELECT 'lot', lot.account_id, lot.remaining, lot.held, COALESCE(lot.match_percent, 0), NULL, NULL, NULL,
       CAST(lot.expires_on AS TEXT), lot.kind
  FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id WHERE account.community_id = ?
UNION ALL SELECT 'hold', hold.id, NULL, NULL, NULL, NULL, NULL, NULL, hold.hold_key, hold.state
  FROM ledger_hold hold JOIN ledger_account account ON account.id = hold.account_id WHERE account.community_id = ?
UNION ALL SELECT 'waiting', COUNT(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM awards_award WHERE community_id = ? AND waits_for_budget IS NOT NULL
UNION ALL SELECT 'issued', CAST(COALESCE(SUM(issued), 0) AS BIGINT), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ledger_budget WHERE community_id = ?
UNION ALL SELECT 'voucher', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, state
  FROM ledger_voucher WHERE community_id = ?
UNION ALL SELECT 'line', list.id, line.position, CASE WHEN line.live THEN 1 ELSE 0 END, NULL, NULL, NULL, NULL, NULL,
       list.state
  FROM ledger_opening_list list JOIN ledger_opening_line line ON line.list_id = list.id WHERE list.community_id = ?
UNION ALL SELECT 'person', id, household_id, merged_into, NULL, NULL, NULL, NULL, NULL, state
  FROM people_person WHERE community_id = ?
UNION ALL SELECT 'alias', alias.id, alias.person_id, alias.into_id,
       CASE WHEN alias.separated_at IS NULL THEN 0 ELSE 1 END, NULL, NULL, NULL, NULL, NULL
  FROM people_merge alias JOIN people_person person ON person.id = alias.person_id WHERE person.community_id = ?
UNION ALL SELECT 'merge', id, person_id, into_id, NULL, NULL, NULL, NULL, NULL, state
  FROM governance_merge_request WHERE community_id = ?
UNION ALL SELECT 'home', id, CASE WHEN door IS NULL THEN 1 ELSE 0 END, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM people_household WHERE community_id = ?
{SAYS.strip()}
UNION ALL SELECT 'entry', entry.id, move.points, move.source_id, move.target_id, NULL, NULL, NULL, NULL, entry.kind
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
 WHERE entry.community_id = ? AND entry.id > ?
 ORDER BY 1, 2, 3
"""
OF_COMMUNITY = LOOK.count("community_id = ?")
TABLE = Table(
    name="测试积分表", place="测试社区", document="测试办法", kind=TableKind.SERVICE_HOURS, notice_days=0,
    validity=Validity(ValidityKind.YEAR_END),
    items=tuple(
        Item(
            code=code, category=programme or "环境", name="打扫楼道", basis=Basis.PER_ITEM, points=1,
            evidence="现场签到", book_kind=kind,
        )
        for (programme, kind), code in ITEMS.items()
    ),
)  # fmt: skip


class Founded(msgspec.Struct):
    """Members, households and passbooks by place; a shop; three people of the office with a session each."""

    community_id: int
    building_id: int
    kinds: dict[str, Settings]
    kind_ids: dict[str, int]
    maker: tuple[int, int]
    checker: tuple[int, int]
    other: tuple[int, int]
    shelf: Shelf
    persons: list[int]
    homes: list[int]
    books: list[int] = []
    accounts: list[int] = []
    vouchers: list[int] = []
    aliases: list[int] = []

    def clerk_id(self, clerk: int) -> int:
        """A member by place, or below zero one of the two of the office who give goods out."""
        return self.persons[clerk] if clerk >= 0 else (self.checker, self.other)[-1 - clerk][0]


def kinds_of(number: int) -> dict[str, Settings]:
    """Every other community shares a household's points."""
    settings = {
        MAIN: ("person" if number % 2 else "household", 0),
        HONOUR: ("household", 1),
        TIME: ("person", 2),
    }
    return {
        code: msgspec.structs.replace(PLAIN, holder=holder, decimals=decimals)
        for code, (holder, decimals) in settings.items()
    }


def homes() -> list[Home]:
    return [Home(door) for door in sorted({home for _, home in PEOPLE if home is not None})]


async def found(tx: Tx, *, number: int, kinds: dict[str, Settings]) -> Founded:
    community_id, office_id = await found_community(tx), await found_community(tx)
    building = await tx.row(BUILDING, community_id, f"/{community_id}/")
    assert building is not None
    await tx.run(COMMUNITY, ALONE_MAX, kinds[MAIN].holder, DAILY_MAX, community_id)
    kind_ids = {MAIN: await actions_kinds.make_main_kind(tx, community_id=community_id)}
    for code in (HONOUR, TIME):
        kind_ids[code] = await actions_kinds.make_kind(tx, community_id=community_id, code=code, settings=kinds[code])
    await scoring.adopt(tx, community_id=community_id, table=TABLE, in_force_from=date(2026, 1, 1))
    await actions_budgets.set_rate(
        tx, community_id=community_id, from_day=local_day(tx.now), cents_per_100=CENTS_PER_100
    )
    staff = [await _staff(tx, office_id, number, place) for place in (7, 8, 9)]
    home_ids = [
        await people.make_household(tx, community_id=community_id, building_id=building["id"], door=str(home.door))
        for home in homes()
    ]
    person_ids = [
        await people.make_person(
            tx, community_id=community_id, household_id=None if at is None else home_ids[at], name=name, phone=None
        )
        for name, at in PEOPLE
    ]
    shelf = await open_shop(tx, community_id=community_id, person_ids=person_ids)
    return Founded(community_id, building["id"], kinds, kind_ids, *staff, shelf, person_ids, home_ids)


async def _staff(tx: Tx, office_id: int, number: int, place: int) -> tuple[int, int]:
    person_id = await add_person(tx, community_id=office_id, number=f"{number:06d}{place:03d}")
    digest = hashlib.sha256(f"{number}-{place}".encode()).digest()
    session = await tx.row(SESSION, digest, person_id, tx.now, tx.now + FOREVER)
    assert session is not None
    return person_id, session["id"]


async def look(place: Founded, oracle: Oracle, ids: list[int]) -> list[int]:
    """Hold all that the ledger says against the oracle; returns the ids of entries, those known before first."""
    said: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for what, *facts in await db.rows(LOOK, *[place.community_id] * OF_COMMUNITY, ids[-1] if ids else 0):
        said[what].append(tuple(facts))
    _same_homes(said, place, oracle)
    names = _same_accounts(said["account"], place, oracle)
    _same_lots(said["lot"], names, oracle)
    assert {key: state for *_, key, state in said["hold"]} == {key: hold.state for key, hold in oracle.holds.items()}
    assert said["waiting"][0][0] == len(oracle.waiting)
    assert said["issued"][0][0] == -sum(oracle.systems[budget.name] for budget in oracle.budgets)
    place.vouchers = [voucher[0] for voucher in said["voucher"]]
    assert [voucher[-1] for voucher in said["voucher"]] == [voucher.state for voucher in oracle.vouchers]
    lines = [(line[-1], bool(line[2])) for line in said["line"]]
    assert lines == [(one.state, line.is_live) for one in oracle.openings for line in one.lines]
    ids = ids + _same_entries(said["entry"], names, oracle)
    same_shop(said, place, oracle, ids)
    return ids


def _same_homes(said: dict[str, list[tuple[Any, ...]]], place: Founded, oracle: Oracle) -> None:
    """Who lives where; a household that is new gets its place, as somebody new does."""
    place.homes = [home[0] for home in said["home"]]
    place.persons = [person[0] for person in said["person"]]
    assert [bool(home[1]) for home in said["home"]] == [home.door is None for home in oracle.homes]
    assert [
        (state, place_of(place.homes, home), place_of(place.persons, into))
        for _, home, into, *_, state in said["person"]
    ] == [(one.state, one.home, one.into) for one in oracle.people]
    place.aliases = [alias[0] for alias in said["alias"]]
    assert [
        (place.persons.index(person), place.persons.index(into), bool(is_parted))
        for _, person, into, is_parted, *_ in said["alias"]
    ] == [(one.person, one.into, one.is_parted) for one in oracle.aliases]
    assert [merge[-1] for merge in said["merge"]] == [merge.state for merge in oracle.merges]


def _same_accounts(accounts: list[tuple[Any, ...]], place: Founded, oracle: Oracle) -> dict[int, Any]:
    """Returns what each account is: a passbook by place, or a name of the system's."""
    books = [account for account in accounts if account[-1] is None]
    systems = {account[-1]: account[1] for account in accounts if account[-1] is not None}
    place.accounts, place.books = [book[0] for book in books], [book[4] for book in books]
    assert [
        (kind, place_of(place.persons, person), place_of(place.homes, home), balance, held, bool(is_closed))
        for _, balance, held, is_closed, _, person, home, kind, _ in books
    ] == [
        (one.kind, one.person, one.home, oracle.balance(at), oracle.held(at), one.is_closed)
        for at, one in enumerate(oracle.books)
    ]
    assert all(0 <= held <= balance for _, balance, held, *_ in books)
    assert _some(systems) == _some(oracle.systems)
    assert all(balance >= 0 or system.startswith("issued") for system, balance in systems.items())
    assert sum(balance for _, balance, *_ in accounts) == 0
    at = itertools.count()
    return {account[0]: next(at) if account[-1] is None else account[-1] for account in accounts}


def _same_lots(lots: list[tuple[Any, ...]], names: dict[int, Any], oracle: Oracle) -> None:
    left: Counter[int] = Counter()
    for account_id, remaining, held, *_ in lots:
        left[names[account_id]] += remaining
        assert 0 <= held <= remaining
    assert all(oracle.balance(book) == left[book] for book in range(len(oracle.books)))
    assert {
        (names[account_id], (day_of(day), kind, percent)): (remaining, held)
        for account_id, remaining, held, percent, *_, day, kind in lots
    } == {
        (at, bucket): (lot.remaining, lot.held)
        for at, book in enumerate(oracle.books)
        for bucket, lot in book.lots.items()
    }


def _same_entries(found: list[tuple[Any, ...]], names: dict[int, Any], oracle: Oracle) -> list[int]:
    """In the same order; but what expires at once, in any."""
    seen = [(kind, points, names[source], names[target]) for _, points, source, target, *_, kind in found]
    said = [entry.seen for entry in oracle.entries[len(oracle.entries) - len(found) :]]
    if seen and all(kind == "expiry" for kind, *_ in seen):
        seen, said = sorted(seen), sorted(said)
    assert seen == said
    return [entry[0] for entry in found]


def _some(balances: dict[str, int]) -> dict[str, int]:
    return {name: balance for name, balance in balances.items() if balance}

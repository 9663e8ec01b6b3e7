"""Kinds of passbook that a community keeps: made, changed, and the base points that come with them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions, queries_kinds, rules, rules_kinds
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import UnknownAccount
from pointsbank.ledger.rules_kinds import CodeTaken, DecimalsFixed, HolderFixed, KindMoved, ResetUnderWay, Settings
from pointsbank.people import queries as people
from pointsbank.people import queries_homes as homes
from pointsbank.people.queries import Holder
from pointsbank.trail import actions as trail

MEMBERS_AT_ONCE = 100
LAST = 2**62

MAKE_MAIN = """
INSERT INTO ledger_book_kind (community_id, code, name, unit, decimals, holder, redeemable, donatable, transferable,
                              surplus, base_points, base_every, base_redeemable, spend_above, carry_over, version)
SELECT id, ?, '积分', '分', 0, holder, TRUE, FALSE, FALSE, 'refused', 0, 'never', FALSE, 0, FALSE, 1
  FROM people_community WHERE id = ? RETURNING id
"""
MAKE = """
INSERT INTO ledger_book_kind (community_id, code, version, name, unit, decimals, holder, redeemable, donatable,
                              transferable, balance_max, surplus, base_points, base_every, base_redeemable,
                              spend_above, reset_month, reset_day, carry_over, notice_days)
VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (community_id, code) DO NOTHING RETURNING id
"""
BEFORE = """
SELECT kind.code, kind.decimals, kind.holder,
       EXISTS (SELECT 1 FROM ledger_passbook book WHERE book.kind_id = kind.id) AS is_open
  FROM ledger_book_kind kind WHERE kind.id = ? AND kind.community_id = ?
"""
CHANGE = """
UPDATE ledger_book_kind SET version = version + 1, name = ?, unit = ?, decimals = ?, holder = ?, redeemable = ?,
       donatable = ?, transferable = ?, balance_max = ?, surplus = ?, base_points = ?, base_every = ?,
       base_redeemable = ?, spend_above = ?, reset_month = ?, reset_day = ?, carry_over = ?,
       notice_days = ?
 WHERE id = ? AND version = ?
"""
HOLD_RUN = "UPDATE ledger_kind_run SET upto = upto WHERE kind_id = ? AND what = 'reset'"
RESETS = """
SELECT kind.reset_month, kind.reset_day, run.period, run.upto
  FROM ledger_book_kind kind JOIN ledger_kind_run run ON run.kind_id = kind.id AND run.what = 'reset'
 WHERE kind.id = ? AND kind.reset_month IS NOT NULL AND NOT kind.carry_over
"""
# From its making on: a reset day that was over before is not made up for.
BEGIN_RUN = """
INSERT INTO ledger_kind_run (kind_id, what, period, upto) VALUES (?, 'reset', ?, ?)
ON CONFLICT (kind_id, what) DO UPDATE SET period = excluded.period, upto = excluded.upto
"""


async def make_main_kind(tx: Tx, *, community_id: int) -> int:
    """The kind that every community has: acts are credited to it, and whose it is the community has said."""
    made = await tx.row(MAKE_MAIN, rules.MAIN, community_id)
    assert made is not None
    await change(tx, what="kind", row_id=made["id"])
    await change(tx, what="limit", row_id=community_id)
    await trail.record(tx, "book_kind.made", subject=("book_kind", made["id"]), code=rules.MAIN)
    return int(made["id"])


async def make_kind(tx: Tx, *, community_id: int, code: str, settings: Settings) -> int:
    """Refuses CodeTaken, and what contradicts itself. By a page only actions_proposals comes here."""
    rules_kinds.check(code, settings)
    made = await tx.row(MAKE, community_id, code, *_values(settings))
    if made is None:
        raise CodeTaken(taken=code)
    await _begin_resets(tx, made["id"], settings)
    await change(tx, what="kind", row_id=made["id"])
    await trail.record(tx, "book_kind.made", subject=("book_kind", made["id"]), code=code)
    return int(made["id"])


async def change_kind(tx: Tx, *, community_id: int, kind_id: int, version: int, settings: Settings) -> None:
    """Settle a kind anew, as it was when `version` was read. What is in the passbooks already stays as it is.

    Refuses KindMoved and what check_change does. By a page only actions_proposals comes here: a second person has to
    agree to what makes points.
    """
    await check_change(tx, community_id=community_id, kind_id=kind_id, settings=settings)
    if await tx.run(CHANGE, *_values(settings), kind_id, version) != 1:
        raise KindMoved
    await _begin_resets(tx, kind_id, settings)
    await change(tx, what="kind", row_id=kind_id)
    facts = {name: value for name, value in msgspec.structs.asdict(settings).items() if name not in ("name", "unit")}
    await trail.record(tx, "book_kind.changed", subject=("book_kind", kind_id), **facts)


async def check_change(tx: Tx, *, community_id: int, kind_id: int, settings: Settings) -> None:
    """Refuses ResetUnderWay, and DecimalsFixed: amounts written down somewhere would mean something else."""
    before = await tx.row(BEFORE, kind_id, community_id)
    if before is None:
        raise NotFound
    rules_kinds.check(before["code"], settings)
    await _check_reset(tx, kind_id)
    if settings.decimals != before["decimals"]:
        raise DecimalsFixed
    if settings.holder != before["holder"] and (before["code"] == rules.MAIN or before["is_open"]):
        raise HolderFixed


async def open_book(tx: Tx, *, holder: Holder, kind: str = rules.MAIN) -> int:
    """The passbook of a kind that a member's points come to, opened where there is none yet.

    Whose it is, the kind has said; whoever has no household has one alone.
    """
    whose = holder.kind
    if kind != rules.MAIN:
        known = (await queries_kinds.denominations(tx, holder.community_id)).get(kind)
        if known is None:
            raise NotFound
        whose = known.holder
    shared = whose == "household" and holder.household_id is not None
    return await actions.open_passbook(
        tx,
        community_id=holder.community_id,
        person_id=None if shared else holder.person_id,
        household_id=holder.household_id if shared else None,
        kind=kind,
    )


async def open_for(tx: Tx, *, community_id: int, person_id: int, kind: str) -> int:
    """Open a passbook for a member at the desk, before anything is credited to it."""
    holder = await people.holder_of(tx, person_id)
    if holder.community_id != community_id or holder.state != "member":
        raise UnknownAccount
    return await open_book(tx, holder=holder, kind=kind)


def _values(settings: Settings) -> tuple[Any, ...]:
    return msgspec.structs.astuple(settings)


async def _check_reset(tx: Tx, kind_id: int) -> None:
    await tx.run(HOLD_RUN, kind_id)
    found = await tx.row(RESETS, kind_id)
    if found is not None:
        last = rules_kinds.last_reset(found["reset_month"], found["reset_day"], local_day(tx.now))
        if (found["period"], found["upto"]) != (last.isoformat(), LAST):
            raise ResetUnderWay


async def _begin_resets(tx: Tx, kind_id: int, settings: Settings) -> None:
    if settings.reset_month is not None and settings.reset_day is not None:
        last = rules_kinds.last_reset(settings.reset_month, settings.reset_day, local_day(tx.now))
        await tx.run(BEGIN_RUN, kind_id, last.isoformat(), LAST)


DUE = """
SELECT kind.id, kind.code, kind.community_id, kind.holder, kind.base_points, kind.base_every
  FROM ledger_book_kind kind LEFT JOIN ledger_kind_run run ON run.kind_id = kind.id AND run.what = 'base'
 WHERE kind.base_points > 0 AND (run.kind_id IS NULL OR run.period <> ? OR run.upto < ?) ORDER BY kind.id LIMIT 1
"""
# Whoever comes second waits here, and then goes on from where the first has come to.
TAKE_RUN = """
INSERT INTO ledger_kind_run (kind_id, what, period, upto) VALUES (?, ?, '', 0)
ON CONFLICT (kind_id, what) DO UPDATE SET upto = ledger_kind_run.upto RETURNING period, upto
"""
NOTE_RUN = "UPDATE ledger_kind_run SET period = ?, upto = ? WHERE kind_id = ? AND what = ?"
PERSONS = """
SELECT id, household_id FROM people_person
 WHERE community_id = ? AND id > ? AND state = 'member' AND merged_into IS NULL ORDER BY id LIMIT ?
"""
IS_OPEN = "SELECT 1 FROM ledger_account WHERE passbook_id = ? AND closed_at IS NULL"
HAS_HAD = "SELECT 1 FROM ledger_entry WHERE posting_key IN"
HAD_ONCE = "SELECT 1 FROM ledger_entry WHERE posting_key = ? AND effective_at >= ?"
HAD_ANY = """
SELECT 1 FROM ledger_move move JOIN ledger_account account ON account.id = move.target_id
  JOIN ledger_entry entry ON entry.id = move.entry_id WHERE account.passbook_id = ? AND entry.kind = 'base' LIMIT 1
"""

# Of those who live in a household the own passbooks, and those of the households that they left.
WHERE_THEY_WERE = """
SELECT book.id FROM ledger_passbook book
 WHERE book.kind_id = ? AND (book.person_id IN ({people}) OR book.household_id IN ({homes}))
"""
EVER = datetime(1970, 1, 1, tzinfo=UTC)


async def come_to(tx: Tx, *, kind_id: int, what: str, period: str) -> int:
    """Take a kind's recurring work; returns whose turn came last in this period."""
    run = await tx.row(TAKE_RUN, kind_id, what)
    assert run is not None
    return int(run["upto"]) if run["period"] == period else 0


async def note_run(tx: Tx, *, kind_id: int, what: str, period: str, upto: int) -> None:
    await tx.run(NOTE_RUN, period, upto, kind_id, what)
    await change(tx, what="kind", row_id=kind_id)


async def give_base_due(tx: Tx) -> int:
    """Give base points to the next members who have had none of a kind in this period; returns how many it looked at.

    It looks at everybody once a day, so that whoever came meanwhile has them on the next. An entry a passbook and
    period is all there can be, whoever comes twice. Where households hold, whoever has none has one alone, as always;
    and one that was made by moving out has them from the next period on.
    """
    day = local_day(tx.now).isoformat()
    kind = await tx.row(DUE, day, LAST)
    if kind is None:
        return 0
    upto = await come_to(tx, kind_id=kind["id"], what="base", period=day)
    members = await tx.rows(PERSONS, kind["community_id"], upto, MEMBERS_AT_ONCE)
    for person_id, household_id in members:
        if kind["holder"] == "household" and household_id is not None:
            await _give_base(tx, kind, household_id=household_id)
        else:
            await _give_base(tx, kind, person_id=person_id)
    upto = members[-1]["id"] if len(members) == MEMBERS_AT_ONCE else LAST
    await note_run(tx, kind_id=kind["id"], what="base", period=day, upto=upto)
    return max(1, len(members))


async def _give_base(tx: Tx, kind: Row, *, person_id: int | None = None, household_id: int | None = None) -> None:
    today = local_day(tx.now)
    passbook_id = await actions.open_passbook(
        tx,
        community_id=kind["community_id"],
        person_id=person_id,
        household_id=household_id,
        kind=kind["code"],
    )
    if await tx.row(IS_OPEN, passbook_id) is None:
        return  # whatever went wrong there, all others are not to go without
    every = kind["base_every"]
    posting_key = f"base:{passbook_id}:{rules_kinds.base_period(every, today)}"
    is_paid = await _is_paid(tx, passbook_id, every, today)
    if not is_paid and (household_id is None or not await _had_elsewhere(tx, kind, household_id, today)):
        await actions.issue(
            tx,
            kind="base",
            community_id=kind["community_id"],
            passbook_id=passbook_id,
            points=kind["base_points"],
            posting_key=posting_key,
            effective_at=start_of_day(today),
            bucket=rules_kinds.base_bucket(every, today),
            member_id=person_id,
            version_id=None,
            source=("ledger", "book_kind", kind["id"]),
            summary="基础积分",
        )


async def _is_paid(tx: Tx, passbook_id: int, every: str, today: date) -> bool:
    """Whether base points were given for some of this period already, by however long a period they came then."""
    keys = [f"base:{passbook_id}:{period}" for period in rules_kinds.reaching_into(every, today)]
    if await tx.row(f"{HAS_HAD} ({', '.join('?' * len(keys))})", *keys) is not None:
        return True
    if every == "once":
        return await tx.row(HAD_ANY, passbook_id) is not None
    begins = start_of_day(rules_kinds.base_start(every, today))
    return await tx.row(HAD_ONCE, f"base:{passbook_id}:once", begins) is not None


async def _had_elsewhere(tx: Tx, kind: Row, household_id: int, today: date) -> bool:
    """Whether somebody who lives there had base points of this period where they lived before.

    Otherwise a family would have them again as often as one of it moves out, and they come along when moving back.
    """
    every = kind["base_every"]
    since = EVER if every == "once" else start_of_day(rules_kinds.base_start(every, today))
    mates = await people.household_members(tx, household_id)
    left = await homes.left_lately(tx, mates, since=since)
    sql = WHERE_THEY_WERE.format(people=_marks(mates), homes=_marks(left))
    for (passbook_id,) in await tx.rows(sql, kind["id"], *mates, *left):
        if await _is_paid(tx, passbook_id, every, today):
            return True
    return False


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"

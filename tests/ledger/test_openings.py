"""Opening balances: two people, one booking, and a way back."""

import asyncio
import secrets
from datetime import date, timedelta

import pytest

from pointsbank.approvals.rules import AlreadyDecided, FactsChanged, NotGiven, NotTheMaker, OwnBenefit, OwnRequest
from pointsbank.kit import db
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_expiry, actions_lots, queries, queries_opening, rules_opening, verify
from pointsbank.ledger import actions_opening as openings
from pointsbank.ledger.rules import NEVER, Bucket
from pointsbank.ledger.rules_opening import ListMoved, NewLine, NotOnList, OpenedElsewhere, OwnReversal
from pointsbank.people.access import Role
from tests.world import World

pytestmark = pytest.mark.both

DAY = date(2026, 11, 20)


async def admin(world):
    return (await world.staff(Role.COMMUNITY_ADMIN))[0]


async def drafted(world, maker, *lines, expires_on=NEVER) -> int:
    """A list of (person, points), made as at a page: under a key."""
    made = [NewLine(person_id, None, points, "") for person_id, points in lines]
    return await db.write(
        openings.make_list, actor=maker, request_key=secrets.token_urlsafe(16), community_id=world.home.id, day=DAY,
        expires_on=expires_on, lines=made,
    )  # fmt: skip


async def asked(world, maker, *lines) -> int:
    list_id = await drafted(world, maker, *lines)
    await db.write(openings.ask, actor=maker, list_id=list_id)
    return list_id


async def list_of(world, list_id: int) -> queries_opening.OpeningList:
    return await queries_opening.opening_list((world.home.id,), list_id)


async def seen(world, list_id: int) -> str:
    return await queries_opening.facts_of(None, await list_of(world, list_id))


async def give(world, list_id: int, checker) -> int:
    return await db.write(openings.give, actor=checker, list_id=list_id, seen=await seen(world, list_id))


async def book(list_id: int) -> list[int]:
    """The slices that were still to be booked."""
    slices = []
    while done := await db.write(openings.book, list_id=list_id):
        slices.append(done)
    return slices


async def test_what_two_people_agreed_on_stands_in_the_passbook(world):
    neighbour = await world.person("测试甲")
    list_id = await asked(world, await admin(world), (neighbour, 120))
    assert await world.balance(neighbour) == 0

    await give(world, list_id, await admin(world))

    assert await world.balance(neighbour) == 120
    passbook = await queries.passbook_of(person_id=neighbour, household_id=None, holder="person")
    [line] = await queries.lines(passbook.account_id)
    assert (line.kind, line.points, line.summary) == ("opening", 120, "期初余额（纸质存折 2026-11-20）")
    assert line.effective_at.date() == date(2026, 11, 19)  # the beginning of the day in Shanghai
    assert (await list_of(world, list_id)).state == rules_opening.BOOKED


async def test_a_household_shares_what_its_paper_passbook_held(database, settings, clock):
    world = await World(clock, settings).found(holder="household", count=1)
    home = await world.household()
    one, other = await world.person(household_id=home), await world.person(household_id=home)
    maker = await admin(world)
    list_id = await db.write(
        openings.make_list, actor=maker, community_id=world.home.id, day=DAY, expires_on=NEVER,
        lines=[NewLine(one, home, 50, "")],
    )  # fmt: skip
    await db.write(openings.ask, actor=maker, list_id=list_id)

    await give(world, list_id, await admin(world))

    assert (await world.balance(one), await world.balance(other)) == (50, 50)


async def test_neither_the_maker_nor_who_is_on_the_list_confirms(world):
    maker, listed = await admin(world), await admin(world)
    list_id = await asked(world, maker, (listed.person_id, 10), (maker.person_id, 10))

    for actor, refusal in ((maker, OwnRequest), (listed, OwnBenefit)):
        with pytest.raises(refusal):
            await give(world, list_id, actor)

    assert (await list_of(world, list_id)).state == rules_opening.ASKED
    assert await db.rows("SELECT 1 FROM ledger_entry") == []


async def test_a_draft_is_sent_by_its_maker_alone(world):
    list_id = await drafted(world, await admin(world), (await world.person(), 10))

    with pytest.raises(NotTheMaker):
        await db.write(openings.ask, actor=await admin(world), list_id=list_id)


async def change_points(tx: db.Tx, *, list_id: int) -> None:
    """What only somebody with the database in his hands could do."""
    change = "UPDATE ledger_opening_line SET points = 1200 WHERE list_id = ?"
    if db.current().is_sqlite:
        await tx.run("DROP TRIGGER ledger_opening_line_fixed_update")
        await tx.run(change, list_id)
    else:
        await tx.row("ALTER TABLE ledger_opening_line DISABLE TRIGGER ledger_opening_line_fixed_update")
        await tx.run(change, list_id)
        await tx.row("ALTER TABLE ledger_opening_line ENABLE TRIGGER ledger_opening_line_fixed_update")


@pytest.mark.tampers
async def test_a_list_that_was_changed_behind_everybody_s_back_is_not_booked(world):
    list_id = await asked(world, await admin(world), (await world.person(), 120))
    before = await seen(world, list_id)

    await db.write(change_points, list_id=list_id)

    for hash_seen in (before, await seen(world, list_id)):
        with pytest.raises(FactsChanged):
            await db.write(openings.give, actor=await admin(world), list_id=list_id, seen=hash_seen)
    assert await db.rows("SELECT 1 FROM ledger_entry") == []


async def test_two_who_confirm_at_once_book_once(world):
    neighbour = await world.person()
    list_id = await asked(world, await admin(world), (neighbour, 120))
    hash_seen = await seen(world, list_id)
    checkers = [await admin(world) for _ in range(4)]

    told = await asyncio.gather(
        *(db.write(openings.give, actor=one, list_id=list_id, seen=hash_seen) for one in checkers),
        return_exceptions=True,
    )

    assert [one for one in told if isinstance(one, int)] == [1]
    assert all(isinstance(one, int | AlreadyDecided | ListMoved) for one in told)
    assert await world.balance(neighbour) == 120


async def test_a_booking_that_was_cut_off_goes_on_where_it_stopped(world, monkeypatch):
    monkeypatch.setattr(rules_opening, "SLICE_LINES", 2)
    people = [await world.person() for _ in range(5)]
    list_id = await asked(world, await admin(world), *((one, 10) for one in people))
    assert await give(world, list_id, await admin(world)) == 2
    assert (await list_of(world, list_id)).booked == 2

    slices = await asyncio.gather(*(db.write(openings.book_due) for _ in range(6)))

    assert sum(slices) + sum(await book(list_id)) == 3
    assert [await world.balance(one) for one in people] == [10] * 5
    assert (await list_of(world, list_id)).state == rules_opening.BOOKED
    assert await db.write(openings.book_due) == 0


async def test_the_ledger_asks_for_the_approval_and_for_the_line_itself(world, monkeypatch):
    monkeypatch.setattr(rules_opening, "SLICE_LINES", 1)
    first, second = await world.person(), await world.person()
    list_id = await asked(world, await admin(world), (first, 10), (second, 120))
    books = [await db.write(ledger.open_passbook, community_id=world.home.id, person_id=one) for one in (first, second)]
    facts = {
        "approval_id": (await list_of(world, list_id)).approval_id, "list_id": list_id, "position": 2,
        "community_id": world.home.id, "passbook_id": books[1], "points": 120, "effective_at": world.clock.now(),
        "expires_on": NEVER, "member_id": second, "summary": "测试",
    }  # fmt: skip

    with pytest.raises(NotGiven):
        await db.write(ledger.post_opening, **facts)
    await give(world, list_id, await admin(world))
    for wrong in ({"points": 121}, {"position": 1}, {"passbook_id": books[0]}):
        with pytest.raises(NotOnList):
            await db.write(ledger.post_opening, **(facts | wrong))
    await book(list_id)
    with pytest.raises(NotOnList):  # the list is booked already
        await db.write(ledger.post_opening, **facts)

    assert (await world.balance(first), await world.balance(second)) == (10, 120)


async def test_a_refused_or_withdrawn_list_changes_nothing_and_frees_its_passbooks(world):
    neighbour, maker = await world.person(), await admin(world)
    refused = await asked(world, maker, (neighbour, 10))
    await db.write(openings.refuse, actor=await admin(world), list_id=refused, reason="第 1 条不对")
    withdrawn = await asked(world, maker, (neighbour, 20))
    await db.write(openings.withdraw, actor=maker, list_id=withdrawn)
    right = await asked(world, maker, (neighbour, 30))

    for list_id in (refused, withdrawn):
        with pytest.raises(ListMoved):
            await db.write(openings.give, actor=await admin(world), list_id=list_id, seen="")
    assert await db.rows("SELECT 1 FROM ledger_passbook") == []

    await give(world, right, await admin(world))
    assert await world.balance(neighbour) == 30


async def test_a_passbook_is_opened_once_even_by_two_lists_at_once(world):
    neighbour, other = await world.person(), await world.person()
    maker = await admin(world)

    told = await asyncio.gather(
        drafted(world, maker, (other, 1), (neighbour, 10)),
        drafted(world, maker, (neighbour, 20)),
        return_exceptions=True,
    )

    assert sorted(isinstance(one, OpenedElsewhere) for one in told) == [False, True]


async def test_a_wrong_line_is_reversed_by_another_and_can_be_listed_anew(world):
    neighbour, maker, checker = await world.person(), await admin(world), await admin(world)
    list_id = await asked(world, maker, (neighbour, 1200), (checker.person_id, 5))
    await give(world, list_id, await admin(world))
    wrong = {"list_id": list_id, "reason": "opening_points"}

    for actor, position in ((maker, 1), (checker, 2)):
        with pytest.raises(OwnReversal):
            await db.write(openings.reverse, actor=actor, position=position, **wrong)
    await db.write(openings.reverse, actor=checker, position=1, **wrong)
    assert await world.balance(neighbour) == 0

    again = await asked(world, maker, (neighbour, 120))
    await give(world, again, checker)
    assert await world.balance(neighbour) == 120


async def test_points_with_a_last_day_lapse_after_it(world):
    neighbour, maker = await world.person(), await admin(world)
    list_id = await drafted(world, maker, (neighbour, 40), expires_on=DAY + timedelta(days=2))
    await db.write(openings.ask, actor=maker, list_id=list_id)
    await give(world, list_id, await admin(world))

    world.clock.advance(days=2)
    await db.write(actions_expiry.expire_due)

    assert await world.balance(neighbour) == 0


FORGE = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, source_room, source_kind, source_id,
                          summary, reason)
VALUES ('opening/99/1', ?, 'opening', ?, ?, 'ledger', 'opening_list', 99, '', '') RETURNING id
"""


async def forge(tx: db.Tx, *, community_id: int, account_id: int) -> None:
    """Points from nowhere, in good double entry."""
    entry = await tx.row(FORGE, community_id, tx.now, tx.now)
    issued = await tx.row("SELECT id, balance FROM ledger_account WHERE system = 'issued'")
    account = await tx.row(
        "UPDATE ledger_account SET balance = balance + 7 WHERE id = ? RETURNING balance", account_id
    )  # fmt: skip
    await tx.run("UPDATE ledger_account SET balance = balance - 7 WHERE id = ?", issued["id"])
    await tx.run(ledger.MOVE, entry["id"], issued["id"], account_id, 7, None, account["balance"])
    await actions_lots.put_into_lot(
        tx, entry_id=entry["id"], account_id=account_id, points=7, bucket=Bucket("earned", NEVER)
    )


@pytest.mark.tampers
async def test_verify_names_an_opening_that_nobody_confirmed(world):
    neighbour = await world.person(points=10)
    passbook = await queries.passbook_of(person_id=neighbour, household_id=None, holder="person")
    assert (await verify.verify()).is_clean

    await db.write(forge, community_id=world.home.id, account_id=passbook.account_id)

    assert {finding.invariant for finding in (await verify.verify()).findings} == {9, 17}  # and on no list at all

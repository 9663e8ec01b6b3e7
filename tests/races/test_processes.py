"""Whatever is scarce is given once, also when four processes ask for it at the same moment.

PB_RACES=all: by 2, 8 and 64, in one process and in four.
"""

import os
from collections import Counter
from datetime import date, timedelta

import pytest

from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions, actions_expiry, actions_holds, actions_reversal, queries
from pointsbank.ledger.rules import NEVER
from pointsbank.people import actions_cards as cards
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from tests.races.racer import Command, spend_without_guard

pytestmark = pytest.mark.both
IS_LONG = os.environ.get("PB_RACES") == "all"
FIELDS = [(ways, processes) for ways in (2, 8, 64) for processes in (1, 4) if ways >= processes]
HELD = "SELECT held FROM ledger_account WHERE id = ?"
EXPIRED = "SELECT balance FROM ledger_account WHERE community_id = ? AND system = 'expired'"


def refused(outcomes) -> Counter:
    """How often which refusal was heard; "" stands for whatever was done."""
    return Counter(one if isinstance(one, str) else "" for one in outcomes)


async def account(track, points: int) -> queries.Passbook:
    """Of somebody new."""
    person = await track.world.person(points=points)
    found = await queries.passbook_of(person_id=person, household_id=None, holder="person")
    assert found is not None
    return found


def spending(track, of: queries.Passbook, points: int) -> Command:
    key = track.key()
    return Command(
        actions.spend,
        {
            "community_id": of.community_id, "account_id": of.account_id, "points": points, "outlet_id": 1,
            "posting_key": key, "member_id": of.person_id, "source": ("tests", "order", 1), "summary": "食用盐",
        },
        key=key,
    )  # fmt: skip


def awarding(track, of: queries.Passbook, points: int, expires_on: date, room: str) -> Command:
    return Command(actions.post_award, {
        "community_id": of.community_id, "passbook_id": of.passbook_id, "points": points, "posting_key": track.key(),
        "effective_at": track.world.clock.now(), "expires_on": expires_on, "member_id": of.person_id,
        "version_id": track.world.home.version_id, "source": (room, "test", 1), "summary": "楼道清洁",
    })  # fmt: skip


async def ordering(track, good: int, code: str, key: str = "") -> Command:
    home = track.world.home
    clerk, _ = await track.world.staff(Role.COUNTER_STAFF)
    facts = {"counter_id": home.counter_id, "code": code, "community_ids": (home.id,)}
    return Command(redemption.order, facts | {"lines": [Line(quantity=1, good=good)]}, clerk, key or track.key())


def holding(track, of: queries.Passbook, points: int, hours: int) -> Command:
    key = track.key()
    overdue_at = track.world.clock.now() + timedelta(hours=hours)
    facts = {"account_id": of.account_id, "points": points, "hold_key": key, "overdue_at": overdue_at}
    return Command(actions_holds.hold, facts | {"member_id": of.person_id, "source": ("tests", "order", 1)}, key=key)


def capturing(track, hold_key: str) -> Command:
    key = track.key()
    facts = {"hold_key": hold_key, "outlet_id": 1, "posting_key": key, "summary": "食用盐"}
    return Command(actions_holds.capture, facts, key=key)


async def done(command: Command):
    return await db.write(command.action, actor=command.actor, request_key=command.key, **command.facts)


async def the_last_unit(track, ways, processes):
    rice = await track.world.good(points=20, in_stock=1)
    members = [await track.world.card(await track.world.person(points=50)) for _ in range(ways)]
    told = await track.run([await ordering(track, rice, code) for code in members], processes)
    assert refused(told) == {"": 1, "stock.out_of_stock": ways - 1}


async def the_last_points(track, ways, processes):
    of = await account(track, 30)
    told = await track.run([spending(track, of, 20) for _ in range(ways)], processes)
    assert refused(told) == {"": 1, "ledger.not_enough_points": ways - 1}
    assert (await queries.passbook(of.passbook_id)).balance == 10


async def one_code(track, ways, processes):
    home, now = track.world.home, track.world.clock.now()
    organiser, _ = await track.world.staff(Role.EVENT_ORGANISER)
    activity_id = await db.write(
        events.create, actor=organiser, community_id=home.id, title="测试楼道清洁", venue="测试 1 号楼",
        item_code="A01", contact="10000000003", starts_at=now + timedelta(minutes=1),
        ends_at=now + timedelta(hours=2), seats=None,
    )  # fmt: skip
    await db.write(events.publish, actor=organiser, activity_id=activity_id, community_ids=(home.id,))
    facts = {"activity_id": activity_id, "code": await track.world.card(await track.world.person())}
    commands = [
        Command(attendance.check_in, facts | {"community_ids": (home.id,)}, organiser, track.key()) for _ in range(ways)
    ]
    assert refused(await track.run(commands, processes)) == {"": 1, "events.already_in": ways - 1}


async def one_key(track, ways, processes):
    salt = await track.world.good(points=5, in_stock=100)
    person = await track.world.person(points=1_000)
    told = await track.run([await ordering(track, salt, await track.world.card(person), track.key())] * ways, processes)
    assert len({repr(one) for one in told}) == 1
    assert await track.world.balance(person) == 995


async def a_hold_against_a_lapse(track, ways, processes):
    of = await account(track, 20)
    kept = holding(track, of, 20, -1)
    await done(kept)
    lapse = Command(actions_holds.lapse, {"hold_key": kept.key}, key=track.key())
    told = await track.run([lapse, *(holding(track, of, 20, 1) for _ in range(ways - 1))], processes)
    assert not isinstance(told[0], str)
    holds = refused(told[1:])
    assert holds[""] <= 1
    assert holds.keys() <= {"", "ledger.not_enough_points"}
    assert (await db.row(HELD, of.account_id))[0] == 20 * holds[""]


async def a_capture_against_a_release(track, ways, processes):
    of = await account(track, 20)
    kept = holding(track, of, 20, 1)
    await done(kept)
    release = Command(actions_holds.release, {"hold_key": kept.key})
    told = await track.run([capturing(track, kept.key) if at % 2 else release for at in range(ways)], processes)
    assert refused(told) == {"": 1, "ledger.hold_resolved": ways - 1}
    is_captured = any(not isinstance(one, str) and one is not None for one in told)
    assert (await queries.passbook(of.passbook_id)).balance == (0 if is_captured else 20)


async def a_reversal_against_a_reversal(track, ways, processes):
    of = await account(track, 1)
    await done(awarding(track, of, 20, NEVER, "awards"))  # the ledger's own are taken back by vouchers
    entry_id = (await queries.lines(of.account_id))[0].entry_id
    both = [Command(action, {"entry_id": entry_id, "reason": "twice"}) for action in REVERSALS]
    told = refused(await track.run([both[at // 4 % 2] for at in range(ways)], processes))
    assert told[""] == 1
    assert told.keys() <= {"", "ledger.already_reversed", "ledger.already_spent", "ledger.nothing_to_take"}
    assert (await queries.passbook(of.passbook_id)).balance == 1


REVERSALS = (actions_reversal.reverse, actions_reversal.clawback)


async def a_lost_card_against_orders(track, ways, processes):
    salt = await track.world.good(points=5, in_stock=100)
    person = await track.world.person(points=1_000)
    code = await track.world.card(person)
    lost = Command(cards.report_lost, {"person_id": person})
    commands = [await ordering(track, salt, code) for _ in range(ways - 1)]
    told = await track.run([*commands[: ways // 2], lost, *commands[ways // 2 :]], processes)
    said = refused(told)
    assert said.keys() <= {"", "people.card_lost", "redemption.over_daily_limit"}
    assert await track.world.balance(person) == 1_000 - 5 * (said[""] - 1)
    assert await track.run([commands[0], await ordering(track, salt, code)], 1) == [told[0], "people.card_lost"]


async def expiry_against_orders(track, ways, processes):
    of, today = await account(track, 20), local_day(track.world.clock.now())
    await done(awarding(track, of, 30, today - timedelta(days=1), "ledger"))
    before = await db.row(EXPIRED, of.community_id)
    expiry = Command(actions_expiry.expire_due, {})
    told = await track.run([expiry, *(spending(track, of, 15) for _ in range(ways - 1))], processes)
    assert told[0] == 1
    assert refused(told[1:]) == {"": 1, **({"ledger.not_enough_points": ways - 2} if ways > 2 else {})}
    assert (await db.row(EXPIRED, of.community_id))[0] - (before[0] if before else 0) == 30
    assert (await queries.passbook(of.passbook_id)).balance == 5


RACES = (
    the_last_unit, the_last_points, one_code, one_key, a_hold_against_a_lapse, a_capture_against_a_release,
    a_reversal_against_a_reversal, a_lost_card_against_orders, expiry_against_orders,
)  # fmt: skip


async def how_often_points_are_spent_without_a_guard(track) -> int:
    """The books are put right afterwards: they were never told of it."""
    of = await account(track, 30)
    told = await track.run([Command(spend_without_guard, {"account_id": of.account_id, "points": 20})] * 64, 4)
    await db.write(put_right, account_id=of.account_id, points=30)
    return refused(told)[""]


async def put_right(tx, *, account_id, points):
    await tx.run("UPDATE ledger_account SET balance = ? WHERE id = ?", points, account_id)


async def test_whatever_is_scarce_is_given_once_and_a_guard_that_is_missing_is_seen(track, engine):
    """On SQLite the writer is alone: there whoever looks first is not overtaken."""
    for race in RACES:
        for ways, processes in FIELDS if IS_LONG else [(8, 4)]:
            await race(track, ways, processes)
    assert (await how_often_points_are_spent_without_a_guard(track) > 1) == (engine == "postgres")

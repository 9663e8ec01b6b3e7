"""What a table counts beside the time is kept with the act; how many in a row is counted here."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from pointsbank.awards import actions, actions_back
from pointsbank.kit import db
from pointsbank.ledger.rules_flows import What
from pointsbank.people.access import Role
from pointsbank.scoring.rules import NOTHING, Basis, FactMissing, Noted, NotInTable
from pointsbank.scoring.rules_table import Finding, Increment, Level, Multiplier, Streak
from tests.awards.neighbours import ADMIN, an_item
from tests.world import visiting

pytestmark = pytest.mark.both

DAILY = {"basis": Basis.PER_TIME, "points": 3, "streak": Streak(3, 4)}
KINDS = (
    an_item("A01", basis=Basis.PER_DISTANCE, points=2, block_metres=1000),
    an_item("A02", basis=Basis.PER_LEVEL, points=None, levels=(Level("一等奖", 9), Level("二等奖", 5))),
    an_item("A03", basis=Basis.PER_CONDITIONS, points=None, conditions=("门前干净", "分类"), points_by_met=(1, 3)),
    an_item("A04", basis=Basis.FULL_SCORE, points=10, faults=(Finding("乱堆乱放", 4),)),
    an_item("A05", basis=Basis.PER_TIME, points=3, range_max=9),
    an_item("A06", basis=Basis.PER_TIME, points=10, multipliers=(Multiplier("难度高", 120),)),
    an_item("A07", basis=Basis.PER_ITEM, points=2, counted="人", increments=(Increment("quantity", 2, 1, 1),)),
)


async def test_an_act_keeps_what_its_table_counts_and_is_worth_it(neighbours):
    await neighbours.adopt(*KINDS)
    person = await neighbours.person()
    told = {
        "A01": Noted(metres=3200),
        "A02": Noted(level="二等奖"),
        "A03": Noted(met=("门前干净", "分类")),
        "A04": Noted(faults=("乱堆乱放",)),
        "A05": Noted(fixed_points=7),
        "A06": Noted(marks=("难度高",)),
    }

    made = [await neighbours.act(person, item=code, noted=noted) for code, noted in told.items()]
    made.append(await neighbours.act(person, item="A07", quantity=4))

    assert [one.points for one in made] == [6, 5, 3, 6, 7, 12, 10]
    kept = [facts for (facts,) in await db.rows("SELECT facts FROM awards_act ORDER BY id")]
    assert [msgspec.json.decode(one, type=Noted) if one else NOTHING for one in kept] == [*told.values(), NOTHING]


async def test_each_basis_is_told_in_its_own_unit_on_the_notice_the_passbook_and_to_programs(neighbours, world):
    """On the screen of staff and of residents, and on paper; what was found wrong is told nowhere."""
    told = {
        "A00": ({"minutes": 136}, "2 小时 16 分钟"),
        "A01": ({"noted": Noted(metres=3200)}, "3.2 千米"),
        "A02": ({"noted": Noted(level="二等奖")}, "二等奖"),
        "A03": ({"noted": Noted(met=("门前干净", "分类"))}, "做到 2 条"),
        "A04": ({"noted": Noted(faults=("乱堆乱放",))}, "1 次"),
        "A05": ({"noted": Noted(fixed_points=7)}, "1 次"),
        "A07": ({"quantity": 3}, "3 人"),
        "A08": ({"quantity": 2}, "2 个"),
    }
    pieces = an_item("A08", basis=Basis.PER_ITEM, points=2)
    assert {item.basis for item in KINDS} | {Basis.PER_MINUTES} == set(Basis)
    await neighbours.adopt(an_item("A00"), *KINDS, pieces, notice_days=3)
    person = await neighbours.person()
    made = {
        code: await neighbours.act(person, item=code, what=f"测试{code}", **facts) for code, (facts, _) in told.items()
    }
    await neighbours.midnight()
    (notice_id,) = await db.row("SELECT MIN(id) FROM notices_notice")
    place = world.communities[0]
    _, desk = await world.staff(Role.COMMUNITY_ADMIN, place)
    _, token = await world.staff(Role.COMMUNITY_ADMIN, place, kind="token")
    _, phone = await world.phone(person)

    async with visiting(world, cookie=desk) as client:
        pages = [(await client.get(f"/notices/{notice_id}{end}")).text for end in ("", "/print")]
        pages += [(await client.get(f"/awards/{one.award_id}")).text for one in made.values()]
    async with visiting(world, cookie=phone) as client:
        pages += [(await client.get(page)).text for page in (f"/notices/{notice_id}", "/home")]
        pages += [(await client.get(f"/awards/{one.award_id}")).text for one in made.values()]
    async with visiting(world, bearer=token) as program:
        said = {code: (await program.get(f"/api/awards/{one.award_id}")).json()["what"] for code, one in made.items()}
    await neighbours.midnight(4)
    async with visiting(world, cookie=phone) as client:
        book, paper = [(await client.get(page)).text for page in ("/ledger", "/ledger/statement")]

    assert said == {code: f"测试{code} {unit}" for code, (_, unit) in told.items()}
    for code, (_, unit) in told.items():
        mine = f"测试{code} {unit}"
        assert sum(mine in page for page in pages) >= 6, mine  # notice thrice, home, the award twice
        assert sum(f"<li><span>{mine}<small>" in page for page in pages) == 2, mine
        assert mine in book
        assert mine in paper
    assert not any("乱堆乱放" in page for page in (*pages[:2], book, paper))


async def test_what_is_missing_or_not_in_the_table_writes_nothing(neighbours):
    await neighbours.adopt(*KINDS)
    person = await neighbours.person()

    with pytest.raises(FactMissing):
        await neighbours.act(person, item="A02")
    with pytest.raises(NotInTable):
        await neighbours.act(person, item="A02", noted=Noted(level="三等奖"))
    with pytest.raises(NotInTable):
        await neighbours.act(person, item="A06", noted=Noted(marks=("节假日",)))

    assert await db.rows("SELECT id FROM awards_act") == []
    assert await neighbours.counted() == []


class TestStreaks:
    async def days(self, neighbours, *people, **told):
        """One act a day, of these people in turn; returns their points."""
        points = []
        for person in people:
            points.append((await neighbours.act(person, **told)).points)
            neighbours.clock.advance(days=1)
        return points

    async def test_the_third_day_in_a_row_brings_more_and_so_does_the_sixth(self, neighbours):
        await neighbours.adopt(an_item(**DAILY), an_item("A02", **DAILY))
        person, other = await neighbours.person(), await neighbours.person()

        assert await self.days(neighbours, person, person) == [3, 3]
        for somebody, code in ((other, "A01"), (person, "A02")):
            assert (await neighbours.act(somebody, item=code)).points == 3
        assert await self.days(neighbours, person, person, person, person) == [7, 3, 3, 7]
        neighbours.clock.advance(days=1)
        assert await self.days(neighbours, person, person, person) == [3, 3, 7]

    async def test_a_household_has_one_row(self, families):
        await families.adopt(an_item(**DAILY), passbook="household")
        home = await families.household()
        mother, son = [await families.person(household_id=home) for _ in "ab"]

        assert await self.days(families, mother, son, mother, await families.person()) == [3, 3, 7, 3]

    async def test_of_two_at_once_on_the_third_day_one_brings_more(self, neighbours):
        await neighbours.adopt(an_item(**DAILY))
        person = await neighbours.person()
        await self.days(neighbours, person, person)
        organisers = [await neighbours.actor() for _ in "abcd"]

        made = await asyncio.gather(*(neighbours.act(person, confirmed_by=one) for one in organisers))

        assert sorted(one.points for one in made) == [3, 3, 3, 7]

    async def test_one_that_is_sent_back_breaks_the_row_for_those_that_come_and_changes_none_before(self, neighbours):
        await neighbours.adopt(an_item(**DAILY, review=("organiser", ADMIN)))
        person = await neighbours.person()
        first = await neighbours.act(person)
        neighbours.clock.advance(days=1)
        second = await neighbours.act(person)
        send_back = {"actor": await neighbours.actor(), "passed": False, "reason": "not_there"}

        await db.write(actions.review, award_id=first.award_id, **send_back)
        neighbours.clock.advance(days=1)
        third = await neighbours.act(person)
        await db.write(actions.review, award_id=third.award_id, **send_back)
        again = await neighbours.act(person)

        assert (second.points, third.points, again.points) == (3, 7, 7)
        await db.write(actions.review, award_id=again.award_id, **send_back)
        neighbours.clock.advance(days=1)
        assert await self.days(neighbours, person, person, person) == [3, 3, 7]

    async def test_one_that_is_taken_back_after_it_was_booked_breaks_the_row_too(self, neighbours):
        await neighbours.adopt(an_item(**DAILY), notice_days=0)
        person = await neighbours.person()
        await self.days(neighbours, person)
        made = await neighbours.act(person)
        await self.take_back(neighbours, made)
        neighbours.clock.advance(days=1)

        assert await self.days(neighbours, person, person, person) == [3, 3, 7]

    async def take_back(self, neighbours, made):
        entry_id = (await neighbours.award(made.award_id))["entry_id"]
        where = {"community_id": neighbours.community_id, "entry_id": entry_id}
        told = {"way": What.REVERSAL, "reason": "not_so", "note": ""}
        await db.write(actions_back.take_back, actor=await neighbours.actor(), **where, **told)

    async def test_one_that_is_entered_late_counts_from_the_day_before_it(self, neighbours):
        await neighbours.adopt(an_item(**DAILY))
        person = await neighbours.person()
        await self.days(neighbours, person, person)
        neighbours.clock.advance(days=1)
        skipped = await neighbours.act(person)
        late = await neighbours.act(person, began_at=neighbours.clock.now() - timedelta(days=1, hours=3))

        assert (skipped.points, late.points) == (3, 7)

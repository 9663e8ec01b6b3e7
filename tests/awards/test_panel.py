"""A panel votes on awards: who sits, when it decides, and what comes of it."""

import asyncio

import pytest
from tortoise.exceptions import IntegrityError

from pointsbank.awards import actions, queries_panel
from pointsbank.awards import verify as awards_verify
from pointsbank.awards.rules import AlreadyReviewed, NotYourStep, Reason
from pointsbank.awards.rules_panel import AlreadyVoted, NotSeated, TooFewNamed
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.people import actions_staff
from pointsbank.scoring.rules import Cap, Period, Scope
from pointsbank.trail import queries as trail
from tests.awards.neighbours import ADMIN, an_item
from tests.awards.panels import Hall, judged

pytestmark = pytest.mark.both
PANELS = 17  # the invariant
DAY_CAP = (Cap(Scope.PERSON, Period.DAY, 100),)


@pytest.fixture
def hall(neighbours) -> Hall:
    return Hall(neighbours)


async def test_as_many_as_the_table_says_let_an_award_pass(hall, neighbours):
    await neighbours.adopt(judged(5, 3), notice_days=0)
    members = await hall.named(5)
    person = await neighbours.person()
    award = await hall.deed(person)

    states = [await hall.vote(award, member) for member in members[:3]]

    assert states == ["pending", "pending", "settled"]
    assert await neighbours.balance(person) == 10
    with pytest.raises(AlreadyReviewed):
        await hall.vote(award, members[3])
    assert await hall.votes(award) == (3, 0)


async def test_it_is_sent_back_as_soon_as_so_many_cannot_agree_any_more(hall, neighbours):
    await neighbours.adopt(judged(5, 4, caps=DAY_CAP), notice_days=0)
    members = await hall.named(5)
    award = await hall.deed()
    assert await neighbours.counted() == [10]

    first = await hall.vote(award, members[0], against=Reason.TWICE)
    second = await hall.vote(award, members[1], against=Reason.TWICE)

    assert [first, second] == ["pending", "rejected"]
    assert await neighbours.counted() == []
    [review] = await db.rows("SELECT verdict, reason FROM awards_review WHERE award_id = ? AND step = 1", award)
    assert tuple(review) == ("rejected", Reason.TWICE)


async def test_a_chain_goes_on_after_its_panel(hall, neighbours):
    await neighbours.adopt(
        an_item(review=("panel", ADMIN), panel=judged(1, 1).panel), notice_days=0
    )  # fmt: skip
    [member] = await hall.named(1)
    made = await neighbours.act(await neighbours.person())
    passed = {"award_id": made.award_id, "passed": True, "reason": None}

    with pytest.raises(NotYourStep):
        await db.write(actions.review, actor=await neighbours.actor(), **passed)
    await hall.vote(made.award_id, member)

    assert (await neighbours.award(made.award_id))["next_role"] == ADMIN
    assert await db.write(actions.review, actor=await neighbours.actor(), **passed) == "settled"


class TestWhoSits:
    async def test_a_draw_takes_as_many_as_the_table_says_and_tells_out_of_whom(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2))
        members = await hall.named(6)
        award = await hall.deed()

        seated = await hall.seated(award)

        assert len(seated) == 3
        assert set(seated) < set(members)
        [drawn] = [one for one in await trail.history(("award", award)) if one.verb == "panel.drawn"]
        assert (drawn.facts["persons"], drawn.facts["out_of"]) == (sorted(seated), sorted(members))
        [stranger, *_] = sorted(set(members) - set(seated))
        with pytest.raises(NotSeated):
            await hall.vote(award, stranger)

    async def test_nobody_sits_who_lives_with_the_doer_wrote_it_down_or_reviewed_it(self, hall, neighbours):
        await neighbours.adopt(judged(2, 2))
        home = await neighbours.household()
        doer, mate = [await neighbours.person(household_id=home) for _ in "ab"]
        organiser = await neighbours.actor()
        for person in (doer, mate, organiser.person_id):
            await hall.name(person)
        others = await hall.named(2)

        award = await hall.deed(doer, confirmed_by=organiser)

        assert sorted(await hall.seated(award)) == others
        for person in (doer, mate, organiser.person_id):
            with pytest.raises(NotSeated):
                await hall.vote(award, person)

    async def test_whoever_only_wrote_it_down_does_not_sit(self, hall, neighbours):
        await neighbours.adopt(an_item(review=("panel",), panel=judged(1, 1).panel))
        organiser = await neighbours.actor()
        await hall.name(organiser.person_id)

        award = await hall.deed(confirmed_by=organiser)

        assert await hall.seated(award) == []

    async def test_where_nobody_is_drawn_the_first_who_vote_are_the_panel(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2, drawn=False))
        home = await neighbours.household()
        doer, mate = [await neighbours.person(household_id=home) for _ in "ab"]
        await hall.name(mate)
        members = await hall.named(5)
        award = await hall.deed(doer)

        with pytest.raises(NotSeated):
            await hall.vote(award, mate)
        with pytest.raises(NotSeated):
            await hall.vote(award, await neighbours.person())
        states = [
            await hall.vote(award, members[4]),
            await hall.vote(award, members[0], against=Reason.TWICE),
            await hall.vote(award, members[2]),
        ]

        assert states == ["pending", "pending", "pending"]  # the last of them waits for its notice
        assert (await neighbours.award(award))["next_role"] == ""
        assert await hall.seated(award) == [members[4], members[0], members[2]]

    async def test_what_too_few_may_sit_on_waits_until_more_are_named(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2))
        await hall.named(2)
        award = await hall.deed()
        [line] = await queries_panel.at_panels([neighbours.community_id])
        assert (line.missing, await hall.seated(award), await hall.fill()) == (1, [], 0)

        await hall.named(1)

        assert await hall.fill() == 1
        assert len(await hall.seated(award)) == 3
        assert await hall.fill() == 0

    async def test_without_a_draw_too_few_do_not_begin(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2, drawn=False))
        [first, _] = await hall.named(2)
        award = await hall.deed()

        with pytest.raises(TooFewNamed):
            await hall.vote(award, first)
        await hall.named(1)

        assert await hall.vote(award, first) == "pending"

    async def test_whose_role_ends_loses_an_open_seat_and_another_is_drawn(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2), notice_days=0)
        people_of = {}
        for _ in range(4):
            person = await neighbours.person()
            people_of[person] = await hall.name(person)
        award = await hall.deed()
        voted, leaver, third = await hall.seated(award)
        [spare] = set(people_of) - {voted, leaver, third}
        await hall.vote(award, voted)
        for person in (voted, leaver):
            await db.write(actions_staff.end_grant, grant_id=people_of[person])

        with pytest.raises(NotSeated):
            await hall.vote(award, leaver)
        await hall.fill()

        assert set(await hall.seated(award)) == {voted, third, spare}  # a vote that was given stays
        assert await hall.vote(award, spare) == "settled"

    async def test_whoever_is_merged_into_the_doer_s_household_loses_the_seat(self, hall, neighbours):
        await neighbours.adopt(judged(1, 1))
        doer, [member] = await neighbours.person(), await hall.named(1)
        award = await hall.deed(doer)
        home = (await db.row("SELECT household_id FROM people_person WHERE id = ?", doer))[0]
        await db.write(moves_in, person_id=member, household_id=home)

        with pytest.raises(NotSeated):
            await hall.vote(award, member)
        await hall.fill()

        assert await hall.seated(award) == []

    async def test_what_was_sent_back_meanwhile_waits_for_no_vote(self, hall, neighbours):
        await neighbours.adopt(judged(1, 1))
        [member] = await hall.named(1)
        award = await hall.deed()
        await db.write(actions.send_back, award_id=award, reason=Reason.LEFT)

        with pytest.raises(AlreadyReviewed):
            await hall.vote(award, member)
        assert await queries_panel.waiting_for(member) == []


async def becomes(tx, *, person_id, into_id):
    await tx.run("UPDATE people_person SET merged_into = ?, state = 'merged' WHERE id = ?", into_id, person_id)


async def moves_in(tx, *, person_id, household_id):
    await tx.run("UPDATE people_person SET household_id = ? WHERE id = ?", household_id, person_id)


class TestVotes:
    async def test_each_votes_once(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2))
        [member, *_] = await hall.named(3)
        award = await hall.deed()
        await hall.vote(award, member)

        for again in (None, Reason.TWICE):
            with pytest.raises(AlreadyVoted):
                await hall.vote(award, member, against=again)
        assert await hall.votes(award) == (1, 0)

    async def test_whoever_was_two_records_votes_once(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2, drawn=False))
        one, other, *_ = await hall.named(4)
        award = await hall.deed()
        await hall.vote(award, other)
        await db.write(becomes, person_id=other, into_id=one)

        with pytest.raises(AlreadyVoted):
            await hall.vote(award, one)

    async def test_an_award_without_a_panel_has_no_vote(self, hall, neighbours):
        await neighbours.adopt()
        [member] = await hall.named(1)
        made = await neighbours.act(await neighbours.person())

        with pytest.raises(NotFound):
            await hall.vote(made.award_id, member)

    async def test_the_last_votes_at_once_decide_once(self, hall, neighbours):
        await neighbours.adopt(judged(5, 3), notice_days=0)
        members = await hall.named(5)
        person = await neighbours.person()
        award = await hall.deed(person)
        for member in members[:2]:
            await hall.vote(award, member)

        outcomes = await asyncio.gather(*[hall.vote(award, one) for one in members[2:]], return_exceptions=True)

        assert sum(outcome == "settled" for outcome in outcomes) == 1
        assert sum(isinstance(outcome, AlreadyReviewed) for outcome in outcomes) == 2
        assert await neighbours.balance(person) == 10

    async def test_one_who_votes_twice_at_once_has_one_vote(self, hall, neighbours):
        await neighbours.adopt(judged(3, 2, drawn=False))
        [member, *_] = await hall.named(3)
        award = await hall.deed()

        outcomes = await asyncio.gather(*[hall.vote(award, member) for _ in "abcd"], return_exceptions=True)

        assert sum(isinstance(outcome, Refusal) for outcome in outcomes) == 3
        assert await hall.votes(award) == (1, 0)

    async def test_those_who_come_at_once_take_no_more_seats_than_there_are(self, hall, neighbours):
        await neighbours.adopt(judged(3, 3, drawn=False))
        members = await hall.named(6)
        award = await hall.deed()

        outcomes = await asyncio.gather(*[hall.vote(award, one) for one in members], return_exceptions=True)

        assert sum(isinstance(outcome, AlreadyReviewed) for outcome in outcomes) == 3
        assert (await hall.votes(award), len(await hall.seated(award))) == ((3, 0), 3)

    async def test_no_row_says_that_a_panel_agreed_which_did_not(self, hall, neighbours):
        """Whatever the program does."""
        await neighbours.adopt(judged(3, 2))
        await hall.named(3)
        await hall.deed()
        for verdict in ("passed", "rejected"):
            with pytest.raises(IntegrityError):
                await db.write(decided, verdict=verdict)


async def test_a_table_with_a_panel_a_building_and_a_team_is_published_and_carried_out(hall, neighbours):
    await neighbours.adopt(notice_days=0)
    items = [judged(1, 1), an_item("B01", scope="building"), an_item("C01", scope="team")]
    await neighbours.adopt_from_tomorrow(*items, notice_days=0)
    neighbours.clock.advance(days=9)
    [member] = await hall.named(1)
    person = await neighbours.person()

    states = [await hall.vote(await hall.deed(person), member)]
    states += [(await neighbours.act(person, item=code)).state for code in ("B01", "C01")]

    assert (states, await neighbours.balance(person)) == (["settled"] * 3, 50)


TRIGGERS = (
    ("awards_panel", "decided_update"),
    ("awards_panel_vote", "append_only_update"),
    ("awards_panel_vote", "append_only_delete"),
    ("awards_review", "append_only_update"),
)
TAMPERED = {
    "a vote is gone": "DELETE FROM awards_panel_vote WHERE id = (SELECT MAX(id) FROM awards_panel_vote)",
    "a vote says something else": "UPDATE awards_panel_vote SET agrees = FALSE, reason = 'twice'",
    "a panel has more seats": "UPDATE awards_panel SET seats = 3",
    "a panel decided nothing": "UPDATE awards_panel SET verdict = NULL, decided_at = NULL",
    "a step was taken by somebody": "UPDATE awards_review SET reviewed_by = 1 WHERE step = 1",
}


async def test_verify_finds_a_step_that_no_panel_took(hall, neighbours, engine):
    await neighbours.adopt(judged(3, 2, drawn=False), notice_days=0)
    award = await hall.deed()
    for member in (await hall.named(3))[:2]:
        await hall.vote(award, member)
    found = {}

    async def tamper(tx, *, what):
        for table, name in TRIGGERS:
            on_table = "" if engine == "sqlite" else f" ON {table}"
            await tx.rows(f"DROP TRIGGER {table}_{name}{on_table}")
        await tx.run(TAMPERED[what])
        found[what] = {one.what for one in await awards_verify.check(tx.rows) if one.invariant == PANELS}
        raise Undone

    for what in TAMPERED:
        with pytest.raises(Undone):
            await db.write(tamper, what=what)

    assert all(found.values())
    assert set().union(*found.values()) == {what for number, what, _ in awards_verify.CHECKS if number == PANELS}


class Undone(Exception):
    """What was tampered with is put back."""


async def decided(tx, *, verdict):
    await tx.run("UPDATE awards_panel SET verdict = ?, decided_at = ?", verdict, tx.now)


async def test_who_moves_away_is_nobody_of_the_panel(hall, neighbours):
    await neighbours.adopt(judged(1, 1))
    [member] = await hall.named(1)
    left = await neighbours.person()
    await db.write(moved, person_id=member, community_id=neighbours.elsewhere_id)

    award = await hall.deed(left)

    assert await hall.seated(award) == []


async def moved(tx, *, person_id, community_id):
    await tx.run("UPDATE people_person SET community_id = ?, household_id = NULL WHERE id = ?", community_id, person_id)

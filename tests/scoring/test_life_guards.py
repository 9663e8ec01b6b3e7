"""What a version's way may not do to others: to a version that waits, to who objected, to how long a notice lasts."""

from datetime import timedelta

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.notices import queries as notices
from pointsbank.scoring import actions, actions_life, queries, queries_life
from pointsbank.scoring.rules_life import NoticeTooShort, NotLowered, UnansweredYet, VersionWaits
from tests.scoring.builders import a_table, an_item
from tests.scoring.lives import meet
from tests.scoring.test_life import NEW, STARTS, Village

pytestmark = pytest.mark.both
LATER = a_table(an_item(points=12))


@pytest.fixture
async def village(database, clock):
    return await Village(clock).found()


async def waiting(village):
    """A version is published, and its day has not come."""
    await village.noticed()
    await village.over()
    await village.publish()
    return village


async def test_nothing_is_begun_while_a_published_version_waits_for_its_day(village):
    await waiting(village)

    for action, asked in ((actions.draft_from_current, {}), (actions.import_draft, {"table": LATER})):
        with pytest.raises(VersionWaits) as told:
            await db.write(action, actor=village.drafter, community_id=village.id, **asked)
        assert told.value.facts == {"number": 2, "day": STARTS.isoformat()}
    assert await queries.under_way(village.id) is None

    village.clock.set(village.clock.now() + timedelta(days=9))
    draft = await db.write(actions.draft_from_current, actor=village.drafter, community_id=village.id)
    assert (await queries.version((village.id,), draft)).table == NEW


async def a_draft_from_before(village):
    """An earlier release let one be begun beside the version that waits."""
    await waiting(village)
    found = await db.row("SELECT id FROM scoring_table WHERE community_id = ?", village.id)
    return await db.write(actions._new_draft, table_id=found["id"], community_id=village.id, table=LATER)


async def test_a_draft_that_was_begun_all_the_same_is_handed_over_when_the_other_is_in_force(village):
    draft = await a_draft_from_before(village)
    which = {"community_id": village.id, "version_id": draft}

    with pytest.raises(VersionWaits):
        await db.write(actions_life.submit, actor=village.drafter, **which)
    village.clock.set(village.clock.now() + timedelta(days=9))
    await db.write(actions_life.submit, actor=village.drafter, **which)


async def test_one_that_was_on_notice_is_not_published_before_the_other_is_in_force(village):
    draft = await a_draft_from_before(village)
    today = local_day(village.clock.now())
    which = {"community_id": village.id, "version_id": draft}

    async def on_notice(tx):
        for state in ("discussion", "noticed"):
            await tx.run("UPDATE scoring_version SET state = ? WHERE id = ?", state, draft)
        await tx.run(actions_life.TELL, draft, await moved(tx), today, None)

    async def moved(tx):
        """A notice of its own, as long over as the other's."""
        row = await tx.row(
            "INSERT INTO notices_notice (community_id, number, title, basis, starts_at, ends_at, about, book_kind,"
            " unit, decimals)"
            " SELECT community_id, 'x', title, basis, starts_at, ends_at, about, book_kind, unit, decimals"
            " FROM notices_notice WHERE id = ? RETURNING id",
            village.notice_id,
        )
        return row["id"]

    await db.write(on_notice)
    asked = {"actor": village.publisher, **which, "in_force_from": STARTS - timedelta(days=1)}
    with pytest.raises(VersionWaits):
        await db.write(actions_life.publish, **asked)


async def test_a_version_does_not_go_back_past_those_who_wait_for_an_answer(village):
    version = await village.noticed()
    first, second = await village.object(), await village.object(await village.somebody())
    back = {"actor": village.drafter, **version, "reason": "mistake"}

    with pytest.raises(UnansweredYet) as told:
        await db.write(actions_life.send_back, **back)
    assert told.value.facts == {"count": 2}
    await village.answer(first)
    with pytest.raises(UnansweredYet):
        await db.write(actions_life.send_back, **back)
    await village.over()
    with pytest.raises(UnansweredYet):
        await db.write(actions_life.send_back, **back)
    await village.answer(second)
    await db.write(actions_life.send_back, **back)

    assert await village.state() == "draft"
    assert [one.ruling for one in await notices.objections(village.notice_id)] == ["查过了"] * 2


@pytest.mark.parametrize("upheld", [(True, False), (False, True), (True, True)])
async def test_an_objection_that_is_right_ends_the_notice_as_soon_as_all_have_an_answer(village, upheld):
    await village.noticed()
    first, second = await village.object(), await village.object(await village.somebody())

    await village.answer(first, upheld=upheld[0])
    assert await village.state() == "noticed"
    await village.answer(second, upheld=upheld[1])

    assert await village.state() == "draft"
    words = {True: "upheld", False: "dismissed"}
    assert [one.state for one in await notices.objections(village.notice_id)] == [words[one] for one in upheld]


async def test_a_notice_that_was_withdrawn_stays_to_be_read_with_its_answers(village):
    version = await village.noticed()
    await village.answer(await village.object(), upheld=True)
    await db.write(actions.save_draft, actor=village.drafter, **version, table=LATER)
    await db.write(actions_life.submit, actor=village.drafter, **version)
    await meet(version, local_day(village.clock.now()))
    again = await db.write(actions_life.open_notice, actor=village.publisher, **version, days=7, starts_on=STARTS)

    (before,) = await queries_life.told_before(village.version_id)
    assert (before.notice_id, (await queries_life.told(None, village.version_id)).notice_id) == (
        village.notice_id,
        again,
    )


async def set_least(village, actor, days):
    await db.write(actions_life.set_least_days, actor=actor, community_id=village.id, days=days)


async def least(village):
    return await queries_life.least_days(None, village.id)


async def test_who_drafted_makes_the_notice_longer_and_somebody_else_shorter(village):
    await village.drafted()
    await set_least(village, village.drafter, 14)
    assert await least(village) == 14

    with pytest.raises(NotLowered):
        await set_least(village, village.drafter, 10)
    await set_least(village, village.publisher, 10)

    assert await least(village) == 10
    found = await db.rows("SELECT person_id, facts FROM trail_record WHERE verb = 'table.notice_days_set' ORDER BY id")
    assert [one["person_id"] for one in found] == [village.drafter.person_id, village.publisher.person_id]
    assert '"before":14' in found[1]["facts"].replace(" ", "")


async def test_nobody_makes_the_notice_shorter_before_there_is_a_draft_of_somebody_else(village):
    await set_least(village, village.publisher, 14)

    with pytest.raises(NotLowered):
        await set_least(village, village.publisher, 7)
    assert await least(village) == 14


async def test_a_notice_lasts_a_day_at_the_least_and_thirty_at_the_most(village):
    await village.drafted()
    for days in (0, 31):
        with pytest.raises(NoticeTooShort):
            await set_least(village, village.publisher, days)
    await set_least(village, village.publisher, 1)
    assert await least(village) == 1


async def test_whoever_wrote_on_the_draft_later_does_not_make_it_shorter(village):
    await village.drafted()
    await set_least(village, village.publisher, 14)
    other = await village.somebody()
    await db.write(actions.save_draft, actor=other, **village.version, table=LATER)

    with pytest.raises(NotLowered):
        await set_least(village, other, 8)

import msgspec
import pytest

from pointsbank.events import actions, queries, rules
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis, Item, NoTableInForce
from tests.events.conftest import Square
from tests.world import World, visiting

both = pytest.mark.both


@both
async def test_a_draft_becomes_an_activity_when_it_is_published(square):
    activity_id = await square.activity(is_draft=True)
    assert await queries.upcoming(square.home.id, square.now) == []

    await square.publish(activity_id)

    (found,) = await queries.upcoming(square.home.id, square.now)
    assert found.id == activity_id
    assert found.organiser_id == square.organiser.person_id
    assert found.number == f"1121-{activity_id:02}"


async def test_an_activity_is_published_once(square):
    activity_id = await square.activity()

    with pytest.raises(rules.NotADraft):
        await square.publish(activity_id)


async def test_another_community_neither_sees_nor_publishes_it(square):
    activity_id = await square.activity(is_draft=True)
    elsewhere = (square.world.communities[1].id,)

    with pytest.raises(NotFound):
        await queries.activity(activity_id, elsewhere)
    with pytest.raises(NotFound):
        await square.publish(activity_id, elsewhere)
    with pytest.raises(NotFound):
        await db.write(actions.cancel, actor=square.organiser, activity_id=activity_id, community_ids=elsewhere)

    assert (await queries.activity(activity_id, square.community_ids)).state == "draft"


@pytest.mark.parametrize("item_code", ["Z99", ""])
async def test_only_items_of_the_table_make_an_activity(square, item_code):
    with pytest.raises(rules.NotAnEventItem):
        await square.activity(item_code=item_code)


async def test_what_organisers_may_not_submit_is_no_item_of_an_activity(clock, settings, database):
    own = Item(
        code="Z01",
        category="奖励",
        name="获奖",
        basis=Basis.PER_TIME,
        points=3,
        evidence="证书",
        submit=("self", "import"),
    )
    world = await World(clock, settings, more_items=(own,)).found(count=1)
    square = Square(world, *await world.staff(Role.EVENT_ORGANISER))

    with pytest.raises(rules.NotAnEventItem):
        await square.activity(item_code="Z01")
    async with visiting(world, cookie=square.organiser_token) as organiser:
        page = await organiser.get("/events/new")
    assert ('value="A01"' in page.text, 'value="Z01"' in page.text) == (True, False)


async def test_without_a_table_in_force_on_its_day_there_is_no_activity(square):
    square.world.clock.advance(days=-60)

    with pytest.raises(NoTableInForce):
        await square.activity()


@pytest.mark.parametrize(
    "facts",
    [
        {"title": ""},
        {"title": "长" * 31},
        {"venue": "\u202e楼下"},
        {"contact": "  "},
        {"seats": 0},
        {"seats": rules.SEATS_MAX + 1},
    ],
)
async def test_what_cannot_be_shown_is_refused(square, facts):
    with pytest.raises(rules.BadActivity):
        await square.activity(**facts)


async def test_hours_in_the_past_are_refused(square):
    with pytest.raises(rules.BadPlan):
        await square.activity(starts_in=-180, minutes=120)


@both
async def test_a_draft_can_be_changed_and_a_published_activity_cannot(square):
    activity_id = await square.activity(is_draft=True)
    found = await queries.activity(activity_id, square.community_ids)
    facts = {
        name: value
        for name, value in msgspec.structs.asdict(found).items()
        if name in {"venue", "item_code", "contact", "starts_at", "ends_at", "seats"}
    }
    where = {"activity_id": activity_id, "community_ids": square.community_ids}

    await db.write(actions.change, actor=square.organiser, title="四号楼清洁", **where, **facts)
    assert (await queries.activity(activity_id, square.community_ids)).title == "四号楼清洁"

    await square.publish(activity_id)
    with pytest.raises(rules.NotADraft):
        await db.write(actions.change, actor=square.organiser, title="五号楼清洁", **where, **facts)


@both
async def test_an_activity_that_somebody_came_to_is_not_called_off(square):
    activity_id = await square.activity()
    card = await square.world.card(await square.world.person())
    await square.enter(activity_id, card)

    with pytest.raises(rules.PeopleAreIn) as refused:
        await db.write(
            actions.cancel, actor=square.organiser, activity_id=activity_id, community_ids=square.community_ids
        )

    assert refused.value.facts == {"count": 1}


async def test_nobody_comes_to_an_activity_that_was_called_off(square):
    activity_id = await square.activity()
    await db.write(actions.cancel, actor=square.organiser, activity_id=activity_id, community_ids=square.community_ids)

    with pytest.raises(rules.Cancelled):
        await square.enter(activity_id, await square.world.card(await square.world.person()))


async def test_the_last_activity_of_an_organiser_is_the_one_to_copy(square):
    await square.activity(title="先前的")
    latest = await square.activity(title="后来的", starts_in=300)

    found = await queries.last_one(square.organiser.person_id, square.home.id)

    assert found is not None
    assert found.id == latest

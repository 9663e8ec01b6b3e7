"""What went through a full passbook into the pot and was granted on: the rest is clawed back all the same."""

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_reversal, actions_seal, queries, verify
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules import NothingToTake, PotSpent
from pointsbank.ledger.rules_flows import What
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.access import Role
from tests.conftest import IN_POINTS
from tests.ledger.conftest import true_books
from tests.ledger.test_vouchers import admin, agree, allow, book_of, give_away, grant
from tests.world import World, visiting

pytestmark = pytest.mark.both


@pytest.fixture
async def town(database, settings, clock):
    world = await World(clock, settings).found(count=1)
    await allow(world, balance_max=50)
    await db.write(set_surplus, community_id=world.home.id)
    return world


async def set_surplus(tx, *, community_id):
    (kind,) = await tx.rows(
        "UPDATE ledger_book_kind SET surplus = 'pot' WHERE community_id = ? RETURNING id", community_id
    )
    await actions_seal.change(tx, what="kind", row_id=kind["id"])


async def award_of(town, person_id) -> int:
    """The latest."""
    lines = await queries.lines((await book_of(town, person_id)).account_id)
    return next(line.entry_id for line in lines if line.kind == "award")


async def overflowing(town, *, before=0, points=70) -> tuple[int, int]:
    """Somebody with an award of which twenty went on into the pot, and that entry; the pot has granted them on."""
    person_id = await town.person(points=before)
    await town.give(person_id, points)
    await agree(town, await grant(town, await town.person("测试乙"), 15, await admin(town)))
    return person_id, await award_of(town, person_id)


async def take_back(town, entry_id, way):
    return await db.write(
        vouchers.take_back, actor=await admin(town), community_id=town.home.id, entry_id=entry_id, way=way,
        reason="wrong_points", note="",
    )  # fmt: skip


async def recoverable(town, entry_id):
    return await flows.recoverable(None, await flows.entry(None, entry_id), local_day(town.clock.now()))


async def clean() -> bool:
    await Sealer().run()
    return true_books((await verify.verify()).findings) == []


async def test_a_reversal_names_the_pot(town):
    _person_id, award = await overflowing(town)

    with pytest.raises(PotSpent) as refused:
        await db.write(actions_reversal.reverse, entry_id=award, reason="wrong_points")

    assert refused.value.facts == {"missing": 15, **IN_POINTS}
    assert (await queries.system_balances(town.home.id))["pot"] == 5


async def test_the_rest_is_clawed_back_and_what_the_pot_spent_is_lacking(town):
    person_id, award = await overflowing(town)
    assert await recoverable(town, award) == flows.Recoverable(50, 20)

    voucher_id = await take_back(town, award, What.CLAWBACK)

    entry_id = (await flows.voucher((town.home.id,), voucher_id)).entry_id
    told = await db.row("SELECT shortfall FROM ledger_entry WHERE id = ?", entry_id)
    assert (await town.balance(person_id), told["shortfall"]) == (0, 20)
    assert await queries.system_balances(town.home.id) == {"issued": -70, "pot": 5, "clawed_back": 50}
    assert await clean()


async def test_points_of_other_service_do_not_stand_in_for_the_pot(town):
    person_id, award = await overflowing(town, before=30, points=40)
    assert await recoverable(town, award) == flows.Recoverable(20, 20)

    await take_back(town, award, What.CLAWBACK)

    assert await town.balance(person_id) == 30
    assert await clean()


async def test_of_what_went_into_the_pot_alone_nothing_can_be_taken(town):
    _person_id, award = await overflowing(town, before=50, points=20)
    assert await recoverable(town, award) == flows.Recoverable(0, 20)

    with pytest.raises(NothingToTake):
        await take_back(town, award, What.CLAWBACK)


async def test_a_donation_that_was_granted_on_is_not_taken_back_from_others(town):
    giver = await town.person(points=30)
    await give_away(town, giver, 20)
    await agree(town, await grant(town, await town.person("测试乙"), 15, await admin(town)))
    lines = await queries.lines((await book_of(town, giver)).account_id)

    with pytest.raises(PotSpent):
        await take_back(town, lines[0].entry_id, What.REVERSAL)

    assert await town.balance(giver) == 10


async def test_the_desk_says_what_the_pot_has_spent(town):
    person_id, award = await overflowing(town)
    book = await book_of(town, person_id)
    async with visiting(town, cookie=(await town.staff(Role.COMMUNITY_ADMIN))[1]) as client:
        page = (await client.get(f"/ledger/passbooks/{book.passbook_id}/entries/{award}")).text

    assert "其中 20 分超过存折上限，进了社区积分池" in page
    assert "追回 50 分" in page

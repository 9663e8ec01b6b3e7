"""Acts whose points go to another kind of passbook: to the last digit, on a notice of their own."""

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_budgets, actions_kinds
from pointsbank.ledger.rules import WrongAmount
from pointsbank.notices import queries as notices
from pointsbank.people.access import Role
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules import Basis, Cap, Period, Scope, TableFaults
from tests.awards.neighbours import LONG_AGO, a_table, an_item
from tests.world import COINS, visiting

A_COIN_AND_A_HALF = an_item(points=15, book_kind="coins")

BOOKS = """
SELECT kind.code, account.balance FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE COALESCE(book.person_id, book.household_id) = ?
"""


@pytest.fixture
async def coins(neighbours) -> int:
    return await db.write(
        actions_kinds.make_kind, community_id=neighbours.community_id, code="coins", settings=COINS
    )  # fmt: skip


async def books(holder_id: int) -> dict[str, int]:
    return {found["code"]: found["balance"] for found in await db.rows(BOOKS, holder_id)}


@pytest.mark.both
async def test_an_item_credits_the_kind_of_passbook_that_it_names(neighbours, coins):
    await neighbours.adopt(A_COIN_AND_A_HALF, an_item("A02"))
    person = await neighbours.person()

    await neighbours.act(person, minutes=60)
    await neighbours.midnight(4)
    assert await books(person) == {"coins": 15}

    await neighbours.act(person, item="A02", minutes=60)
    await neighbours.act(person, minutes=120)
    await neighbours.midnight(4)
    assert await books(person) == {"coins": 45, "points": 10}


@pytest.mark.both
async def test_a_household_s_kind_takes_the_acts_of_all_its_members(neighbours):
    shared = msgspec.structs.replace(COINS, holder="household")
    await db.write(actions_kinds.make_kind, community_id=neighbours.community_id, code="coins", settings=shared)
    await neighbours.adopt(A_COIN_AND_A_HALF, notice_days=0)
    home = await neighbours.household()
    mother, son = [await neighbours.person(household_id=home) for _ in "ab"]

    for person in (mother, son):
        await neighbours.act(person, minutes=60)

    assert await books(home) == {"coins": 30}


@pytest.mark.both
async def test_a_kind_of_another_community_is_not_credited(neighbours):
    await db.write(actions_kinds.make_kind, community_id=neighbours.elsewhere_id, code="coins", settings=COINS)
    adopted = {"community_id": neighbours.community_id, "table": a_table(A_COIN_AND_A_HALF)}

    with pytest.raises(TableFaults) as refused:
        await db.write(scoring.adopt, **adopted, in_force_from=LONG_AGO)
    assert "coins" in refused.value.facts["text"]

    await neighbours.adopt()
    with pytest.raises(TableFaults):
        await db.write(scoring.import_draft, **adopted)
    with pytest.raises(TableFaults):
        await neighbours.adopt_from_tomorrow(A_COIN_AND_A_HALF)


@pytest.mark.both
async def test_each_kind_has_its_own_notice_and_its_own_sum(neighbours, coins):
    await neighbours.adopt(A_COIN_AND_A_HALF, an_item("A02"))
    person = await neighbours.person()
    for item in ("A01", "A02", "A01"):
        await neighbours.act(person, item=item, minutes=60)
    await neighbours.midnight()

    found = await notices.notices([neighbours.community_id])
    told = [(one.title[-5:], one.unit, one.decimals, one.line_count, one.points) for one in found]
    assert sorted(told) == [("日积分公示", "分", 0, 1, 10), ("时间币公示", "币", 1, 2, 30)]


async def test_caps_on_all_items_count_the_main_passbook_alone(neighbours, coins):
    cap = Cap(Scope.PERSON, Period.DAY, 12)
    own = an_item("A03", points=15, book_kind="coins", caps=(Cap(Scope.PERSON, Period.DAY, 14),))
    await neighbours.adopt(A_COIN_AND_A_HALF, an_item("A02"), own, caps=(cap,))
    person = await neighbours.person()

    assert (await neighbours.act(person, minutes=120)).points == 30
    assert (await neighbours.act(person, item="A02", minutes=120)).points == 12
    assert (await neighbours.act(person, item="A03", minutes=60)).points == 14


async def test_a_budget_counts_the_main_passbook_alone(neighbours, coins):
    await neighbours.adopt(A_COIN_AND_A_HALF, an_item("A02", basis=Basis.PER_TIME), notice_days=0)
    ceiling = {"year": neighbours.clock.now().year, "programme": "", "points": 10, "cents": None}
    await db.write(actions_budgets.make_budget, community_id=neighbours.community_id, **ceiling)
    person = await neighbours.person()

    await neighbours.act(person, minutes=60)
    await neighbours.act(person, item="A02")
    await neighbours.act(person, item="A02")

    assert await books(person) == {"coins": 15, "points": 10}


async def test_pages_paper_and_api_write_amounts_as_the_kind_says(neighbours, world, coins):
    await neighbours.adopt(an_item(points=15, book_kind="coins", caps=(Cap(Scope.PERSON, Period.DAY, 25),)))
    person = await neighbours.person()
    made = await neighbours.act(person, minutes=120)
    await neighbours.midnight()
    (notice,) = await notices.notices([neighbours.community_id])
    (_, desk), (_, script) = [await world.staff(Role.COMMUNITY_ADMIN, kind=kind) for kind in ("staff", "token")]
    _device, phone = await world.phone(person)

    async with visiting(world, bearer=script) as program:
        told = (await program.get(f"/api/awards/{made.award_id}")).json()
    async with visiting(world, cookie=phone) as resident, visiting(world, cookie=desk) as admin:
        why = (await resident.get(f"/awards/{made.award_id}")).text
        for page in (await admin.get("/notices"), await resident.get(f"/notices/{notice.id}")):
            assert "2.5 币" in page.text
        paper = (await admin.get(f"/notices/{notice.id}/print")).text

    assert "2 小时，每满 1 小时记 1.5 币，满了 2 个" in why
    assert "这一项每人每天最多 2.5 币，超过的 0.5 币不算" in why
    assert "＋2.5 币" in why
    assert (told["kind"], told["decimals"], told["points"], told["clipped"]) == ("coins", 1, 25, 5)
    assert "<th>币</th>" in paper
    assert "<td>2.5</td>" in paper


@pytest.mark.both
async def test_what_is_too_much_is_told_in_the_points_of_its_kind(neighbours, coins):
    await neighbours.adopt(an_item(basis=Basis.PER_ITEM, points=101, book_kind="coins"))
    with pytest.raises(WrongAmount) as refused:
        await neighbours.act(await neighbours.person(), quantity=10_000)
    assert refused.value.facts == {"least": 1, "most": 1_000_000, "unit": "币", "decimals": 1}

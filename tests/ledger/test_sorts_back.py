"""What came from somebody, or from the pot, goes back there only as points of the sort that came."""

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions, actions_gifts, queries
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as found
from pointsbank.ledger.rules import NEVER, AlreadySpent, Bucket
from pointsbank.ledger.rules_flows import What
from tests.ledger.test_vouchers import admin, agree, book_of, give_away, grant, town

pytestmark = pytest.mark.both
__all__ = ["town"]


async def given(town, person_id, kind, points=50):
    """Base points, which stay, or a gift, which goes only beside earned ones."""
    book = await book_of(town, person_id)
    said = {
        "community_id": town.home.id, "passbook_id": book.passbook_id, "points": points, "summary": "测试",
        "posting_key": f"{kind}:{person_id}", "member_id": person_id, "source": ("ledger", "book_kind", book.kind_id),
    }  # fmt: skip
    if kind == "gift":
        await db.write(actions_gifts.give_gift, **said, match_percent=50, expires_on=NEVER)
    else:
        bucket = Bucket("base", NEVER)
        await db.write(
            actions.issue, **said, kind="base", effective_at=town.clock.now(), bucket=bucket, version_id=None
        )  # fmt: skip


async def spent(town, person_id, points):
    await db.write(
        actions.spend, community_id=town.home.id, account_id=(await book_of(town, person_id)).account_id,
        points=points, outlet_id=town.home.outlet_id, posting_key=f"order:{person_id}:{points}", member_id=person_id,
        source=("redemption", "order", person_id), summary="兑换 食用盐",
    )  # fmt: skip


async def reverse(town, person_id, kind):
    account_id = (await book_of(town, person_id)).account_id
    entry = next(line for line in await queries.lines(account_id) if line.kind == kind)
    return await db.write(
        vouchers.take_back, actor=await admin(town), community_id=town.home.id, entry_id=entry.entry_id,
        way=What.REVERSAL, reason="taken_back", note="",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["base", "gift"])
async def test_what_was_handed_over_and_spent_does_not_come_back_out_of_what_is_not_to_be_handed_over(town, kind):
    giver, friend = await town.person(points=50), await town.person("测试乙")
    await given(town, friend, kind)
    await give_away(town, giver, 50, friend)
    await spent(town, friend, 50)

    with pytest.raises(AlreadySpent) as refused:
        await reverse(town, friend, "transfer")

    assert refused.value.facts["missing"] == 50
    assert (await town.balance(giver), await town.balance(friend)) == (0, 50)


async def test_nor_does_the_pot_get_points_for_those_that_it_granted(town):
    await give_away(town, await town.person(points=50), 50)
    poor = await town.person("测试乙")
    await given(town, poor, "base")
    await agree(town, await grant(town, poor, 50, await admin(town)))
    await spent(town, poor, 20)

    with pytest.raises(AlreadySpent) as refused:
        await reverse(town, poor, "grant")

    assert refused.value.facts["missing"] == 20
    assert ((await found.pots(town.home.id))[0].points, await town.balance(poor)) == (0, 80)

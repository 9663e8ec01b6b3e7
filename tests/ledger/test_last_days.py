"""What waits for a second person until nobody could use it any more is not booked: a pot would lose it for nothing."""

from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_batches
from pointsbank.ledger import queries_flows as found
from pointsbank.ledger.rules import LastDayOver
from tests.ledger.test_gifts import asked_by
from tests.ledger.test_gifts import give as give_gifts
from tests.ledger.test_openings import drafted, give, list_of
from tests.ledger.test_openings import openings as lists
from tests.ledger.test_vouchers import adjust, admin, agree, give_away, grant, town

pytestmark = pytest.mark.both
__all__ = ["town"]

LAST = date(2026, 11, 22)  # tomorrow


async def test_a_grant_is_agreed_to_up_to_its_last_day_and_not_later(town):
    await give_away(town, await town.person(points=30), 30)
    poor = await town.person("测试乙")
    first, second = [await grant(town, poor, 10, await admin(town), expires_on=LAST) for _ in range(2)]

    town.clock.advance(days=1)
    await agree(town, first)
    town.clock.advance(days=1)
    with pytest.raises(LastDayOver) as refused:
        await agree(town, second)

    assert refused.value.facts == {"day": "2026-11-22"}
    assert ((await found.pots(town.home.id))[0].points, await town.balance(poor)) == (20, 10)


async def test_so_is_what_is_set_right_and_given_and_what_an_old_passbook_held(town):
    maker, checker, neighbour = await admin(town), await admin(town), await town.person()
    up = await adjust(town, neighbour, 5, maker, expires_on=LAST)
    batch_id = await asked_by(town, maker, [neighbour], expires_on=LAST)
    list_id = await drafted(town, maker, (neighbour, 7), expires_on=LAST)
    late_id = await drafted(town, maker, (await town.person("测试乙"), 7), expires_on=LAST)
    await db.write(lists.ask, actor=maker, list_id=list_id)
    town.clock.advance(days=2)

    for step in (
        agree(town, up, checker),
        give_gifts(checker, batch_id, await found.batch_in(None, batch_id)),
        give(town, list_id, checker),
        db.write(lists.ask, actor=maker, list_id=late_id),
    ):
        with pytest.raises(LastDayOver):
            await step

    assert await town.balance(neighbour) == 0
    assert (await list_of(town, list_id)).state == "asked"
    await db.write(actions_batches.withdraw_gifts, actor=maker, batch_id=batch_id)
    await db.write(lists.withdraw, actor=maker, list_id=list_id)

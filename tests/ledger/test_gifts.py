"""Gifts by a page: to a list or to all of a tag, asked by one and agreed to by another, each checked by the ledger."""

from datetime import date

import pytest

from pointsbank.approvals.rules import FactsChanged, NotGiven, OwnBenefit, OwnRequest, facts_hash
from pointsbank.kit import db
from pointsbank.ledger import actions_batches, actions_flows, actions_vouchers, verify
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules import WrongMatch
from pointsbank.ledger.rules_flows import OwnVoucher, VoucherMoved
from pointsbank.people import actions_tags
from pointsbank.people.access import Role
from tests.world import World, visiting

FORM = {"points": "20", "match_percent": "50", "expires_on": "2026-12-31", "note": "春节慰问"}
ASKED = {"points": 20, "match_percent": 50, "expires_on": date(2026, 12, 31), "note": "春节慰问"}
LOTS = "SELECT kind, match_percent, expires_on, remaining FROM ledger_lot ORDER BY id"


async def asked_by(world, actor, person_ids, **changes) -> int:
    gifts = {"community_id": world.home.id, "person_ids": person_ids, **ASKED, **changes}
    return await db.write(actions_vouchers.ask_gifts, actor=actor, **gifts)


async def give(actor, batch_id: int, seen) -> int:
    shown = facts_hash([gift.facts for gift in seen])
    return await db.write(actions_batches.give_gifts, actor=actor, batch_id=batch_id, seen=shown)


async def number_of(person_id: int) -> str:
    found = await db.row("SELECT member_number FROM people_person WHERE id = ?", person_id)
    return found["member_number"]


async def tag(world, *person_ids: int) -> int:
    tag_id = await db.write(actions_tags.make_tag, community_id=world.home.id, name="测试骨干")

    async def say(tx) -> None:
        for person_id in person_ids:
            said = "INSERT INTO people_person_tag (person_id, tag_id, given_at) VALUES (?, ?, ?)"
            await tx.run(said, person_id, tag_id, tx.now)

    await db.write(say)
    return tag_id


async def test_gifts_by_a_list_are_asked_seen_and_agreed_to(world):
    one, other = await world.person("测试甲", points=10), await world.person("测试乙")
    (_, maker), (_, checker) = [await world.staff(Role.COMMUNITY_ADMIN) for _ in "ab"]
    members = f"{await number_of(one)} 测试甲\n{await number_of(other)} 测试乙\n"

    async with visiting(world, cookie=maker) as desk, visiting(world, cookie=checker) as second:
        wrong = await desk.post(
            "/ledger/gifts", data={"request_key": "gifts-wrong", "to": "list", "members": members + "000 谁", **FORM}
        )
        asked = await desk.post(
            "/ledger/gifts", data={"request_key": "gifts-asked", "to": "list", "members": members, **FORM}
        )
        url = asked.headers["location"]
        own, seen = await desk.get(url), await second.get(url)
        key = seen.text.split('name="seen" value="')[1].split('"')[0]
        forged = await second.post(f"{url}/give", data={"request_key": "gifts-forged", "seen": "0" * 64})
        given = await second.post(f"{url}/give", data={"request_key": "gifts-given", "seen": key})
        again = await second.post(f"{url}/give", data={"request_key": "gifts-again", "seen": key})

    assert "第 3 行" in wrong.text
    assert "撤回" in own.text
    assert "确认 2 份，共 40 分" in seen.text
    assert (forged.status_code, given.status_code, again.status_code) == (400, 303, 400)
    lots = [tuple(lot) for lot in await db.rows(LOTS) if lot["kind"] == "gift"]
    assert lots == [("gift", 50, date(2026, 12, 31), 20)] * 2
    assert (await verify.verify()).is_clean


async def test_gifts_by_tag_come_once_to_a_household_s_passbook(database, settings, clock):
    world = await World(clock, settings).found(holder="household")
    home = await world.household()
    mates = [await world.person(household_id=home) for _ in "ab"]
    alone, untagged = await world.person(), await world.person()
    tag_id = await tag(world, *mates, alone)
    _, maker = await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=maker) as desk:
        asked = await desk.post(
            "/ledger/gifts", data={"request_key": "gifts-by-tag", "to": "tag", "tag": str(tag_id), **FORM}
        )

    batch = await flows.batch([world.home.id], int(asked.headers["location"].rsplit("/", 1)[1]))
    assert len(batch) == 2
    assert untagged not in [gift.member_id for gift in batch]


@pytest.mark.both
async def test_the_ledger_books_no_gift_without_a_second_person(world):
    person = await world.person()
    maker, _ = await world.staff(Role.COMMUNITY_ADMIN)
    batch_id = await asked_by(world, maker, [person])
    (gift,) = await flows.batch_in(None, batch_id)

    with pytest.raises(NotGiven):
        await db.write(actions_flows.book, actor=maker, voucher=gift)
    with pytest.raises(OwnRequest):
        await db.write(actions_vouchers.give, actor=maker, voucher_id=gift.id, seen=facts_hash(gift.facts))
    await db.write(actions_batches.withdraw_gifts, actor=maker, batch_id=batch_id)
    with pytest.raises(VoucherMoved):
        await db.write(actions_batches.refuse_gifts, actor=maker, batch_id=batch_id, reason="晚了")


@pytest.mark.both
async def test_nobody_gives_to_the_own_household_or_agrees_to_what_comes_there(world):
    (maker, _), (checker, _) = [await world.staff(Role.COMMUNITY_ADMIN) for _ in "ab"]
    with pytest.raises(OwnVoucher):
        await asked_by(world, maker, [await world.person(), maker.person_id])
    with pytest.raises(WrongMatch):
        await asked_by(world, maker, [await world.person()], match_percent=0)

    batch_id = await asked_by(world, maker, [await world.person(), checker.person_id])
    batch = await flows.batch_in(None, batch_id)

    with pytest.raises(OwnBenefit):
        await give(checker, batch_id, batch)
    with pytest.raises(FactsChanged):
        await give((await world.staff(Role.COMMUNITY_ADMIN))[0], batch_id, batch[:1])
    assert await db.rows("SELECT 1 FROM ledger_entry WHERE kind = 'gift'") == []

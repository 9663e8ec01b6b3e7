"""Nobody makes points alone by settings: what another one agrees to, what stands at once, and what is booked then."""

import asyncio
import re
from datetime import UTC, datetime

import msgspec
import pytest

from pointsbank.approvals.rules import FactsChanged, NotTheMaker, OwnRequest, facts_hash
from pointsbank.kit import db
from pointsbank.ledger import actions_kinds, queries_flows, queries_kinds
from pointsbank.ledger import actions_proposals as actions
from pointsbank.ledger import queries_proposals as queries
from pointsbank.ledger.rules_kinds import KindMoved
from pointsbank.ledger.rules_proposals import ProposalAsked, ProposalMoved, ProposalStale, needs_second
from pointsbank.people.access import Role
from tests.ledger.conftest import PLAIN
from tests.ledger.test_routes_kinds import FORM
from tests.world import visiting

pytestmark = pytest.mark.both


async def admin(world):
    return (await world.staff(Role.COMMUNITY_ADMIN))[0]


async def main_kind(world):
    return (await queries_kinds.kinds(world.home.id))[0]


async def wanted(world, maker, **changes) -> int | None:
    kind = await main_kind(world)
    return await db.write(
        actions.change_kind, actor=maker, community_id=world.home.id, kind_id=kind.id, version=kind.version,
        settings=msgspec.structs.replace(kind.settings, **changes),
    )  # fmt: skip


async def seen(world, proposal_id: int) -> str:
    return facts_hash((await queries.proposal([world.home.id], proposal_id)).facts)


async def agree(world, proposal_id: int, actor) -> None:
    await db.write(actions.give, actor=actor, proposal_id=proposal_id, seen=await seen(world, proposal_id))


async def trail_of(proposal_id: int) -> list[str]:
    found = await db.rows(
        "SELECT verb FROM trail_record WHERE subject_kind = 'proposal' AND subject_id = ? ORDER BY id", proposal_id
    )
    return [verb for (verb,) in found]


async def test_base_points_are_given_only_when_another_one_agreed(world):
    """18."""
    maker, person = await admin(world), await world.person()

    proposal_id = await wanted(world, maker, base_points=5_000, base_every="once", base_redeemable=True)
    assert proposal_id is not None
    assert await db.write(actions_kinds.give_base_due) == 0
    with pytest.raises(OwnRequest):
        await agree(world, proposal_id, maker)
    assert (await main_kind(world)).settings.base_points == 0

    await agree(world, proposal_id, await admin(world))
    await db.write(actions_kinds.give_base_due)
    assert await world.balance(person) == 5_000
    assert await trail_of(proposal_id) == ["proposal.made", "proposal.done"]
    with pytest.raises(ProposalMoved):
        await agree(world, proposal_id, await admin(world))


async def test_a_new_kind_gives_no_base_points_before_another_one_agreed(world):
    """18."""
    settings = msgspec.structs.replace(PLAIN, name="测试币", base_points=7, base_every="month")
    made = {"community_id": world.home.id, "code": "coins", "settings": settings}
    proposal_id = await db.write(actions.make_kind, actor=await admin(world), **made)

    assert (await queries_kinds.kinds(world.home.id))[1].settings == msgspec.structs.replace(
        settings, base_points=0, base_every="never"
    )
    await agree(world, proposal_id, await admin(world))
    assert (await queries_kinds.kinds(world.home.id))[1].settings == settings


BASE = msgspec.structs.replace(PLAIN, base_points=10, base_every="month")


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (PLAIN, {}, False),
        (PLAIN, {"name": "别的", "unit": "币", "notice_days": 9}, False),
        (BASE, {"base_points": 9}, False),
        (BASE, {"base_points": 0, "base_every": "never"}, False),
        (BASE, {"base_points": 11}, True),
        (BASE, {"base_points": 9, "base_every": "once"}, True),
        (BASE, {"base_every": "year"}, True),
        (BASE, {"base_points": 9, "base_redeemable": True}, True),
        *((PLAIN, one, True) for one in (
            {"holder": "household"}, {"redeemable": False}, {"donatable": True}, {"transferable": True},
            {"balance_max": 9}, {"surplus": "pot"}, {"spend_above": 1}, {"carry_over": True},
            {"reset_month": 1, "reset_day": 1},
        )),
    ],
)  # fmt: skip
async def test_only_words_and_less_stand_at_once(before, changes, expected):
    """18."""
    assert needs_second(before, msgspec.structs.replace(before, **changes)) is expected


async def test_what_stands_at_once_asks_nobody(world):
    assert await wanted(world, await admin(world), name="测试分") is None
    assert (await main_kind(world)).settings.name == "测试分"
    assert await queries.asked(world.home.id) == []


async def test_one_change_is_asked_for_at_a_time_and_agreed_to_as_it_was_seen(world):
    maker, other = await admin(world), await admin(world)
    told = await asyncio.gather(*(wanted(world, maker, spend_above=one) for one in (1, 2)), return_exceptions=True)
    (proposal_id,) = [one for one in told if isinstance(one, int)]
    assert sorted(type(one).__name__ for one in told) == ["ProposalAsked", "int"]

    with pytest.raises(FactsChanged):
        await db.write(actions.give, actor=other, proposal_id=proposal_id, seen="another")
    await wanted(world, maker, name="测试分")
    with pytest.raises(ProposalStale):
        await agree(world, proposal_id, other)
    with pytest.raises(NotTheMaker):
        await db.write(actions.withdraw, actor=other, proposal_id=proposal_id)
    await db.write(actions.refuse, actor=other, proposal_id=proposal_id, reason="没有依据")

    again = await wanted(world, maker, spend_above=1)
    await db.write(actions.withdraw, actor=maker, proposal_id=again)
    assert (await main_kind(world)).settings.spend_above == 0
    assert await trail_of(again) == ["proposal.made", "proposal.withdrawn"]


async def test_a_change_of_what_somebody_else_changed_is_not_asked_for(world):
    maker, kind = await admin(world), await main_kind(world)
    await wanted(world, maker, name="测试分")
    stale = {"community_id": world.home.id, "kind_id": kind.id, "version": kind.version}
    for change in ({"name": "又一个"}, {"spend_above": 1}):
        settings = msgspec.structs.replace(kind.settings, **change)
        with pytest.raises(KindMoved):
            await db.write(actions.change_kind, actor=maker, **stale, settings=settings)


async def test_what_one_may_do_alone_is_lowered_at_once_and_raised_by_two(world):
    """18."""
    maker, other, place = await admin(world), await admin(world), {"community_id": world.home.id}
    assert await db.write(actions.set_alone_max, actor=maker, **place, points=3) is None
    assert await queries_flows.reversal_alone_max(None, world.home.id) == 3

    proposal_id = await db.write(actions.set_alone_max, actor=maker, **place, points=1_000_000)
    assert await queries_flows.reversal_alone_max(None, world.home.id) == 3
    with pytest.raises(OwnRequest):
        await agree(world, proposal_id, maker)
    with pytest.raises(ProposalAsked):
        await db.write(actions.set_alone_max, actor=other, **place, points=7)
    await db.write(actions.set_alone_max, actor=other, **place, points=0)
    with pytest.raises(ProposalStale):
        await agree(world, proposal_id, other)
    await db.write(actions.refuse, actor=other, proposal_id=proposal_id, reason="太多")

    await agree(world, await db.write(actions.set_alone_max, actor=maker, **place, points=40), other)
    assert await queries_flows.reversal_alone_max(None, world.home.id) == 40


# Pages.


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found is not None
    return found[1]


async def test_the_page_says_what_it_will_book_and_the_other_admin_agrees_there(world):
    for _ in range(3):
        await world.person()
    (_, maker), (_, other) = [await world.staff(Role.COMMUNITY_ADMIN) for _ in range(2)]
    kind = await main_kind(world)
    form = {**FORM, "decimals": "0", "base_points": "20", "balance_max": "", "surplus": "refused", "version": "1"}
    async with visiting(world, cookie=maker) as desk:
        asked = await desk.post(f"/ledger/kinds/{kind.id}", data={"request_key": "ask-for-base", **form})
        url = asked.headers["location"]
        own = (await desk.get(url)).text
        refused = await desk.post(
            f"{url}/give", data={"request_key": "give-own-base", "seen": await seen(world, int(url.split("/")[-1]))}
        )
        await desk.post("/ledger/vouchers/limit", data={"request_key": "raise-limit-1", "points": "1000000"})
        limits = (await desk.get("/ledger/vouchers")).text
    async with visiting(world, cookie=other) as desk:
        todo, kinds = (await desk.get("/todo")).text, (await desk.get("/ledger/kinds")).text
        shown = (await desk.get(url)).text
        seen_there = hidden(shown, "seen")
        given = await desk.post(f"{url}/give", data={"request_key": "give-the-base", "seen": seen_there})
        done = (await desk.get(url)).text

    assert url.startswith("/ledger/proposals/")
    assert "自己经办的，自己不能确认" in own
    assert 'name="seen"' not in own
    assert refused.status_code == 400
    assert "要改成 1,000,000 积分以内" in limits
    assert "待你确认的设置" in todo
    assert "等另一位管理员确认才改" in kinds
    assert "100 币" in shown  # five residents, of whom two are the admins
    assert "同意这样改" in shown
    assert given.status_code == 303
    assert "按新的办了" in done
    assert (await main_kind(world)).settings.base_points == 20
    await db.write(actions_kinds.give_base_due)
    assert (await db.row("SELECT SUM(points) FROM ledger_move"))[0] == 100


async def test_a_proposal_of_another_community_is_not_there(world):
    proposal_id = await wanted(world, await admin(world), spend_above=1)
    _, stranger = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    async with visiting(world, cookie=stranger) as desk:
        shown = await desk.get(f"/ledger/proposals/{proposal_id}")
        given = await desk.post(
            f"/ledger/proposals/{proposal_id}/give",
            data={"request_key": "give-theirs-now", "seen": await seen(world, proposal_id)},
        )
    assert (shown.status_code, given.status_code) == (404, 404)


# What time base points were given for.


async def until_done() -> None:
    while await db.write(actions_kinds.give_base_due):
        pass


def at(bank, *when: int) -> None:
    bank.clock.set(datetime(*when, tzinfo=UTC))


async def given(bank) -> int:
    found = await db.row("SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM ledger_move")
    return int(found[0])


@pytest.mark.parametrize(
    ("first", "then", "days"),
    [
        ("month", "year", [(2026, 11, 22, 4), (2026, 12, 1, 4), (2027, 1, 1, 4)]),
        ("year", "month", [(2026, 11, 22, 4), (2026, 12, 1, 4), (2027, 1, 1, 4)]),
        ("once", "month", [(2026, 11, 22, 4), (2026, 11, 30, 4), (2026, 12, 1, 4)]),
        ("once", "year", [(2026, 11, 22, 4), (2026, 12, 31, 4), (2027, 1, 1, 4)]),
    ],
)
async def test_base_points_are_not_given_again_for_time_that_was_paid(bank, first, then, days):
    """18."""
    await bank.member()
    await bank.settle(base_points=10, base_every=first)
    await until_done()
    await bank.settle(base_points=100, base_every=then)

    for day, expected in zip(days, (10, 10, 110), strict=True):
        at(bank, *day)
        await until_done()
        assert await given(bank) == expected


@pytest.mark.parametrize("first", ["month", "year"])
async def test_what_comes_once_is_for_those_who_had_nothing(bank, first):
    """18."""
    await bank.member()
    await bank.settle(base_points=10, base_every=first)
    await until_done()
    await bank.settle(base_points=100, base_every="once")
    await bank.member()

    at(bank, 2027, 3, 1, 4)
    await until_done()
    assert await given(bank) == 110

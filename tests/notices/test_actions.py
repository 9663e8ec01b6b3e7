"""Notices by themselves: numbers, objections in time, one ruling."""

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.notices import actions, queries
from pointsbank.notices.rules import AlreadyRuled, NewLine, NoticeOver, Told

pytestmark = pytest.mark.both

LINE = NewLine("测*甲", "测试 1 号楼", "三号楼楼道清洁", 20)


async def opened(neighbours, community_id=None):
    return await db.write(
        actions.open_notice,
        community_id=community_id or neighbours.community_id,
        title="测试公示",
        basis="《测试积分表》第 1 版",
        told=Told("points", "分", 0),
        days=1,
        lines=[LINE, LINE],
    )


async def test_numbers_count_up_in_each_community_and_year(neighbours):
    for community in (neighbours.community_id, neighbours.community_id, neighbours.elsewhere_id):
        await opened(neighbours, community)
    neighbours.clock.advance(days=60)
    await opened(neighbours)

    found = await queries.notices([neighbours.community_id, neighbours.elsewhere_id])
    assert [notice.number for notice in found] == ["〔2027〕1 号", "〔2026〕1 号", "〔2026〕2 号", "〔2026〕1 号"]


async def test_an_objection_comes_in_time_or_not_at_all(neighbours):
    notice = await opened(neighbours)
    clerk = await neighbours.actor()
    await db.write(actions.record_objection, actor=clerk, line_id=notice.line_ids[0], grounds="twice")

    found = await queries.notice([neighbours.community_id], notice.notice_id)
    neighbours.clock.set(found.ends_at)
    with pytest.raises(NoticeOver):
        await db.write(actions.record_objection, actor=clerk, line_id=notice.line_ids[1], grounds="twice")
    assert found.disputed == 1


async def test_an_objection_is_ruled_on_once(neighbours):
    notice = await opened(neighbours)
    clerk = await neighbours.actor()
    objection = await db.write(actions.record_objection, actor=clerk, line_id=notice.line_ids[0], grounds="twice")
    ruling = {"objection_id": objection, "upheld": False, "ruling": "查过签到记录，两次都在。"}
    line = await db.write(actions.rule_objection, actor=clerk, **ruling)
    assert line == notice.line_ids[0]
    with pytest.raises(AlreadyRuled):
        await db.write(actions.rule_objection, actor=clerk, **ruling)
    with pytest.raises(NotFound):
        await db.write(actions.rule_objection, actor=clerk, **{**ruling, "objection_id": objection + 99})


async def test_another_community_s_notice_is_not_found(neighbours):
    notice = await opened(neighbours)
    elsewhere = [neighbours.elsewhere_id]
    for asked in (
        queries.notice(elsewhere, notice.notice_id),
        queries.line(elsewhere, notice.line_ids[0]),
        queries.notice([], notice.notice_id),
    ):
        with pytest.raises(NotFound):
            await asked
    assert await queries.notices(elsewhere) == []


async def test_the_points_of_a_notice_are_a_whole_number(neighbours):
    notice = await opened(neighbours)
    known = await queries.notice([neighbours.community_id], notice.notice_id)
    assert type(known.points) is int

"""Awards on their way through the notice: gathered at midnight, settled when it ends."""

from datetime import UTC, date, datetime

import pytest

from pointsbank.awards import actions
from pointsbank.awards import queries as awards
from pointsbank.awards.rules import LineNotHeld
from pointsbank.governance import actions as governance
from pointsbank.kit import codes, db
from pointsbank.kit.clock import start_of_day
from pointsbank.notices import actions as notice_actions
from pointsbank.notices import queries as notices
from pointsbank.scoring.rules import Validity, ValidityKind
from tests.awards.neighbours import an_item

pytestmark = pytest.mark.both


async def test_a_day_s_awards_are_gathered_at_midnight_and_settle_when_the_notice_ends(neighbours):
    await neighbours.adopt(notice_days=3)
    person, other = await neighbours.person("王测试兰"), await neighbours.person(publishes=False)
    for somebody in (person, other):
        await neighbours.act(somebody)

    assert await neighbours.jobs() == 0
    assert await neighbours.midnight() == 0
    (notice,) = await notices.notices([neighbours.community_id])
    assert (notice.number, notice.title) == ("〔2026〕1 号", "2026 年 11 月 22 日积分公示")
    assert (notice.first_day, notice.last_day) == (date(2026, 11, 22), date(2026, 11, 24))
    assert (notice.line_count, notice.points, notice.basis) == (2, 40, "《测试积分表》第 1 版")

    assert await neighbours.midnight(2) == 0
    assert await neighbours.balance(person) == 0
    assert await neighbours.midnight() == 2
    assert [await neighbours.balance(somebody) for somebody in (person, other)] == [20, 20]
    assert await neighbours.entries() == 2


async def test_a_notice_shows_masked_names_or_numbers_and_no_door(neighbours):
    await neighbours.adopt()
    await neighbours.act(await neighbours.person("王测试兰"))
    silent = await neighbours.person("李测试华", publishes=False)
    await neighbours.act(silent)
    await neighbours.midnight()

    (notice,) = await notices.notices([neighbours.community_id])
    named, numbered = await notices.lines(notice.id, page=1)
    number = await db.row("SELECT member_number FROM people_person WHERE id = ?", silent)
    assert (named.shown_name, named.place, named.what) == ("王**兰", "测试 1 号楼", "三号楼楼道清洁 2 小时")
    assert numbered.shown_name == codes.shown_member_number(number[0])
    assert "室" not in named.place + numbered.place


async def test_jobs_that_run_again_change_nothing(neighbours):
    await neighbours.adopt(notice_days=1)
    person = await neighbours.person()
    await neighbours.act(person)
    await neighbours.midnight()
    before = await db.rows("SELECT * FROM awards_award"), await db.rows("SELECT * FROM notices_notice")
    await neighbours.jobs()
    assert (await db.rows("SELECT * FROM awards_award"), await db.rows("SELECT * FROM notices_notice")) == before

    assert await neighbours.midnight() == 1
    assert await neighbours.jobs() == 0
    assert (await neighbours.entries(), await neighbours.balance(person)) == (1, 20)


async def test_what_is_ready_during_the_day_waits_for_the_next_midnight(neighbours):
    await neighbours.adopt()
    made = await neighbours.act(await neighbours.person())
    for _hour in range(3):
        await neighbours.jobs()
        neighbours.clock.advance(hours=1)
    assert await neighbours.state(made.award_id) == "pending"


async def test_a_second_review_after_midnight_belongs_to_the_next_night(neighbours):
    await neighbours.adopt()
    made = await neighbours.act(await neighbours.person(), item="B01")
    await neighbours.midnight()
    neighbours.clock.advance(hours=8)
    await db.write(actions.review, actor=await neighbours.actor(), award_id=made.award_id, passed=True, reason=None)
    await neighbours.jobs()
    assert await neighbours.state(made.award_id) == "pending"
    await neighbours.midnight()
    assert await neighbours.state(made.award_id) == "noticed"


async def test_more_than_one_slice_still_makes_one_notice(neighbours, monkeypatch):
    monkeypatch.setattr(actions, "BATCH_MAX", 2)
    await neighbours.adopt(notice_days=1)
    for _ in range(5):
        await neighbours.act(await neighbours.person())

    await neighbours.midnight()

    (notice,) = await notices.notices([neighbours.community_id])
    assert [line.position for line in await notices.lines(notice.id, page=1)] == [1, 2, 3, 4, 5]
    assert await neighbours.midnight() == 5


async def test_a_closed_notice_that_was_cut_off_is_taken_up_again(neighbours):
    await neighbours.adopt(notice_days=1)
    person = await neighbours.person()
    await neighbours.act(person)
    await neighbours.midnight()
    neighbours.clock.advance(days=1)

    assert len(await db.write(notice_actions.close_ended)) == 1
    assert await db.write(notice_actions.close_ended) == []
    assert await neighbours.balance(person) == 0

    assert await neighbours.jobs() == 1
    assert await neighbours.balance(person) == 20


async def test_a_disputed_line_waits_while_the_others_settle(neighbours):
    await neighbours.adopt(notice_days=1)
    calm, disputed = await neighbours.person(), await neighbours.person()
    await neighbours.act(calm)
    made = await neighbours.act(disputed)
    await neighbours.midnight()
    await neighbours.object_to(made.award_id)

    assert await neighbours.midnight() == 1
    assert [await neighbours.balance(somebody) for somebody in (calm, disputed)] == [20, 0]
    assert await neighbours.state(made.award_id) == "disputed"
    assert await neighbours.midnight(5) == 0


async def test_a_line_is_disputed_once_at_a_time_and_not_after_it_settled(neighbours):
    await neighbours.adopt(notice_days=1)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    objection = await neighbours.object_to(made.award_id)
    with pytest.raises(LineNotHeld):
        await neighbours.object_to(made.award_id)
    ruling = {"objection_id": objection, "upheld": False, "ruling": "查过了。"}
    await db.write(governance.rule, actor=await neighbours.actor(), **ruling)
    assert await neighbours.midnight() == 1
    with pytest.raises(LineNotHeld):
        await db.write(actions.hold_line, line_id=await neighbours.line(made.award_id))


async def test_an_open_objection_alone_keeps_its_line_from_settling(neighbours):
    await neighbours.adopt(notice_days=1)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    await neighbours.object_to(made.award_id)
    await db.write(actions.release_line, line_id=await neighbours.line(made.award_id))
    assert await neighbours.midnight() == 0


async def test_acts_under_two_versions_stand_on_two_notices(neighbours):
    await neighbours.adopt()
    await neighbours.adopt_from_tomorrow(an_item(points=30))
    yesterday = neighbours.clock.now()
    neighbours.clock.advance(days=1)
    for began_at in (yesterday, neighbours.clock.now()):
        await neighbours.act(await neighbours.person(), began_at=began_at)
    await neighbours.midnight()

    found = await notices.notices([neighbours.community_id])
    assert [(notice.number, notice.about, notice.basis) for notice in found] == [
        ("〔2026〕3 号", "awards", "《测试积分表》第 2 版"),
        ("〔2026〕2 号", "awards", "《测试积分表》第 1 版"),
        ("〔2026〕1 号", "scoring", "《测试积分表》第 2 版"),
    ]


async def test_points_live_from_the_day_on_which_they_are_booked(neighbours):
    await neighbours.adopt(notice_days=3, validity=Validity(ValidityKind.YEAR_END))
    neighbours.clock.set(datetime(2026, 12, 30, 4, tzinfo=UTC))
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight(5)
    assert (await neighbours.award(made.award_id))["expires_on"] == date(2027, 12, 31)


async def test_a_passbook_tells_apart_what_is_settled_and_what_is_on_its_way(neighbours):
    await neighbours.adopt(notice_days=3)
    person = await neighbours.person()
    await neighbours.act(person)
    await neighbours.midnight(4)
    noticed = await neighbours.act(person)
    await neighbours.midnight()
    pending = await neighbours.act(person, item="B01", minutes=60)

    parts = await awards.parts((await neighbours.award(pending.award_id))["passbook_id"])

    assert (parts.settled, parts.noticed, parts.pending, parts.disputed) == (20, 20, 10, 0)
    assert [(it.award_id, it.expected_on) for it in parts.waiting] == [
        (pending.award_id, None),
        (noticed.award_id, date(2026, 11, 29)),
    ]


async def test_the_day_on_which_points_will_come_is_told_before_the_notice(neighbours):
    await neighbours.adopt(notice_days=3)
    made = await neighbours.act(await neighbours.person())
    award = await awards.award_for_staff([neighbours.community_id], made.award_id)
    told = await awards.expected_on(award)
    await neighbours.midnight(4)
    settled = await neighbours.award(made.award_id)
    assert settled["settled_at"] == start_of_day(told)

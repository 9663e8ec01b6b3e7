"""「我有疑问」, its answer, and the slip that says the same on paper."""

import re
from datetime import date

import pytest

from pointsbank.awards import actions_questions as actions
from pointsbank.awards import queries_questions as queries
from pointsbank.awards.actions import review
from pointsbank.awards.rules import Reason
from pointsbank.awards.rules_questions import AlreadyAnswered, AlreadyAsked, Doubt, OwnQuestion, answer_by
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people.access import Role
from tests.awards.neighbours import an_item
from tests.world import visiting


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


@pytest.mark.parametrize(
    ("asked_on", "due"),
    [(date(2026, 11, 18), date(2026, 11, 23)), (date(2026, 11, 21), date(2026, 11, 25))],
    ids=["wednesday", "saturday"],
)
def test_three_working_days_leave_out_the_weekend(asked_on, due):
    assert answer_by(asked_on) == due


@pytest.mark.both
async def test_one_question_at_a_time_stands_open_and_is_answered_once(neighbours, world):
    await neighbours.adopt()
    person = await neighbours.person()
    made = await neighbours.act(person)
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    first = await db.write(actions.ask, actor=admin, award_id=made.award_id, doubt=Doubt.MINUTES)
    with pytest.raises(AlreadyAsked):
        await db.write(actions.ask, actor=admin, award_id=made.award_id, doubt=Doubt.POINTS)

    said = {"question_id": first, "answer": "签到 14 点，签退 16 点。", "community_ids": (world.home.id,)}
    await db.write(actions.answer, actor=admin, **said)
    with pytest.raises(AlreadyAnswered):
        await db.write(actions.answer, actor=admin, **said)
    again = await db.write(actions.ask, actor=admin, award_id=made.award_id, doubt=Doubt.POINTS)

    assert [one.id for one in await queries.open_questions([world.home.id])] == [again]
    assert [(one.doubt, one.answer) for one in await queries.of_award(made.award_id)] == [
        (Doubt.MINUTES, "签到 14 点，签退 16 点。"),
        (Doubt.POINTS, ""),
    ]


@pytest.mark.both
async def test_an_answer_is_not_taken_back_and_a_question_not_removed(neighbours, world):
    await neighbours.adopt()
    made = await neighbours.act(await neighbours.person())
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    asked = await db.write(actions.ask, actor=admin, award_id=made.award_id, doubt=Doubt.MINUTES)
    said = {"question_id": asked, "answer": "是两小时。", "community_ids": (world.home.id,)}
    await db.write(actions.answer, actor=admin, **said)

    async def meddle(tx: db.Tx, *, sql: str) -> int:
        return await tx.run(sql)

    for sql in ("UPDATE awards_question SET answer = '别的'", "DELETE FROM awards_question"):
        with pytest.raises(Exception, match="awards_question: "):
            await db.write(meddle, sql=sql)


async def test_nobody_answers_their_own_household_or_another_community(neighbours, world):
    await neighbours.adopt()
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    home = await db.row("SELECT household_id FROM people_person WHERE id = ?", admin.person_id)
    made = await neighbours.act(await neighbours.person(household_id=home[0]))
    asked = await db.write(actions.ask, actor=admin, award_id=made.award_id, doubt=Doubt.UNCLEAR)
    answer = {"question_id": asked, "answer": "看第二行。"}
    with pytest.raises(OwnQuestion):
        await db.write(actions.answer, actor=admin, community_ids=(world.home.id,), **answer)
    other, _ = await world.staff(Role.COMMUNITY_ADMIN)
    with pytest.raises(NotFound):
        await db.write(actions.answer, actor=other, community_ids=(world.communities[1].id,), **answer)
    await db.write(actions.answer, actor=other, community_ids=(world.home.id,), **answer)


async def test_a_resident_asks_on_the_phone_and_reads_the_answer_there(neighbours, world):
    await neighbours.adopt(an_item(minutes_max_per_act=120))
    person = await neighbours.person()
    made = await neighbours.act(person, minutes=136)
    _device, phone = await world.phone(person)
    _admin, desk = await world.staff(Role.COMMUNITY_ADMIN)
    award, question = f"/awards/{made.award_id}", f"/awards/{made.award_id}/question"
    async with visiting(world, cookie=phone) as resident:
        assert question in (await resident.get(award)).text
        form = await resident.get(question)
        nothing = await resident.post(question, data={"request_key": key_in(form)})
        assert nothing.status_code == 400
        sent = await resident.post(question, data={"request_key": key_in(nothing), "doubt": "unclear"})
        assert (sent.status_code, sent.headers["location"]) == (303, award)
        page = await resident.get(award)
        assert "看不懂，请讲给我听" in page.text
        assert "社区 3 个工作日内答复" in page.text
        assert question not in page.text
        async with visiting(world, cookie=desk) as staff:
            assert "居民疑问" in (await staff.get("/todo")).text
            listed = await staff.get("/awards/questions")
            url = re.search(r"/awards/questions/\d+", listed.text)[0]
            asked = await staff.get(url)
            assert "一次最多算 120 分钟，这次的 2 小时 16 分钟只算 2 小时" in asked.text
            answered = await staff.post(url, data={"request_key": key_in(asked), "answer": "零头不满一小时，不算。"})
            assert answered.status_code == 303
            assert "没有等答复的疑问" in (await staff.get("/awards/questions")).text
        assert "零头不满一小时，不算。" in (await resident.get(award)).text


async def test_who_only_sees_an_award_cannot_ask_about_it(neighbours, world):
    await neighbours.adopt()
    made = await neighbours.act(await neighbours.person())
    _device, phone = await world.phone(await neighbours.person())
    _organiser, counter = await world.staff(Role.EVENT_ORGANISER)
    _admin, foreign = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    for cookie in (phone, counter, foreign):
        async with visiting(world, cookie=cookie) as client:
            asked = {"request_key": "question-of-another", "doubt": "points"}
            answer = await client.post(f"/awards/{made.award_id}/question", data=asked)
            assert answer.status_code == 404
    assert await queries.of_award(made.award_id) == []


async def test_the_slip_says_what_the_screen_says(neighbours, world):
    demanded = {"evidence": "签到表", "evidence_kinds": ("photo", "place"), "submit": ("organiser", "grid_worker")}
    await neighbours.adopt(an_item(minutes_max_per_act=60, **demanded))
    person = await neighbours.person()
    made = await neighbours.act(person, minutes=136)
    _admin, desk = await world.staff(Role.COMMUNITY_ADMIN)
    _device, phone = await world.phone(person)
    async with visiting(world, cookie=desk) as staff, visiting(world, cookie=phone) as resident:
        page = f"/awards/{made.award_id}"
        told = [await staff.get(page), await staff.get(f"{page}/slip"), await resident.get(page)]
    for words in (
        "一次最多算 60 分钟，这次的 2 小时 16 分钟只算 1 小时，少 10 分",
        "1 小时，每满 1 小时记 10 分，满了 1 个",
        "《测试积分表》第 1 版",
        "待审核",
        "签到表，要有照片、现场签到",
        "扫现场屏幕上的码签到",
        "活动组织者、网格员",
        "谁记下的",
        "少记",
        "活动组织者 测**部 审核通过",
    ):
        for shown in told:
            assert words in shown.text


async def test_the_slip_of_what_was_sent_back_says_who_did_and_why(neighbours, world):
    await neighbours.adopt(an_item(review=("organiser", "community_admin")))
    made = await neighbours.act(await neighbours.person())
    admin, desk = await world.staff(Role.COMMUNITY_ADMIN)
    await db.write(review, actor=admin, award_id=made.award_id, passed=False, reason=Reason.NO_EVIDENCE)
    async with visiting(world, cookie=desk) as staff:
        told = [(await staff.get(f"/awards/{made.award_id}{tail}")).text for tail in ("", "/slip")]

    assert all("退回：凭据不够" in text for text in told)
    assert all("没有存入" in text for text in told)

"""A version's way from a draft into force: each step in its order, by the right person, and on paper."""

from datetime import date, timedelta

import msgspec
import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from pointsbank.approvals.rules import Dependent
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.notices import queries as notices
from pointsbank.notices.rules import NoticeOver
from pointsbank.people import actions as people
from pointsbank.people import actions_staff
from pointsbank.scoring import actions, actions_life, queries, queries_life
from pointsbank.scoring.rules import NotADraft, TooSoon
from pointsbank.scoring.rules_life import (
    MeetingOutOfTime,
    NoMeeting,
    NotCarried,
    NothingChanged,
    NoticeRuns,
    NoticeTooShort,
    OwnDraft,
    OwnObjection,
    StartsTooEarly,
    Unanswered,
    VotesExceed,
    WrongStep,
)
from tests.scoring.builders import a_table, an_item
from tests.scoring.lives import meet

pytestmark = pytest.mark.both

TODAY = date(2026, 11, 21)
STARTS = date(2026, 12, 1)
OLD, NEW = a_table(an_item(points=8)), a_table(an_item(points=10))


class Village:
    """A community whose table is about to change: who drafts, who publishes, who lives there."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.made = 0

    async def found(self):
        street = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
        told = {"service_phone": "10000000001", "oversight_phone": "10000000002"}
        self.id = await db.write(
            people.make_community, street_id=street, name="测试社区", unit_name="测试居委会", holder="person", **told
        )
        self.building_id = await db.write(people.make_place, parent_id=self.id, kind="building", name="测试 1 号楼")
        await db.write(kinds.make_main_kind, community_id=self.id)
        await db.write(actions.adopt, community_id=self.id, table=OLD, in_force_from=date(2026, 1, 1))
        self.drafter, self.publisher, self.resident = [await self.somebody() for _ in range(3)]
        return self

    async def somebody(self, household_id=None):
        self.made += 1
        made = {"name": f"测试{self.made}", "phone": f"100{self.made:08}", "consent_publication": True}
        where = {"building_id": self.building_id, "door": str(self.made)}
        home = household_id or await db.write(people.make_household, community_id=self.id, **where)
        return Actor(await db.write(people.make_person, community_id=self.id, household_id=home, **made))

    async def drafted(self, table=NEW):
        self.version_id = await db.write(actions.import_draft, actor=self.drafter, community_id=self.id, table=table)
        return self.version

    @property
    def version(self):
        return {"community_id": self.id, "version_id": self.version_id}

    async def discussed(self, **meeting):
        version = await self.drafted()
        await db.write(actions_life.submit, actor=self.drafter, **version)
        await meet(version, TODAY, **meeting)
        return version

    async def noticed(self):
        version = await self.discussed()
        self.notice_id = await db.write(
            actions_life.open_notice, actor=self.publisher, **version, days=7, starts_on=STARTS
        )
        self.lines = [line.id for line in await notices.all_lines(self.notice_id)]
        return version

    async def object(self, actor=None):
        return await db.write(
            actions_life.object_to,
            actor=actor or self.resident,
            community_id=self.id,
            line_id=self.lines[1],
            words="十分太多",
        )

    async def answer(self, objection_id, *, actor=None, upheld=False):
        asked = {"community_id": self.id, "objection_id": objection_id, "upheld": upheld, "words": "查过了"}
        await db.write(actions_life.answer, actor=actor or self.publisher, **asked)

    async def over(self):
        """The notice of the version is over."""
        found = await notices.notice([self.id], self.notice_id)
        self.clock.set(found.ends_at)
        await db.write(actions_life.enter_force_due)

    async def publish(self, day=STARTS, actor=None):
        await db.write(actions_life.publish, actor=actor or self.publisher, **self.version, in_force_from=day)

    async def state(self):
        return (await queries.version((self.id,), self.version_id)).state

    async def trail(self):
        found = await db.rows(
            "SELECT verb, person_id FROM trail_record WHERE subject_kind = 'version' AND subject_id = ? ORDER BY id",
            self.version_id,
        )
        return [tuple(one) for one in found]


@pytest.fixture
async def village(database, clock):
    return await Village(clock).found()


async def test_a_version_takes_each_step_and_is_in_force_from_its_day(village):
    await village.noticed()
    await village.over()
    await village.publish()
    village.clock.set(village.clock.now() + timedelta(days=9))
    await db.write(actions_life.enter_force_due)

    assert await village.state() == "in_force"
    days = (STARTS - timedelta(days=1), STARTS)
    points = [(await queries.version_on(None, community_id=village.id, day=day)).items["A01"].points for day in days]
    assert points == [8, 10]
    drafter, publisher = village.drafter.person_id, village.publisher.person_id
    assert await village.trail() == [
        ("table.drafted", drafter),
        ("table.submitted", drafter),
        ("table.discussed", None),
        ("table.noticed", publisher),
        ("table.published", publisher),
        ("table.entered_force", None),
    ]


async def test_the_notice_says_what_changes_item_by_item(village):
    await village.drafted(a_table(an_item(points=10), an_item(code="A02", name="教用手机"), name="新表"))
    await db.write(actions_life.submit, actor=village.drafter, **village.version)
    await meet(village.version, TODAY)
    notice = await db.write(
        actions_life.open_notice, actor=village.publisher, **village.version, days=7, starts_on=STARTS
    )

    lines = [(line.shown_name, line.place, line.what) for line in await notices.all_lines(notice)]
    assert lines == [
        ("新表", "全部", "测试办法"),
        ("新表", "改", "名称：测试积分表，改为 新表"),
        ("A01 打扫楼道", "改", "分值：8 分，改为 10 分"),
        ("A02 教用手机", "新", "新增：计分方式：按时长；分值：1 分；每满多少分钟：60；凭据：现场签到"),
    ]


async def test_whoever_had_a_hand_in_the_draft_neither_shows_answers_nor_publishes_it(village):
    other = await village.somebody()
    version = await village.drafted()
    await db.write(actions.save_draft, actor=other, **version, table=NEW)
    await db.write(actions_life.submit, actor=village.publisher, **version)
    await meet(version, TODAY)
    for drafter in (village.drafter, other):
        with pytest.raises(OwnDraft):
            await db.write(actions_life.open_notice, actor=drafter, **version, days=7, starts_on=STARTS)
    village.notice_id = await db.write(
        actions_life.open_notice, actor=village.publisher, **version, days=7, starts_on=STARTS
    )
    village.lines = [line.id for line in await notices.all_lines(village.notice_id)]
    objection = await village.object()
    with pytest.raises(OwnDraft):
        await village.answer(objection, actor=other)
    await village.answer(objection)
    await village.over()
    with pytest.raises(OwnDraft):
        await village.publish(actor=village.drafter)
    assert await village.state() == "noticed"


async def test_whoever_depends_on_a_drafter_does_not_publish_the_draft_for_a_while(village):
    straw = await village.somebody()
    login = {"login": "straw", "password_hash": "", "must_change": False}
    await db.write(actions_staff.make_login, actor=village.drafter, person_id=straw.person_id, **login)
    version = await village.drafted()
    await db.write(actions_life.submit, actor=village.publisher, **version)
    await meet(version, TODAY)

    with pytest.raises(Dependent):
        await db.write(actions_life.open_notice, actor=straw, **version, days=7, starts_on=STARTS)
    await db.write(actions_life.open_notice, actor=village.publisher, **version, days=7, starts_on=STARTS)


@pytest.mark.parametrize("step", ["discussed", "noticed"])
async def test_what_residents_look_at_is_not_edited(village, step):
    version = await getattr(village, step)()

    for action, asked in ((actions.save_draft, {"table": OLD}), (actions.drop_draft, {})):
        with pytest.raises(NotADraft):
            await db.write(action, actor=village.drafter, **version, **asked)
    with pytest.raises(NotADraft):
        await db.write(actions.import_draft, actor=village.drafter, community_id=village.id, table=OLD)
    assert await db.write(actions.draft_from_current, community_id=village.id) == version["version_id"]
    assert (await queries.version((village.id,), version["version_id"])).table == NEW


async def test_back_to_a_draft_is_a_step_that_voids_meeting_and_notice(village):
    version = await village.noticed()
    objection = await village.object()
    await village.answer(objection)
    await db.write(actions_life.send_back, actor=village.drafter, **version, reason="mistake")

    assert await village.state() == "draft"
    assert await queries_life.meeting(None, village.version_id) is None
    assert await queries_life.told(None, village.version_id) is None
    shown = await notices.notice([village.id], village.notice_id)
    assert (shown.withdrawn_at, shown.disputed) == (village.clock.now(), 0)
    assert (await village.trail())[-1] == ("table.sent_back", village.drafter.person_id)
    with pytest.raises(WrongStep):
        await village.answer(objection)
    with pytest.raises(NoticeOver):
        await village.object()
    await db.write(actions.save_draft, actor=village.drafter, **version, table=a_table(an_item(points=9)))
    await db.write(actions_life.submit, actor=village.drafter, **version)
    with pytest.raises(NoMeeting):
        await db.write(actions_life.open_notice, actor=village.publisher, **version, days=7, starts_on=STARTS)


async def test_a_draft_that_residents_have_seen_is_given_up_but_kept(village):
    version = await village.discussed()
    await db.write(actions_life.send_back, **version, reason="not_carried")
    await db.write(actions.drop_draft, **version)

    assert await village.state() == "dropped"
    assert await village.drafted() != version
    assert len(await queries_life.meetings(version["version_id"])) == 1


async def test_a_meeting_has_no_more_votes_than_people_and_lies_behind_the_last_change(village):
    version = await village.drafted()
    await db.write(actions_life.submit, **version)

    with pytest.raises(VotesExceed):
        await meet(version, TODAY, present=18)
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(MeetingOutOfTime):
            await meet(version, day)
    first, second = await meet(version, TODAY), await meet(version, TODAY, votes_for=16)
    counted = await queries_life.meeting(None, village.version_id)
    assert first != second == counted.id


@pytest.mark.parametrize(("votes_for", "carried"), [(10, False), (11, True)])
async def test_only_what_more_than_half_of_those_present_agreed_to_goes_on(village, votes_for, carried):
    version = await village.discussed(votes_for=votes_for)
    shown = {"days": 7, "starts_on": STARTS}

    if not carried:
        with pytest.raises(NotCarried):
            await db.write(actions_life.open_notice, actor=village.publisher, **version, **shown)
    else:
        await db.write(actions_life.open_notice, actor=village.publisher, **version, **shown)


async def test_the_notice_is_as_long_as_the_community_says_and_the_day_lies_behind_it(village):
    version = await village.discussed()
    asked = {"actor": village.publisher, **version}

    for days in (6, 31):
        with pytest.raises(NoticeTooShort):
            await db.write(actions_life.open_notice, **asked, days=days, starts_on=STARTS)
    # Opened on the 21st after midnight: shown in full from the 22nd to the 28th.
    with pytest.raises(StartsTooEarly):
        await db.write(actions_life.open_notice, **asked, days=7, starts_on=date(2026, 11, 29))
    await db.write(actions_life.open_notice, **asked, days=7, starts_on=date(2026, 11, 30))


async def test_it_is_published_neither_before_the_notice_is_over_nor_for_a_day_that_was_not_told(village):
    await village.noticed()
    with pytest.raises(NoticeRuns):
        await village.publish()
    await village.over()
    with pytest.raises(StartsTooEarly):
        await village.publish(STARTS - timedelta(days=1))
    village.clock.set(village.clock.now() + timedelta(days=5))
    today = local_day(village.clock.now())
    with pytest.raises(TooSoon):
        await village.publish(today)
    await village.publish(today + timedelta(days=1))


async def test_every_objection_is_answered_first_and_by_nobody_of_that_home(village):
    await village.noticed()
    home = await db.row("SELECT household_id FROM people_person WHERE id = ?", village.resident.person_id)
    relative = await village.somebody(home["household_id"])
    objection = await village.object()
    await village.over()

    with pytest.raises(Unanswered):
        await village.publish()
    with pytest.raises(OwnObjection):
        await village.answer(objection, actor=relative)
    await village.answer(objection)
    await village.publish()


async def test_an_objection_that_is_accepted_sends_the_version_back(village):
    await village.noticed()
    await village.answer(await village.object(), upheld=True)

    assert await village.state() == "draft"
    assert (await village.trail())[-1] == ("table.sent_back", village.publisher.person_id)


async def test_a_version_like_the_one_in_force_is_not_discussed(village):
    with pytest.raises(NothingChanged):
        await db.write(actions_life.submit, **await village.drafted(OLD))


async def test_steps_are_not_taken_out_of_turn(village):
    version = await village.drafted()
    early = {"days": 7, "starts_on": STARTS}
    for action, asked in (
        (actions_life.open_notice, early),
        (actions_life.publish, {"in_force_from": STARTS}),
        (actions_life.send_back, {"reason": "other"}),
    ):
        with pytest.raises(WrongStep):
            await db.write(action, actor=village.publisher, **version, **asked)
    with pytest.raises(WrongStep):
        await meet(version, TODAY)
    with pytest.raises(NotFound):
        await db.write(actions_life.submit, community_id=village.id + 1, version_id=village.version_id)


@pytest.mark.tampers
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE scoring_meeting SET votes_for = 20",
        "DELETE FROM scoring_meeting",
        "UPDATE scoring_notice SET starts_on = '2026-11-22'",
        "DELETE FROM scoring_notice",
        "UPDATE scoring_version SET state = 'in_force', in_force_from = '2026-11-22' WHERE state = 'noticed'",
        "UPDATE scoring_item SET rule = '{}' WHERE version_id = (SELECT MAX(id) FROM scoring_version)",
    ],
)
async def test_the_database_itself_keeps_the_steps(village, statement):
    await village.noticed()

    async def tamper(tx):
        await tx.run(statement)

    with pytest.raises((IntegrityError, OperationalError), match="scoring_"):
        await db.write(tamper)


async def test_a_version_that_went_back_is_read_anew(village):
    """What can still change is not remembered as if it could not."""
    version = await village.discussed()
    assert (await queries.version((village.id,), village.version_id)).items["A01"].points == 10
    await db.write(actions_life.send_back, **version, reason="other")
    await db.write(actions.save_draft, **version, table=msgspec.structs.replace(NEW, items=(an_item(points=9),)))
    await db.write(actions_life.submit, **version)

    assert (await queries.version((village.id,), village.version_id)).items["A01"].points == 9

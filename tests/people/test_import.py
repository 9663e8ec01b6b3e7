"""A roster from a file to members: at once or not at all, once and not twice, on both databases."""

import asyncio
from contextlib import suppress

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people import (
    actions,
    actions_homes,
    actions_import,
    actions_own,
    actions_tags,
    importing,
    queries_import,
    roster,
    sealed,
)
from pointsbank.people.queries import household_members
from pointsbank.people.queries_own import tags_of
from pointsbank.people.rules_import import (
    KEPT_FOR,
    ImportMovedOn,
    ImportRunning,
    NobodyToEnter,
    Plan,
    find_head,
    guess_columns,
)
from pointsbank.trail import queries as trail
from tests.people.import_faults import BELOW, HEAD, id_number, sheet, somebody

both = pytest.mark.both
EVERYBODY = ("SELECT COUNT(*) AS n FROM people_person", "SELECT COUNT(*) AS n FROM people_household")


async def work() -> None:
    for one in await importing.left():
        await importing.work_on(*one)


class Desk:
    """An admin with a file: what the pages do, without the pages."""

    def __init__(self, people) -> None:
        self.people = people
        self.community = people.place.community

    async def admin(self) -> "Desk":
        self.actor = db.Actor(await self.people.staff("an"))
        return self

    async def upload(self, rows, community: int | None = None) -> int:
        community = community or self.community
        begun = {"community_id": community, "digest": b"file", "kind": "csv"}
        import_id = await db.write(actions_import.begin, actor=self.actor, **begun)
        shown = await queries_import.view([community], import_id)
        await importing.take_in(import_id, shown.key, list(enumerate(rows, start=1)))
        await db.write(actions_import.uploaded, actor=self.actor, import_id=import_id, head=find_head(rows))
        return import_id

    async def choose(self, import_id: int, rows, *, publication: bool = False) -> None:
        head = find_head(rows)
        columns = guess_columns(rows[head - 1])
        plan = msgspec.json.encode(Plan(columns, head, publication)).decode()
        await db.write(
            actions_import.choose_columns, actor=self.actor, import_id=import_id, community_id=self.community,
            head=head, plan=plan, header=b"head", columns="{}", skipped=[],
        )  # fmt: skip

    async def check(self, rows) -> int:
        import_id = await self.upload(rows)
        await self.choose(import_id, rows)
        await work()
        return import_id

    async def start(self, import_id: int) -> None:
        start = {"import_id": import_id, "community_id": self.community}
        await db.write(actions_import.start, actor=self.actor, **start)

    async def enter(self, rows) -> queries_import.ImportView:
        import_id = await self.check(rows)
        await self.start(import_id)
        await work()
        return await self.see(import_id)

    async def see(self, import_id: int) -> queries_import.ImportView:
        return await queries_import.view([self.community], import_id)


@pytest.fixture
async def desk(people) -> Desk:
    return await Desk(people).admin()


async def how_many() -> tuple[int, ...]:
    return tuple([(await db.row(sql))["n"] for sql in EVERYBODY])


FAMILY = sheet(
    somebody(姓名="测试主", 身份证号=id_number("19500302", 18), 手机="+86 10000000021", 标签="独居", 同意公示="是"),
    somebody(姓名="测试妻", 手机=None, 与户主关系="妻", 性别="女", 出生日期="1952.3.1", 同意公示="否"),
    BELOW,
)


@both
async def test_a_roster_makes_members_households_heads_tags_and_agreements(desk, people):
    await db.write(actions_tags.make_tag, community_id=desk.community, name="独居")
    shown = await desk.enter(FAMILY)
    assert (shown.state, shown.entered, shown.known, shown.left_out) == ("done", 3, 0, 0)

    (head,) = await roster.search(desk.community, "csz")
    (wife,) = await roster.search(desk.community, "测试妻")
    assert head.building == "93 号楼"
    assert await household_members(None, head.household_id) == [head.person_id, wife.person_id]
    found = await db.row("SELECT head_id FROM people_household WHERE id = ?", head.household_id)
    assert found["head_id"] == head.person_id
    facts = "SELECT birth_year, sex, id_last4, id_index, state FROM people_person WHERE id = ?"
    one, two = await db.row(facts, head.person_id), await db.row(facts, wife.person_id)
    assert (one["birth_year"], one["sex"], one["state"]) == (1950, "f", "member")
    assert one["id_last4"] == id_number("19500302", 18)[-4:]
    assert bytes(one["id_index"]) == sealed.id_index(desk.community, id_number("19500302", 18))
    assert (two["birth_year"], two["sex"], two["id_index"]) == (1952, "f", None)
    assert await tags_of(head.person_id) == ["独居"]
    consents = await db.rows("SELECT person_id, purpose FROM people_consent WHERE person_id IN (?, ?) ORDER BY 1, 2",
                             head.person_id, wife.person_id)  # fmt: skip
    assert [tuple(one) for one in consents] == [
        (head.person_id, "publication"), (head.person_id, "service"), (head.person_id, "tags"),
        (wife.person_id, "service"),
    ]  # fmt: skip


async def test_who_imported_whom_can_be_told_and_nothing_of_the_file_is_left(desk):
    shown = await desk.enter(FAMILY[:2] + FAMILY[3:])
    (member,) = await roster.search(desk.community, "测试妻")
    (registered,) = await trail.history(("person", member.person_id))
    assert (registered.verb, registered.facts) == ("person.registered", {"import_id": shown.id})
    assert registered.person_id == desk.actor.person_id
    (imported,) = [one for one in await trail.history(("import", shown.id)) if one.verb == "people.imported"]
    assert imported.facts == {"community_id": desk.community, "entered": 2, "known": 0, "left_out": 0}
    states = await db.rows("SELECT state FROM people_import_row WHERE import_id = ?", shown.id)
    assert {one["state"] for one in states} <= {"skipped", "raw"}


@both
async def test_the_same_file_again_enters_nobody(desk):
    await db.write(actions_tags.make_tag, community_id=desk.community, name="独居")
    await desk.enter(FAMILY)
    before = await how_many()
    import_id = await desk.check(FAMILY)
    assert (await desk.see(import_id)).counts["known"] == 3
    with pytest.raises(NobodyToEnter):
        await desk.start(import_id)
    assert await how_many() == before


async def test_a_mended_row_joins_the_household_that_is_there(desk):
    faulty = somebody(姓名="测试妻", 手机="123", 门牌="202", 与户主关系="妻")
    first = await desk.enter(sheet(somebody(姓名="测试主", 门牌="202"), faulty))
    assert (first.entered, first.left_out) == (1, 1)
    faulty[HEAD.index("手机")] = None
    second = await desk.enter(sheet(somebody(姓名="测试主", 门牌="202"), faulty))
    assert (second.entered, second.known) == (1, 1)
    (head,), (wife,) = [await roster.search(desk.community, name) for name in ("测试主", "测试妻")]
    assert head.household_id == wife.household_id


@both
async def test_an_import_that_is_stopped_leaves_nothing_by_half(desk, monkeypatch):
    before = await how_many()
    monkeypatch.setattr(importing, "SLICE", 1)
    import_id = await desk.check(FAMILY[:2] + FAMILY[3:])
    await desk.start(import_id)
    real, calls = db.write, []

    async def stopping(action, **facts):
        """Somebody presses the button after the first person lies ready."""
        calls.append(action)
        if calls.count(actions_import.make_ready) == 2 and actions_import.stop not in calls:
            calls.append(actions_import.stop)
            await real(actions_import.stop, actor=desk.actor, import_id=import_id)
        return await real(action, **facts)

    monkeypatch.setattr(importing.db, "write", stopping)
    await work()
    shown = await desk.see(import_id)
    assert shown.state == "stopped"
    assert actions_import.finish not in calls
    assert (await how_many(), shown.counts, shown.key) == (before, {}, None)
    with pytest.raises(ImportMovedOn):
        await real(actions_import.stop, actor=desk.actor, import_id=import_id)


@both
@pytest.mark.parametrize("last", [actions_import.judge, actions_import.make_ready, actions_import.finish])
async def test_what_was_cut_off_is_taken_up_and_done_once(desk, monkeypatch, last):
    """The process ends before or after a slice: what was committed stands, the rest is done by the next start."""
    monkeypatch.setattr(importing, "SLICE", 1)
    monkeypatch.setattr(importing, "CHECK_SLICE", 1)
    rows = sheet(somebody(), somebody(姓名="测试妻", 手机=None, 与户主关系="妻"), BELOW)
    import_id = await desk.upload(rows)
    await desk.choose(import_id, rows)
    real, cuts = db.write, []

    async def cut(action, **facts):
        answer = await real(action, **facts)
        if action is last and len(cuts) < 2:
            cuts.append(action)
            raise asyncio.CancelledError
        return answer

    monkeypatch.setattr(importing.db, "write", cut)
    for _ in range(6):
        with suppress(asyncio.CancelledError):
            await work()
        if (await desk.see(import_id)).state == "checked":
            await desk.start(import_id)
    assert cuts
    shown = await desk.see(import_id)
    assert (shown.state, shown.entered) == ("done", 3)
    assert len(await roster.search(desk.community, "")) == 4  # with the admin
    homes = await db.row("SELECT COUNT(*) AS n FROM people_household")
    assert homes["n"] == 2


async def test_of_two_workers_the_slower_one_stops(desk):
    import_id = await desk.upload(FAMILY)
    await desk.choose(import_id, FAMILY)
    verdict = [(3, "good", b"x")]
    await db.write(actions_import.judge, import_id=import_id, done=0, verdicts=verdict)
    with pytest.raises(ImportMovedOn):
        await db.write(actions_import.judge, import_id=import_id, done=0, verdicts=verdict)


async def test_who_comes_into_the_roster_between_check_and_import_is_not_doubled(desk, people):
    number = id_number(serial=30)
    rows = sheet(somebody(身份证号=number), BELOW)
    import_id = await desk.check(rows)
    await people.member("测试乙", phone="10000000002", id_number=number)
    await desk.start(import_id)
    await work()
    shown = await desk.see(import_id)
    assert (shown.entered, shown.known) == (1, 1)


@both
async def test_an_id_number_and_a_member_number_that_were_taken_at_the_last_moment(desk, people, monkeypatch):
    """Between laying ready and the last command: the one is there already, the other draws a new number."""
    number = id_number(serial=30)
    import_id = await desk.check(sheet(somebody(身份证号=number), BELOW))
    await desk.start(import_id)
    real, calls = db.write, []

    async def hasty(action, **facts):
        calls.append(action)
        if action is actions_import.finish and calls.count(action) == 1:
            taken = await db.row(
                "SELECT member_number FROM people_import_row WHERE number = 4 AND import_id = ?", import_id
            )
            monkeypatch.setattr(actions.codes, "new_member_number", lambda: taken["member_number"])
            await people.member("测试乙", phone="10000000002", id_number=number)
            monkeypatch.undo()
            monkeypatch.setattr(importing.db, "write", hasty)
        return await real(action, **facts)

    monkeypatch.setattr(importing.db, "write", hasty)
    await work()
    shown = await desk.see(import_id)
    assert (shown.state, shown.entered, shown.known) == ("done", 1, 1)
    assert calls.count(actions_import.finish) == 2


@both
@pytest.mark.parametrize(("door", "is_late"), [("606", False), ("606", True), ("909", False)])
async def test_a_household_whose_people_have_gone_takes_nobody_in(desk, people, monkeypatch, door, is_late):
    """They moved in with others or to an empty flat, after the check or even after all lay ready."""
    old = await people.household(door="505")
    gone = await people.member("测试辛", household_id=old)
    await people.member("测试壬", household_id=await people.household(door="606"))
    import_id = await desk.check(sheet(somebody(姓名="测试己", 手机="10000000055", 门牌="505")))
    real, has_left = db.write, not is_late
    moving = {"person_ids": [gone], "building_id": people.place.building, "door": door, "reason": "moved"}

    async def hasty(action, **facts):
        nonlocal has_left
        if action is actions_import.finish and not has_left:
            has_left = True
            await real(actions_homes.move, community_id=desk.community, **moving)
        return await real(action, **facts)

    if has_left:
        await real(actions_homes.move, community_id=desk.community, **moving)
    monkeypatch.setattr(importing.db, "write", hasty)
    await desk.start(import_id)
    await work()
    ((home, lives_behind),) = await db.rows(
        "SELECT h.id, h.door FROM people_person p JOIN people_household h ON h.id = p.household_id ORDER BY p.id DESC"
        " LIMIT 1"
    )
    assert has_left
    assert (home != old, lives_behind is not None) == (True, True)


async def test_one_import_of_a_community_runs_at_a_time_and_a_foreign_one_does_not_exist(desk):
    one = await desk.check(FAMILY[:2] + FAMILY[4:])
    other = await desk.check(sheet(somebody(姓名="测试己", 手机="10000000055", 门牌="505")))
    await desk.start(one)
    with pytest.raises(ImportRunning):
        await desk.start(other)
    with pytest.raises(NotFound):
        await queries_import.view([desk.people.place.elsewhere], one)


async def test_what_nobody_finishes_is_forgotten_after_a_day(desk, clock):
    waiting = await desk.upload(FAMILY)
    failed = await desk.enter(sheet(BELOW, somebody(手机="123")))
    await work()
    assert (await desk.see(failed.id)).counts["faulty"] == 1
    clock.advance(seconds=KEPT_FOR.total_seconds() + 1)
    await work()
    for import_id, state in ((waiting, "expired"), (failed.id, "done")):
        shown = await desk.see(import_id)
        assert (shown.state, shown.counts, shown.key, shown.cleared) == (state, {}, None, True)


async def test_whoever_leaves_takes_sex_and_tags_along(desk):
    await db.write(actions_tags.make_tag, community_id=desk.community, name="独居")
    await desk.enter(FAMILY)
    (head,) = await roster.search(desk.community, "csz")
    await db.write(actions_own.leave, actor=desk.actor, person_id=head.person_id, how="paper", answer="签字")
    found = await db.row("SELECT sex, birth_year, name FROM people_person WHERE id = ?", head.person_id)
    assert tuple(found) == (None, None, None)
    assert await tags_of(head.person_id) == []
    live = await db.rows(
        "SELECT purpose FROM people_consent WHERE person_id = ? AND withdrawn_at IS NULL", head.person_id
    )
    assert live == []


@both
async def test_ended_tags_leave_everybody_and_can_be_made_again_empty(desk):
    tag = await db.write(actions_tags.make_tag, community_id=desk.community, name="独居")
    await desk.enter(FAMILY)
    (head,) = await roster.search(desk.community, "csz")
    await db.write(actions_tags.end_tag, tag_id=tag)
    assert await tags_of(head.person_id) == []
    assert await db.write(actions_tags.make_tag, community_id=desk.community, name="独居") == tag
    assert [(one.name, one.people) for one in await queries_import.tags(desk.community)] == [("独居", 0)]

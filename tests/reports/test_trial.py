"""The trial run over real acts: a child process, files beside the database, and nothing written into it."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec
import pytest

from pointsbank.app import wiring
from pointsbank.app.installation import Installation
from pointsbank.awards import actions as awards
from pointsbank.awards.rules import Reason
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger.rules import MAIN
from pointsbank.people.access import Role
from pointsbank.reports import trial_runs
from pointsbank.reports.rules_trial import Pair, TrialRuns
from pointsbank.reports.trial import Trial, Withdrawn, _scored
from pointsbank.reports.trial_files import Asked, Order, order_file, put
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import queries as tables
from pointsbank.scoring.rules import NOTHING, Basis, Cap, Item, Noted, PastAct, Period, Replay, Scope
from pointsbank.scoring.rules_table import Process, Streak
from tests.reports.trial_page import of_categories, of_items
from tests.scoring.builders import a_table, an_item, some_facts
from tests.world import LOOSE, World, visiting

SPOILT = "未按要求行动或导致投诉"  # by which the town's table counts nothing
HOURS = (60, 150, 90, 120, 45, 240)
KEY = "trial-key-0001"
WAITS = (sys.executable, "-c", "import sys; sys.stdin.read()")
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@dataclass
class Past:
    """People of a community and what they did, a day apart."""

    world: World
    people: list[int] = field(default_factory=list)
    made: int = 0

    async def person(self, name: str, household_id: int | None = None) -> int:
        self.people.append(await self.world.person(name, household_id=household_id))
        return self.people[-1]

    async def act(
        self, person_id: int, *, minutes: int = 60, item: str = "A01", days_ago: int = 0, noted: Noted = NOTHING
    ) -> awards.Made:
        self.made += 1
        return await db.write(
            awards.record_act,
            community_id=self.world.home.id,
            person_id=person_id,
            source=("awards", "test", self.made),
            item_code=item,
            what="测试服务",
            evidence="测试",
            began_at=self.world.clock.now() - timedelta(days=days_ago, hours=8),
            minutes=minutes,
            planned_minutes=minutes,
            noted=noted,
        )

    async def draft(self, **changes: object) -> tables.Version:
        """What is in force, with A01 changed; or with what is said of it."""
        version_id = await db.write(scoring.draft_from_current, community_id=self.world.home.id)
        found = await tables.version((self.world.home.id,), version_id)
        items = [msgspec.structs.replace(item, **changes) if item.code == "A01" else item for item in found.table.items]
        return await self.save(version_id, items)

    async def save(self, version_id: int, items, **changes: object) -> tables.Version:
        found = await tables.version((self.world.home.id,), version_id)
        table = msgspec.structs.replace(found.table, items=tuple(items), **changes)
        place = {"community_id": self.world.home.id, "version_id": version_id}
        await db.write(scoring.save_draft, table=table, **place)
        return await tables.version((self.world.home.id,), version_id)

    async def start(self, draft: tables.Version, months: int = 12) -> None:
        now = self.world.clock.now()
        await trial_runs.start(self.world.settings, draft, months=months, key=KEY, now=now)

    async def tried(self, draft: tables.Version, months: int = 12):
        """In this process, which is quicker."""
        now = self.world.clock.now()
        order = Order(KEY, self.world.home.id, draft.id, months, local_day(now), trial_runs.rules_of(draft.table), now)
        put(order_file(self.world.settings, order.community_id), order)
        trial = Trial(Asked(order, draft.table, str(self.world.settings.data), None))
        trial.tell(await trial.run())
        return self.look().answer.outcome

    def look(self):
        return trial_runs.look(self.world.settings, self.world.home.id, self.world.clock.now())

    async def answered(self):
        await asyncio.gather(*trial_runs._watching)
        return self.look().answer.outcome


DEDUCTION = Item(
    code="K01", category="公约", name="楼道堆物", basis=Basis.PER_TIME, points=5, evidence="照片", deduction=True,
    process=Process(), ground="居民公约第三条", make_good="搬走",
)  # fmt: skip


@pytest.fixture
async def past(world):
    found = Past(world)
    for name in "甲乙丙":
        person = await found.person(f"测试{name}")
        for days_ago, minutes in reversed(list(enumerate(HOURS))):
            await found.act(person, minutes=minutes, days_ago=days_ago)
    yield found
    await trial_runs.stop(world.settings, world.home.id)


@pytest.fixture
def app(world):
    """The program with the settings of this world: files of a trial run lie in its data folder."""
    return wiring.create_app(world.settings, world.clock, Installation(is_demo=False), limit=LOOSE)


async def contents(engine: str) -> dict[str, list]:
    names = [found[0] for found in await db.rows(TABLES[engine])]
    return {name: sorted(map(str, map(tuple, await db.rows(f'SELECT * FROM "{name}"')))) for name in names}


@pytest.mark.both
async def test_a_draft_like_what_is_in_force_gives_what_was_awarded_and_nothing_is_written(past, engine):
    draft = await past.draft()
    ((awarded,),) = await db.rows("SELECT CAST(SUM(points) AS BIGINT) FROM awards_award")
    before = await contents(engine)

    await past.start(draft)
    outcome = await past.answered()

    assert outcome.acts == 18
    assert outcome.totals == {MAIN: Pair(awarded, awarded)}
    assert outcome.awarded == {MAIN: awarded}
    assert outcome.gains == outcome.losses == []
    assert await contents(engine) == before


async def test_a_higher_value_a_cap_and_an_ended_item_are_told(past):
    await past.act(past.people[0], item="B01")
    cap = (Cap(Scope.PERSON, Period.MONTH, 8),)
    dearer = await past.draft(points=2, caps=cap)
    draft = await past.save(dearer.id, [item for item in dearer.table.items if item.code == "A01"])

    outcome = await past.tried(draft)

    lines = {line.code: line for line in outcome.items}
    assert lines["A01"].points == Pair(24, 24)
    assert (lines["B01"].ended, lines["B01"].acts, lines["B01"].points.new) == (True, 1, 0)
    clips = {clip.key: (clip.code, clip.most, clip.points) for clip in outcome.clips}
    assert clips["cap_item_person_month"] == ("A01", 8, 24)
    assert [one.person_id for one in outcome.losses] == [past.people[0]]


async def test_an_act_that_was_sent_back_is_left_out(past, world):
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    sent = await past.act(past.people[0], item="B01")
    await db.write(awards.send_back, actor=admin, award_id=sent.award_id, reason=Reason.LEFT)

    outcome = await past.tried(await past.draft())

    assert (outcome.acts, outcome.left_out) == (18, 1)
    assert outcome.totals[MAIN].old == outcome.awarded[MAIN]


def test_a_value_that_was_fixed_counts_where_a_version_leaves_it_open():
    def points(item, fixed_points):
        past = PastAct("A01", some_facts(fixed_points=fixed_points), 1, 1, 1)
        scored = _scored(Replay(), a_table(item), item, past)
        return None if scored.result is None else scored.points

    plain = an_item(basis=Basis.PER_TIME, points=3)
    ranged = an_item(basis=Basis.PER_TIME, points=3, range_max=9)

    assert [points(plain, 7), points(ranged, 7), points(ranged, None), points(ranged, 12)] == [3, 7, None, None]


async def test_what_was_written_down_of_an_act_counts_in_a_run_too(past):
    await past.act(past.people[0], minutes=120, noted=Noted(marks=(SPOILT,)))
    draft = await past.draft()

    same = await past.tried(draft)
    halved = await past.tried(await past.save(draft.id, [half(item) for item in draft.table.items]))

    assert same.totals[MAIN].old == same.totals[MAIN].new == same.awarded[MAIN]
    assert halved.totals[MAIN].new == same.awarded[MAIN] + 1


def half(item):
    return msgspec.structs.replace(
        item, multipliers=tuple(msgspec.structs.replace(one, percent=50) for one in item.multipliers)
    )


async def test_a_run_counts_rows_again(past):
    outcome = await past.tried(await past.draft(streak=Streak(2, 4)))

    # Of six days one earned nothing: after it the second and the fourth in a row bring four more, for each of three.
    assert outcome.totals[MAIN].new == outcome.totals[MAIN].old + 24


async def test_what_lies_before_the_months_uses_up_a_cap_and_is_in_no_sum(past):
    draft = await past.draft(basis=Basis.PER_TIME, points=5, caps=(Cap(Scope.PERSON, Period.YEAR, 5),))
    past.world.clock.advance(days=27)

    outcome = await past.tried(draft, months=1)

    assert outcome.acts == 9
    assert outcome.totals[MAIN].new == 0


@pytest.mark.parametrize("once", [{"points": 5}, {"times": 1}])
async def test_what_counts_over_a_lifetime_is_counted_from_the_first_act(past, once):
    """All of it lies in the year before; of the other item nothing is read."""
    await past.act(past.people[0], item="B01")
    draft = await past.draft(basis=Basis.PER_TIME, points=5, caps=(Cap(Scope.PERSON, Period.LIFETIME, **once),))
    past.world.clock.advance(days=75)
    await past.act(past.people[0])

    outcome = await past.tried(draft, months=1)

    assert (outcome.acts, outcome.totals[MAIN].new) == (1, 0)
    assert past.look().answer.total == 19


async def test_what_the_whole_table_clipped_long_ago_used_up_no_lifetime(past):
    """By the draft the other item had left nothing of that day."""
    found = await past.draft()
    items = [
        an_item(code="A01", basis=Basis.PER_TIME, points=5, caps=(Cap(Scope.PERSON, Period.LIFETIME, 5),)),
        an_item(code="B01", basis=Basis.PER_TIME, points=5),
    ]
    draft = await past.save(found.id, items, caps=(Cap(Scope.PERSON, Period.DAY, 5),))
    person = await past.person("测试丁")
    for item in ("B01", "A01"):
        await past.act(person, item=item)
    past.world.clock.advance(days=75)
    await past.act(person)

    outcome = await past.tried(draft, months=1)

    assert (outcome.acts, outcome.totals[MAIN].new) == (1, 5)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"streak": Streak(3, 4)}, 9), ({"caps": (Cap(Scope.PERSON, Period.WEEK, 12),)}, 2)],
    ids=["row", "week"],
)
async def test_what_began_last_year_goes_on(past, changes, expected):
    draft = await past.draft(basis=Basis.PER_TIME, points=5, **changes)
    past.world.clock.advance(days=40)
    person = await past.person("测试丁")
    for _thursday_to_saturday in range(3):
        await past.act(person)
        past.world.clock.advance(days=1)
    past.world.clock.advance(days=29)

    outcome = await past.tried(draft, months=1)

    assert (outcome.first, outcome.totals[MAIN].new) == (date(2027, 1, 2), expected)


async def test_the_page_shows_the_run_and_names_nobody_in_clear(past, world, app):
    draft = await past.draft(points=3)
    page, stranger = f"/overview/trial/{draft.id}", world.communities[1].version_id
    _, admin = await world.staff(Role.COMMUNITY_ADMIN)
    _, worker = await world.staff(Role.GRID_WORKER)

    async with visiting(world, cookie=admin, app=app) as desk:
        empty, untried = await desk.get(page), await desk.get(f"/scoring/versions/{draft.id}")
        begun = await desk.post(page, data={"request_key": KEY, "months": "12"})
        again = await desk.post(page, data={"request_key": KEY, "months": "12"})
        await past.answered()
        shown, beside = await desk.get(page), await desk.get(f"/scoring/versions/{draft.id}")
        cell = {"codes": "A01", "names": "测试服务", "points": "八", "day_caps": "", "evidences": "测试"}
        cell["seen"] = '["测试服务","1","","测试",false]'
        unkept = await desk.post(f"/scoring/versions/{draft.id}", data={"request_key": "trial-key-0004", **cell})
        changed = await past.draft(points=4)
        await past.save(changed.id, [*changed.table.items, DEDUCTION])
        later, stale = await desk.get(page), await desk.get(f"/scoring/versions/{draft.id}")
        wrong = await desk.post(page, data={"request_key": KEY, "months": "25"})
        foreign = [await desk.get(f"/overview/trial/{stranger}"), await desk.post(f"/overview/trial/{stranger}")]
    async with visiting(world, cookie=worker, app=app) as desk:
        refused = [await desk.get(page), await desk.post(page), await desk.post(f"{page}/stop")]

    assert (empty.status_code, begun.status_code, again.status_code) == (200, 303, 303)
    assert "18 件真实记录" in shown.text
    assert of_categories(shown.text) == of_items(shown.text) != {}
    assert "测*甲" in shown.text or "测**" in shown.text
    assert not [name for name in ("测试甲", "测试乙", "测试丙") if name in shown.text]
    assert "这份草稿又改过" in later.text
    assert "这份草稿又改过" not in shown.text
    assert [("扣分" in text and "不在试算里" in text) for text in (shown.text, later.text)] == [False, True]
    assert "现在试算" in untried.text
    for words in ("近 12 个月的记录", "得分居民", "变化最大的居民", "测*"):
        assert words in beside.text
        assert words in unkept.text
    assert (unkept.status_code, 'value="八"' in unkept.text) == (400, True)
    assert "试算以后又改过" in stale.text
    assert "试算以后又改过" not in beside.text
    assert wrong.status_code == 400
    assert [answer.status_code for answer in foreign] == [404, 404]
    assert [answer.status_code for answer in refused] == [403, 403, 403]


async def test_one_runs_at_a_time_and_stopping_leaves_nothing_running(past, world, app, monkeypatch):
    monkeypatch.setattr(trial_runs, "COMMAND", WAITS)
    draft = await past.draft()
    page, (_, admin) = f"/overview/trial/{draft.id}", await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=admin, app=app) as desk:
        await desk.post(page, data={"request_key": KEY, "months": "12"})
        [process] = trial_runs._processes.values()
        running = await desk.get(page)
        second = await desk.post(page, data={"request_key": "trial-key-0002", "months": "12"})
        stopped = await desk.post(f"{page}/stop", data={"request_key": "trial-key-0003"})
        after = await desk.get(page)

    assert 'http-equiv="refresh"' in running.text
    assert second.status_code == TrialRuns.kind.status
    assert stopped.status_code == 303
    assert process.returncode == -signal.SIGKILL
    assert past.look() is None
    assert "开始试算" in after.text


async def test_a_process_that_is_ended_from_outside_is_told_as_broken(past, world, monkeypatch):
    monkeypatch.setattr(trial_runs, "COMMAND", WAITS)
    draft = await past.draft()
    await past.start(draft)
    [process] = trial_runs._processes.values()

    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    await asyncio.gather(*trial_runs._watching)

    assert past.look().answer.is_broken


async def test_a_run_whose_order_is_gone_ends_without_an_answer(past, world):
    order = Order(KEY, world.home.id, 1, 12, world.clock.now().date(), "", world.clock.now())
    trial = Trial(Asked(order, a_table(), str(world.settings.data), None))

    with pytest.raises(Withdrawn):
        trial.tell()
    assert not trial.answer_file.exists()


async def test_the_process_ends_when_whoever_started_it_is_gone(tmp_path, clock):
    """It waits for a database that never answers."""
    order = Order(KEY, 1, 1, 12, local_day(clock.now()), "", clock.now())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/x"
        process = await asyncio.create_subprocess_exec(*trial_runs.COMMAND, stdin=PIPE)
        process.stdin.write(msgspec.json.encode(Asked(order, a_table(), str(tmp_path), url)) + b"\n")
        connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            process.stdin.close()

            assert await process.wait() == 1


async def test_what_is_written_while_the_process_starts_is_not_what_is_tried(past):
    """The mark that the draft has changed since and the figures are of the same rules."""
    ordered = await past.draft(points=3)
    await past.start(ordered)
    written = await past.draft(points=4)

    outcome = await past.answered()

    assert outcome.totals[MAIN].new == 3 * outcome.totals[MAIN].old
    rules = past.look().order.rules
    assert (rules == trial_runs.rules_of(ordered.table), rules == trial_runs.rules_of(written.table)) == (True, False)


async def test_what_came_out_is_kept_for_a_day(past, world):
    await past.tried(await past.draft())
    world.clock.advance(hours=25)

    assert past.look() is None

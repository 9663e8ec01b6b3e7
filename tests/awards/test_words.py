"""Free words of residents, and about them, are sealed where they stand: the file alone tells nobody.

What was plain is sealed once, and nothing of it is left.
"""

import sqlite3
from contextlib import closing

import pytest

from pointsbank.app import database as databases
from pointsbank.app.database import FILE_NAME
from pointsbank.awards import actions_cases, actions_words, queries_cases
from pointsbank.awards.rules_cases import Verdict, place_of
from pointsbank.kit import crypto, db, words
from pointsbank.kit.crypto import Unreadable
from pointsbank.notices import actions as notices
from pointsbank.notices import actions_words as objection_words
from pointsbank.notices import queries as notice_queries
from pointsbank.notices.rules import About, Grounds, NewLine, Told
from tests.awards.cases import WORDS as FOUND
from tests.awards.cases import a_deduction, patrol_in
from tests.awards.neighbours import an_item

SAID, ANSWERED, REMEDIED = "那天不是我家的", "看过照片", "已经搬走"  # as `Patrol` says them
OBJECTED = "测试：一小时一分太少"
WORDS = (FOUND["what"], FOUND["evidence"], SAID, ANSWERED, REMEDIED, OBJECTED)


@pytest.fixture
async def patrol(neighbours, world):
    await neighbours.adopt(an_item(), a_deduction())
    return await patrol_in(neighbours, world)


async def objected(neighbours) -> int:
    """A notice of a scoring table with an objection."""
    opened = await db.write(
        notices.open_notice, community_id=neighbours.community_id, title="测试", basis="测试", days=7,
        told=Told("points", "分", 0), about=About.SCORING, lines=[NewLine("测试表", "全表", "测试办法", 0)],
    )  # fmt: skip
    await db.write(
        notices.record_objection, actor=await neighbours.actor(), line_id=opened.line_ids[0], grounds=Grounds.OTHER,
        words=OBJECTED, about=About.SCORING,
    )  # fmt: skip
    return opened.notice_id


async def said_all(patrol) -> tuple[int, int]:
    """A case that was objected to and ruled on, and made good after that; and an objection to a table."""
    person = await patrol.neighbours.person()
    for _ in range(2):
        await patrol.found(person)
    case = await patrol.found(person)
    await patrol.object_to(case.id, person)
    await patrol.rule(case.id, Verdict.DISMISSED)
    await patrol.remedy(case.id)
    await patrol.agree_remedy(case.id)
    asked = {"case_id": await patrol.make(person), "reason": "测试：不是这一户"}
    await db.write(actions_cases.refuse, actor=patrol.admin, **asked)
    return case.id, await objected(patrol.neighbours)


async def read(case_id, notice_id):
    objection = await queries_cases.objection(case_id)
    (told,) = await notice_queries.objections(notice_id)
    case = await queries_cases.case_in(None, case_id)
    return case.what, case.evidence, objection.said, objection.answer, case.remedy, told.words


def in_file(patrol, folders) -> list[str]:
    """Which of the words stand in the database's pages, also where nothing counts any more."""
    copy = folders.mktemp("copy") / FILE_NAME
    with closing(sqlite3.connect(patrol.world.settings.data / FILE_NAME)) as live, closing(sqlite3.connect(copy)) as to:
        live.backup(to)
    content = copy.read_bytes()
    assert a_deduction().name.encode() in content  # that one does, so the file is the right one
    return [said for said in WORDS if said.encode() in content]


async def test_the_file_tells_nobody_what_was_said(patrol, tmp_path_factory):
    said = await said_all(patrol)

    assert in_file(patrol, tmp_path_factory) == []
    assert await read(*said) == WORDS


@pytest.mark.both
async def test_what_was_written_in_plain_is_sealed_once_and_reads_the_same_before_and_after(
    patrol, engine, tmp_path_factory
):
    case_id, notice_id = await said_all(patrol)
    await db.write(plain, case_id=case_id, notice_id=notice_id, engine=engine)
    assert await read(case_id, notice_id) == WORDS

    assert engine == "postgres" or len(in_file(patrol, tmp_path_factory)) == len(WORDS)

    done = [await db.write(job) for job in (objection_words.seal_due, actions_words.seal_due) * 2]

    assert done == [1, 6, 0, 0]  # three findings and one that was refused; what one of them met with
    assert await read(case_id, notice_id) == WORDS
    stored = await db.row("SELECT said, answer FROM awards_case_objection WHERE case_id = ?", case_id)
    assert all(one.startswith(words.MARK) for one in stored)
    assert engine == "postgres" or in_file(patrol, tmp_path_factory) == []


TRIGGERS = {
    "awards_case_ended": "awards_case",
    "awards_case_final": "awards_case",
    "awards_case_objection_final": "awards_case_objection",
}


async def plain(tx, *, case_id, notice_id, engine):
    """As an earlier release wrote them; what forbids it is put back."""
    kept = {}
    for name, table in TRIGGERS.items():
        if engine == "sqlite":
            ((kept[name],),) = await tx.rows("SELECT sql FROM sqlite_schema WHERE name = ?", f"{name}_update")
            await tx.rows(f"DROP TRIGGER {name}_update")
        else:
            await tx.rows(f"ALTER TABLE {table} DISABLE TRIGGER {name}_update")
    await tx.run("UPDATE notices_objection SET words = ? WHERE notice_id = ?", OBJECTED, notice_id)
    await tx.run("UPDATE awards_case SET what = ?, evidence = ?", *FOUND.values())
    await tx.run("UPDATE awards_case SET remedy = ? WHERE id = ?", REMEDIED, case_id)
    await tx.run("UPDATE awards_case_objection SET said = ?, answer = ? WHERE case_id = ?", SAID, ANSWERED, case_id)
    for name, table in TRIGGERS.items():
        await tx.rows(kept[name] if engine == "sqlite" else f"ALTER TABLE {table} ENABLE TRIGGER {name}_update")


async def test_words_that_are_moved_elsewhere_do_not_open(patrol):
    sealed = words.seal(SAID, place_of(1, "said"))

    assert words.opened(sealed, place_of(1, "said")) == SAID
    for place in (place_of(2, "said"), place_of(1, "answer")):
        with pytest.raises(Unreadable):
            words.opened(sealed, place)


# As an earlier release wrote them. Of various lengths, so that not every seal comes to lie where the words were.
PLAIN = "测试：说了很久"
ROWS = """
WITH RECURSIVE row(n, said) AS (
  SELECT 1, ?1 UNION ALL SELECT n + 1, substr(?1 || ?1 || ?1 || ?1 || ?1, 1, 7 * (1 + n * 5 % 17)) FROM row WHERE n < 60
)
"""
FILLED = (
    f"""
INSERT INTO awards_case (community_id, version_id, item_code, person_id, passbook_id, found_on, quantity, what,
                         evidence, made_by, made_at, state, remedy)
{ROWS} SELECT 1, 1, 'K01', n, 1, '2026-11-21', 1, said, said, 1, '2026-11-21 04:00:00.000000+00:00', 'made', said
         FROM row
""",
    f"""
INSERT INTO awards_case_objection (case_id, said, recorded_by, recorded_at)
{ROWS} SELECT n, said, 1, '2026-11-21 04:00:00.000000+00:00' FROM row
""",
    f"""
INSERT INTO notices_objection (community_id, notice_id, line_id, grounds, state, recorded_by, recorded_at, words)
{ROWS} SELECT 1, 1, n, 'other', 'open', 1, '2026-11-21 04:00:00.000000+00:00', said FROM row
""",
)
JOBS = (actions_words.seal_due, actions_words.seal_due, objection_words.seal_due)


async def as_most_are_built(tx):
    """Some builds of SQLite overwrite what goes by themselves."""
    await tx.rows("PRAGMA secure_delete = OFF")


@pytest.mark.parametrize(("filled", "job"), [*zip(FILLED, JOBS, strict=True)], ids=["findings", "said", "objections"])
async def test_nothing_of_what_was_plain_is_left_in_the_file_or_its_log(settings, clock, keys, filled, job):
    crypto.hold(keys)
    path = settings.data / FILE_NAME
    with closing(sqlite3.connect(path)) as earlier, earlier:
        earlier.execute(filled, [PLAIN * 4])
    assert path.read_bytes().count(PLAIN.encode()) > 60

    async with databases.opened(settings, clock):
        await db.write(as_most_are_built)
        while await db.write(job):
            pass

    assert path.read_bytes().count(PLAIN.encode()) == 0
    assert not path.with_name(f"{FILE_NAME}-wal").exists()

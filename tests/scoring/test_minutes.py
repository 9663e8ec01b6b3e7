"""Minutes bear names and signatures: sealed where they lie; what an earlier release kept in plain is sealed once."""

import sqlite3
from contextlib import closing
from datetime import date

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from pointsbank.app import database as databases
from pointsbank.app.database import FILE_NAME
from pointsbank.kit import crypto, db, words
from pointsbank.kit.crypto import Unreadable
from pointsbank.scoring import actions_life, actions_minutes, queries_life
from pointsbank.scoring.rules_life import place_of
from tests.scoring.lives import meet
from tests.scoring.test_life import TODAY, Village

SIGNED = "测试甲、测试乙签到".encode()
RECORD = b"%PDF-1.4\n" + SIGNED * 400 + b"\n%%EOF\n"
PHOTO = b"\xff\xd8\xff\xe0" + SIGNED * 300


@pytest.fixture
async def village(database, clock):
    return await Village(clock).found()


async def met(village):
    """Two meetings, of which one counts no longer."""
    version = await village.drafted()
    await db.write(actions_life.submit, **version)
    first = await meet(version, TODAY, record=PHOTO, record_kind="jpeg")
    return version["version_id"], first, await meet(version, TODAY, record=RECORD)


async def read(version_id, *meeting_ids):
    return [(await queries_life.record_of(version_id, one))[0] for one in meeting_ids]


def in_file(settings, folders) -> int:
    """How often the names stand in the database's pages, also where nothing counts any more."""
    copy = folders.mktemp("copy") / FILE_NAME
    with closing(sqlite3.connect(settings.data / FILE_NAME)) as live, closing(sqlite3.connect(copy)) as to:
        live.backup(to)
    content = copy.read_bytes()
    assert "测试活动室".encode() in content  # where they met does, so the file is the right one
    return content.count(SIGNED)


async def test_the_file_tells_nobody_who_signed(village, settings, tmp_path_factory):
    made = await met(village)

    assert in_file(settings, tmp_path_factory) == 0
    assert await read(*made) == [PHOTO, RECORD]


PLAINLY = "UPDATE scoring_meeting SET record = ? WHERE id = ?"


async def as_an_earlier_release(tx, *, engine, ids):
    """What forbids it is put back."""
    name = "scoring_meeting_rewritten_update"
    if engine == "sqlite":
        ((kept,),) = await tx.rows("SELECT sql FROM sqlite_schema WHERE name = ?", name)
        await tx.rows(f"DROP TRIGGER {name}")
    else:
        await tx.rows(f"ALTER TABLE scoring_meeting DISABLE TRIGGER {name}")
    for meeting_id, record in zip(ids, (PHOTO, RECORD), strict=True):
        await tx.run(PLAINLY, record, meeting_id)
    await tx.rows(kept if engine == "sqlite" else f"ALTER TABLE scoring_meeting ENABLE TRIGGER {name}")


@pytest.mark.both
async def test_what_was_kept_in_plain_is_sealed_once_and_reads_the_same_before_and_after(
    village, engine, settings, tmp_path_factory
):
    version_id, *ids = await met(village)
    await db.write(as_an_earlier_release, engine=engine, ids=ids)
    assert await read(version_id, *ids) == [PHOTO, RECORD]
    assert engine == "postgres" or in_file(settings, tmp_path_factory) > 600

    done = [await db.write(actions_minutes.seal_due) for _ in range(2)]

    assert done == [2, 0]  # also of the one that counts no longer
    assert await read(version_id, *ids) == [PHOTO, RECORD]
    stored = await db.rows("SELECT record FROM scoring_meeting")
    assert all(bytes(one["record"]).startswith(words.MARK.encode()) for one in stored)
    assert engine == "postgres" or in_file(settings, tmp_path_factory) == 0


@pytest.mark.both
@pytest.mark.tampers
@pytest.mark.parametrize("counts", ["IS NULL", "IS NOT NULL"])
async def test_what_is_sealed_is_not_changed_again(village, counts):
    await met(village)

    async def tamper(tx):
        await tx.run(f"UPDATE scoring_meeting SET record = ? WHERE voided_at {counts}", b"sealed/1:other")

    with pytest.raises((IntegrityError, OperationalError), match="scoring_meeting"):
        await db.write(tamper)


@pytest.mark.both
@pytest.mark.tampers
async def test_what_lies_in_plain_becomes_nothing_but_sealed(village, engine):
    _, *ids = await met(village)
    await db.write(as_an_earlier_release, engine=engine, ids=ids)

    async def tamper(tx, *, change, record):
        await tx.run(f"UPDATE scoring_meeting SET record = ?{change} WHERE voided_at IS NOT NULL", record)

    sealed = b"sealed/1:other"
    for change, record in (("", b"other"), (", held_on = '2026-11-20'", sealed), (", voided_at = NULL", sealed)):
        with pytest.raises((IntegrityError, OperationalError), match="scoring_meeting"):
            await db.write(tamper, change=change, record=record)


async def test_minutes_that_are_moved_to_another_meeting_do_not_open(village):
    sealed = words.seal_paper(RECORD, place_of(1))

    assert words.opened_paper(sealed, place_of(1)) == RECORD
    with pytest.raises(Unreadable):
        words.opened_paper(sealed, place_of(2))


FILLED = """
WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 12)
INSERT INTO scoring_meeting (version_id, held_on, place, present, votes_for, votes_against, abstained, record,
                             record_kind, recorded_at, voided_at)
SELECT 1, ?2, '测试活动室', 1, 1, 0, 0, ?1, 'pdf', '2026-11-21 04:00:00.000000+00:00',
       '2026-11-21 05:00:00.000000+00:00'
  FROM row
"""


async def as_most_are_built(tx):
    """Some builds of SQLite overwrite what goes by themselves."""
    await tx.rows("PRAGMA secure_delete = OFF")


async def test_nothing_of_what_was_plain_is_left_in_the_file_or_its_log(settings, clock, keys):
    crypto.hold(keys)
    path = settings.data / FILE_NAME
    with closing(sqlite3.connect(path)) as earlier, earlier:
        earlier.execute(FILLED, [RECORD, date(2026, 11, 21).isoformat()])
    assert path.read_bytes().count(SIGNED) > 4000

    async with databases.opened(settings, clock):
        await db.write(as_most_are_built)
        while await db.write(actions_minutes.seal_due):
            pass

    assert path.read_bytes().count(SIGNED) == 0
    assert not path.with_name(f"{FILE_NAME}-wal").exists()

"""Backups: made beside a server, proven, without the key; restored into new places only, and compared."""

import asyncio
import contextlib
import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pointsbank.app import backup, backup_daily
from pointsbank.app import database as databases
from pointsbank.app.backup_daily import kept
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from tests.app.shell import Server, Shell, said, shell_in


@pytest.fixture
def copy(shell: Shell, tmp_path: Path) -> Path:
    """A backup of a founded installation."""
    file = tmp_path / "copy.db"
    result = shell("backup", str(file))
    assert result.exit_code == 0, result.output
    return file


def execute(file: Path, *statements: str) -> list[tuple]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return [row for statement in statements for row in connection.execute(statement).fetchall()]


def due_at(file: Path) -> list[tuple]:
    return execute(file, "SELECT due_at FROM job WHERE name = 'backup'")


def test_a_backup_is_made_beside_a_server_and_restored_whole(server: Server, served_folder: Path, tmp_path: Path):
    shell = shell_in(served_folder)
    login = ("--login", "beside", "--role", "event_organiser", "--name", "测试乙", "--generate-password")
    assert shell("user", "add", *login).exit_code == 0  # lies in the WAL: a copy of the main file would lack it

    made = shell("backup", str(tmp_path / "copy.db"))
    restored = shell("restore", str(tmp_path / "copy.db"), "--to", str(tmp_path / "new" / "pointsbank.db"))

    assert (made.exit_code, restored.exit_code) == (0, 0), made.output + restored.output
    assert due_at(served_folder / databases.FILE_NAME), "the server was told"
    again = tmp_path / "new" / "pointsbank.db"
    assert execute(again, "SELECT COUNT(*) FROM people_login WHERE login = 'beside'") == [(1,)]
    assert shell("ledger", "verify", "--database", str(again)).exit_code == 0
    assert server.status("/livez") == 200


def test_what_was_restored_opens_with_its_key_and_with_no_other(copy: Path, folder: Path, tmp_path: Path):
    assert shell_in(folder)("restore", str(copy), "--to", str(tmp_path / "new" / "pointsbank.db")).exit_code == 0
    new = shell_in(tmp_path / "new")
    assert new("key", "check").exit_code == 1
    assert new("key", "check", KEY_FILE=str(folder / "root.key")).exit_code == 0


def test_no_key_is_in_a_backup_and_nobody_else_may_read_it(copy: Path, folder: Path):
    text = (folder / "root.key").read_text().strip()
    for file in (copy, backup.manifest_of(copy)):
        content = file.read_bytes()
        assert text.encode() not in content
        assert bytes.fromhex(text) not in content
        assert file.stat().st_mode & 0o077 == 0


def test_a_manifest_says_what_is_in_the_copy(copy: Path, folder: Path):
    manifest = json.loads(backup.manifest_of(copy).read_text("utf-8"))

    assert manifest["bytes"] == copy.stat().st_size
    assert manifest["schema"] == databases.known_migrations()[-1]
    assert manifest["rows"]["people_login"] == 1
    assert manifest["books"].keys() >= {"accounts", "entries", "points_issued"}
    assert [path.name for path in copy.parent.glob(".*draft*")] == []


def test_nothing_is_ever_laid_over_a_file(shell: Shell, copy: Path, folder: Path, tmp_path: Path):
    live = folder / databases.FILE_NAME
    before = live.read_bytes()
    left = tmp_path / "left.db-wal"
    left.write_bytes(b"of a database that once lay here")

    assert "已经有这个文件" in said(shell("backup", str(copy)))
    for target in (live, folder, copy, tmp_path / "left.db"):
        assert "已经有这个文件" in said(shell("restore", str(copy), "--to", str(target)))

    assert live.read_bytes() == before
    assert not (tmp_path / "left.db").exists()


def a_cell(file: Path) -> str:
    execute(file, "UPDATE people_community SET unit_name = '测试单位'")
    return "SHA-256"


def a_row(file: Path) -> str:
    execute(file, "INSERT INTO job (name, due_at) VALUES ('other', '2026-11-21')")
    return "表 job 的行数"


def an_index(file: Path) -> str:
    with file.open("r+b") as content:
        size = file.stat().st_size
        for page in range(4096 * 2, size, 4096):  # the first two hold what is needed to open it at all
            content.seek(page + 100)
            content.write(b"\xff" * 200)
    return "不能用"


def its_end(file: Path) -> str:
    with file.open("r+b") as content:
        content.truncate(file.stat().st_size - 4096)
    return "不能用"


def the_manifest(file: Path) -> str:
    manifest = msgspec.structs.replace(backup.read_manifest(file), books={"entries": 7})
    backup.manifest_of(file).write_bytes(msgspec.json.encode(manifest))
    return "账上的 entries：清单 7，文件 0"


def its_heads(file: Path) -> str:
    manifest = backup.read_manifest(file)
    assert manifest.books is not None
    books = manifest.books | {"heads": "1-1-0123456789abcdef"}
    backup.manifest_of(file).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, books=books)))
    return "账上的 heads：清单 1-1-0123456789abcdef"


def no_manifest(file: Path) -> str:
    backup.manifest_of(file).unlink()
    return "没有清单"


@pytest.mark.parametrize("harm", [a_cell, a_row, an_index, its_end, the_manifest, its_heads, no_manifest])
def test_a_backup_that_is_not_what_its_manifest_says_is_not_restored(shell: Shell, copy: Path, tmp_path: Path, harm):
    hint = harm(copy)

    assert hint in said(shell("restore", str(copy), "--to", str(tmp_path / "new.db")))

    assert not (tmp_path / "new.db").exists()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_backup_of_an_older_program_is_compared_and_restored(shell: Shell, copy: Path, tmp_path: Path):
    execute(copy, "DELETE FROM tortoise_migrations WHERE id = (SELECT MAX(id) FROM tortoise_migrations)")
    manifest = backup.read_manifest(copy)
    found = msgspec.structs.asdict(asyncio.run(backup.look(copy))) | {"books": manifest.books}
    backup.manifest_of(copy).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, **found)))

    restored = shell("restore", str(copy), "--to", str(tmp_path / "new.db"))

    assert restored.exit_code == 0, restored.output
    assert "pointsbank migrate" in restored.stdout


def test_a_database_that_waits_for_its_upgrade_can_be_backed_up(shell: Shell, folder: Path, tmp_path: Path):
    live, copy = folder / databases.FILE_NAME, tmp_path / "copy.db"
    execute(live, "DELETE FROM tortoise_migrations WHERE id = (SELECT MAX(id) FROM tortoise_migrations)")

    made = shell("backup", str(copy))

    assert made.exit_code == 0, made.output
    assert backup.read_manifest(copy).books is None
    assert due_at(live) == []


CHANGED_AT = """
INSERT INTO ledger_change (community_id, what, name, actor_id, changed_at, content)
SELECT community_id, what, name, actor_id, 'DAYT00:00:00+00:00', content FROM ledger_change ORDER BY id LIMIT 1
"""


def unclean(file: Path) -> bool:
    return bool(execute(file, "SELECT due_at FROM job WHERE name = 'backup_unclean'"))


def test_wrong_books_are_kept_and_told_and_restored_by_whoever_says_so(shell: Shell, folder: Path, tmp_path: Path):
    live, copy, new = folder / databases.FILE_NAME, tmp_path / "copy.db", tmp_path / "new.db"
    (trigger,) = execute(live, "SELECT sql FROM sqlite_schema WHERE name = 'ledger_move_append_only_update'")
    execute(live, "DROP TRIGGER ledger_move_append_only_update")

    made = shell("backup", str(copy))

    assert made.exit_code == 0, made.output
    assert "有 1 处不对" in made.stderr
    (finding,) = backup.read_manifest(copy).findings
    assert "ledger_move_append_only_update" in finding
    assert due_at(live)
    assert unclean(live)

    refused = said(shell("restore", str(copy), "--to", str(new)))
    assert finding in refused
    assert "--with-findings" in refused
    assert not new.exists()
    assert shell("restore", str(copy), "--to", str(new), "--with-findings").exit_code == 0

    execute(live, *trigger)
    assert shell("backup", str(tmp_path / "mended.db")).exit_code == 0
    assert not unclean(live)


def test_what_waits_for_its_seal_is_in_the_copy_and_nothing_is_wrong(shell: Shell, folder: Path, tmp_path: Path):
    live, copy = folder / databases.FILE_NAME, tmp_path / "copy.db"
    execute(live, *(CHANGED_AT.replace("DAY", day) for day in ("2030-01-01", "2030-01-02")))

    made = shell("backup", str(copy))

    assert made.exit_code == 0, made.output
    assert shell("ledger", "verify", "--database", str(copy)).exit_code == 1, "the books themselves do wait"
    assert backup.read_manifest(copy).findings == ()


def test_a_disk_that_would_be_full_is_left_alone(shell: Shell, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(backup, "SPARE_BYTES", 1 << 60)

    assert "磁盘空间不够" in said(shell("backup", str(tmp_path / "copy.db")))


def test_postgres_is_backed_up_with_its_own_tools(shell: Shell, tmp_path: Path):
    for arguments in (("backup",), ("backup", str(tmp_path / "copy.db"))):
        assert "pg_dump" in said(shell(*arguments, DATABASE_URL="postgresql://nobody@127.0.0.1/nothing"))


def test_the_latest_days_and_the_first_of_each_month_are_kept():
    day = date(2026, 11, 22)
    every_day = [day - timedelta(days=ago) for ago in range(800)]

    stay = kept(every_day)

    assert {day - timedelta(days=ago) for ago in range(14)} <= stay
    assert {(one.year, one.month) for one in stay} == {(2026, month) for month in range(1, 12)} | {(2025, 12)}
    assert len(stay) == 14 + 12
    assert kept([]) == set()
    assert kept(every_day[:3]) == set(every_day[:3])


def test_the_first_backup_of_a_month_stays_the_one_that_is_kept():
    stay: set[date] = set()
    for number in range(400):
        stay = kept({*stay, date(2026, 1, 1) + timedelta(days=number)})

    assert len(stay) == 14 + 12 - 1  # the first of this month is one of the latest days
    assert {one.day for one in sorted(stay)[:11]} == {1}


def test_the_daily_backup_is_made_once_a_day_and_old_ones_go(shell: Shell, folder: Path):
    backups = folder / "backups"
    backups.mkdir()
    strange = ["2026-02-30.db", "2020-01-01.db.txt", "holiday.db"]
    old = [date(2020, 1, 1) + timedelta(days=number) for number in range(20)]
    for name in [*strange, *(f"{day}.db" for day in old), *(f"{day}.db.json" for day in old)]:
        (backups / name).write_text("")

    first, second = shell("backup"), shell("backup")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "已经有了" in second.stdout
    day = local_day(Clock().now())
    stay = {old[0], *old[-13:], day}
    expected = {f"{one}.db{ending}" for one in stay for ending in ("", ".json")} | set(strange)
    assert {path.name for path in backups.iterdir()} == expected
    ((due,),) = due_at(folder / databases.FILE_NAME)
    assert datetime.fromisoformat(due) - datetime.now(UTC) > timedelta(hours=23)


def test_the_last_backup_whose_books_were_right_stays(shell: Shell, folder: Path):
    """Two weeks of books with findings would leave nothing to go back to."""
    assert shell("backup").exit_code == 0
    (clean,) = (folder / "backups").glob("*.db")
    manifest = backup.read_manifest(clean)
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(40)]
    for day in days:
        file = clean.with_name(f"{day}.db")
        file.write_bytes(b"")
        findings = () if day == days[3] else ("第 2 处不对",)
        backup.manifest_of(file).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, findings=findings)))
    clean.rename(clean.with_name("2019-12-31.db"))
    backup.manifest_of(clean).rename(backup.manifest_of(clean.with_name("2019-12-31.db")))

    backup_daily._thin_out(clean.with_name(f"{days[-1]}.db"))

    stay = {path.name for path in clean.parent.glob("*.db")}
    assert stay == {f"{day}.db" for day in (date(2019, 12, 31), days[0], days[3], days[31], *days[-14:])}


def test_what_another_one_is_writing_meanwhile_is_left_alone(tmp_path: Path):
    now, long_ago = tmp_path / ".2026-11-22.db.1.draft", tmp_path / ".2026-11-01.db.2.draft-wal"
    for path in (now, long_ago):
        path.write_bytes(b"")
    os.utime(long_ago, (1, 1))

    backup_daily._thin_out(tmp_path / "2026-11-22.db")

    assert [path.name for path in tmp_path.iterdir()] == [now.name]


def test_what_was_just_made_stays_where_a_wrong_clock_has_left_later_days(shell: Shell, folder: Path):
    backups, later = folder / "backups", [date(2099, 3, 1) + timedelta(days=number) for number in range(400)]
    backups.mkdir()
    for day in later:
        (backups / f"{day}.db").write_bytes(b"")

    assert shell("backup").exit_code == 0

    made = backups / f"{local_day(Clock().now())}.db"
    assert made.exists()
    assert backup.manifest_of(made).exists()


@pytest.mark.parametrize("name", ["pointsbank.db", "copy.db", "copy.db.json"])
def test_what_got_the_name_while_a_copy_was_proven_stays(shell: Shell, copy: Path, tmp_path: Path, monkeypatch, name):
    """A server was started where somebody restores; two backups were made under one name."""
    folder, look = tmp_path / "new", backup.look
    folder.mkdir()

    async def slowly(file: Path):
        found = await look(file)
        (folder / name).write_text("alive")
        return found

    monkeypatch.setattr(backup, "look", slowly)
    if name == "pointsbank.db":
        asked = shell("restore", str(copy), "--to", str(folder))
    else:
        asked = shell("backup", str(folder / "copy.db"))

    assert "已经有这个文件" in said(asked)
    assert (folder / name).read_text() == "alive"
    assert [path.name for path in folder.iterdir()] == [name]


async def test_a_server_has_the_daily_backup_made_by_another_process(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(backup_daily, "FIRST_LOOK_SECONDS", 0)
    settings = Settings(data=folder, backups=tmp_path / "elsewhere")

    making = asyncio.create_task(backup_daily.keep_making(settings))
    async with asyncio.timeout(60):
        while not due_at(folder / databases.FILE_NAME):  # noqa: ASYNC110  another process rings no bell
            await asyncio.sleep(0.1)
    making.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await making

    assert len(list((tmp_path / "elsewhere").iterdir())) == 2


async def test_a_disk_for_backups_that_fails_does_not_end_the_server(folder: Path, tmp_path: Path, monkeypatch, caplog):
    """What ends a recurring task ends the server."""
    monkeypatch.setattr(backup_daily, "FIRST_LOOK_SECONDS", 0)
    monkeypatch.setattr(backup_daily, "LOOK_SECONDS", 0.01)
    settings = Settings(data=folder, backups=tmp_path / ("x" * 300))  # no disk takes so long a name

    making = asyncio.create_task(backup_daily.keep_making(settings))
    await asyncio.wait({making}, timeout=0.5)

    assert not making.done()
    making.cancel()
    assert {record.message.partition(": ")[0] for record in caplog.records} == {"no backup was made"}
    assert len(caplog.records) > 1


async def test_a_backup_that_fails_is_logged_in_one_line(folder: Path, monkeypatch, caplog):
    monkeypatch.setattr(backup_daily, "PROGRAM", "import sys; sys.exit('the disk is full')")

    await backup_daily._have_made(Settings(data=folder))

    assert [record.message for record in caplog.records] == ["no backup was made: the disk is full"]

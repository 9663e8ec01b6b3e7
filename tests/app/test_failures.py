"""Whatever is wrong with a database, a key or a setting is one clear line and an exit code other than 0."""

import asyncio
import os
import secrets
import socket
import sqlite3
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.app import lock
from pointsbank.app.cli import main
from tests.app.shell import Shell, free_port, init_arguments, said, shell_in

NEED_A_DATABASE = [
    ("serve",),
    ("tick",),
    ("migrate", "--yes"),
    ("key", "check"),
    ("ledger", "verify"),
    ("token", "list"),
    ("token", "revoke", "1"),
]
NAMES = [" ".join(arguments) for arguments in NEED_A_DATABASE]


def test_the_help_names_every_command(shell: Shell):
    result = shell("--help")
    assert result.exit_code == 0
    assert "积分银行" in result.stdout
    for name in main.commands:
        assert name in result.stdout


@pytest.mark.parametrize("arguments", NEED_A_DATABASE[1:], ids=NAMES[1:])  # `serve` asks in the browser
def test_a_missing_database_is_told_and_none_is_made(tmp_path: Path, arguments: tuple[str, ...]):
    assert "没有数据库" in said(shell_in(tmp_path)(*arguments, PORT=str(free_port())))
    assert databases.FILE_NAME not in [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("arguments", NEED_A_DATABASE, ids=NAMES)
def test_a_file_that_is_no_database_is_told(tmp_path: Path, arguments: tuple[str, ...]):
    (tmp_path / databases.FILE_NAME).write_bytes(secrets.token_bytes(8192))
    assert "数据库打不开" in said(shell_in(tmp_path)(*arguments, PORT=str(free_port())))


def test_a_folder_in_the_place_of_the_database_is_told(tmp_path: Path):
    (tmp_path / databases.FILE_NAME).mkdir()
    assert "数据库打不开" in said(shell_in(tmp_path)("ledger", "verify"))


def test_a_database_of_another_program_is_told(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / databases.FILE_NAME)
    connection.execute("CREATE TABLE other (id INTEGER)")
    connection.close()
    assert "不是积分银行的数据库" in said(shell_in(tmp_path)("ledger", "verify"))


def test_a_migrated_database_that_nobody_founded_is_told(template: Path):
    assert "pointsbank init" in said(shell_in(template.parent)("key", "check"))


def _execute(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("arguments", [("serve",), ("tick",), ("ledger", "verify")])
def test_an_old_schema_is_told(shell: Shell, folder: Path, arguments: tuple[str, ...]):
    _execute(folder, "DELETE FROM tortoise_migrations WHERE id = (SELECT MAX(id) FROM tortoise_migrations)")
    assert "pointsbank migrate" in said(shell(*arguments, PORT=str(free_port())))


def test_a_schema_of_a_later_program_is_told(shell: Shell, folder: Path):
    _execute(folder, "UPDATE tortoise_migrations SET name = '9999_later' WHERE name LIKE '0001%'")
    assert "旧版本" in said(shell("ledger", "verify"))
    _execute(
        folder,
        "INSERT INTO tortoise_migrations (app, name, applied_at) SELECT app, '0001_kit_trail', applied_at "
        "FROM tortoise_migrations LIMIT 1",
    )
    assert "更新版本" in said(shell("ledger", "verify"))


@pytest.mark.parametrize("arguments", [("serve",), ("tick",), ("key", "check")])
def test_a_wrong_key_is_told(shell: Shell, folder: Path, arguments: tuple[str, ...]):
    (folder / "root.key").write_text(secrets.token_bytes(32).hex())
    assert "密钥文件与这个数据库不配套" in said(shell(*arguments, PORT=str(free_port())))


@pytest.mark.parametrize("content", ["no key at all", "abcd", "門"])
def test_a_broken_key_file_is_told_and_not_shown(shell: Shell, folder: Path, content: str):
    (folder / "root.key").write_text(content)
    line = said(shell("key", "check"))
    assert "密钥" in line
    assert content not in line


def test_a_missing_key_file_is_told_and_none_is_made(shell: Shell, folder: Path):
    (folder / "root.key").unlink()
    assert "root.key" in said(shell("key", "check"))
    assert not (folder / "root.key").exists()


def test_the_right_key_is_said_to_fit(shell: Shell):
    result = shell("key", "check")
    assert result.exit_code == 0
    assert "配套" in result.stdout


def test_a_mistyped_setting_is_told(shell: Shell):
    assert "POINTSBANK_PROT" in said(shell("serve", PROT="1"))


def test_a_bad_setting_is_told(shell: Shell):
    assert "POINTSBANK_PORT" in said(shell("serve", PORT="99999"))


def test_a_port_in_use_is_told(shell: Shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in said(shell("serve", PORT=port))


def test_plain_http_beyond_this_machine_is_refused(shell: Shell):
    assert "POINTSBANK_ALLOW_HTTP" in said(shell("serve", HOST="0.0.0.0", PORT=str(free_port())))


def test_a_database_that_another_program_writes_to_is_told(shell: Shell, folder: Path):
    with lock.held(folder):
        for arguments in (("serve",), ("tick",), ("token", "revoke", "1")):
            assert "另一个程序" in said(shell(*arguments, PORT=str(free_port())))
        assert shell("ledger", "verify").exit_code == 0


def test_a_database_that_may_not_be_written_is_told(shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch):
    access = os.access  # chmod is nothing to root
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder / databases.FILE_NAME and access(path, mode))
    for arguments in (("serve",), ("tick",)):
        assert "不能写入" in said(shell(*arguments, PORT=str(free_port())))
    assert shell("ledger", "verify").exit_code == 0


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = shell_in(tmp_path / "file" / "data")(*init_arguments())
    assert "请检查路径和权限" in said(result)


def test_an_unreachable_postgres_is_told_without_its_password(tmp_path: Path):
    url = f"postgresql://somebody:hidden-word@127.0.0.1:{free_port()}/nothing"
    line = said(shell_in(tmp_path)("ledger", "verify", DATABASE_URL=url))
    assert "数据库打不开" in line
    assert "hidden-word" not in line


def test_migrating_what_is_current_changes_nothing(shell: Shell):
    assert "已是最新" in shell("migrate").stdout


def test_migrating_asks_for_a_backup_first(tmp_path: Path):
    from tortoise import Tortoise
    from tortoise.migrations.api import migrate

    from pointsbank.kit.settings import Settings

    async def older() -> None:
        await migrate(config=databases._migration_config(Settings(data=tmp_path)), target="models.0006_events")
        await Tortoise.close_connections()

    asyncio.run(older())
    shell = shell_in(tmp_path)
    declined = shell("migrate", answers="n\n")
    assert declined.exit_code == 1
    assert "备份" in declined.stdout
    assert "升级好了" in shell("migrate", "--yes").stdout
    assert "已是最新" in shell("migrate").stdout

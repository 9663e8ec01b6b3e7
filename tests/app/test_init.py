"""Founding: asked or told by flags, whole or not at all, and never over something that is there."""

import sqlite3
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.app import init as founding
from pointsbank.kit import crypto
from pointsbank.kit.crypto import Keys
from tests.app.shell import Shell, init_arguments, said, shell_in

PASSWORD = "十二只喜鹊过河 12"


def _rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


def test_everything_that_no_flag_gave_is_asked(migrated: Path):
    answers = [
        "hailin-community-volunteer", "household", "5", "测试街道", "测试社区", "Admin", "", "100 0000 0001",
        "100 0000 0009", "", "", "测试甲", "12345678", "12345678", PASSWORD, PASSWORD,
    ]  # fmt: skip
    result = shell_in(migrated)("init", answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "太简单" in result.stderr
    assert PASSWORD not in result.output
    assert _rows(migrated, "SELECT holder, unit_name FROM people_community") == [("household", "测试社区")]
    assert _rows(migrated, "SELECT name FROM redemption_outlet") == [("测试爱心超市",)]
    ((login, hashed, must_change),) = _rows(migrated, "SELECT login, password_hash, must_change FROM people_login")
    assert (login, must_change) == ("admin", 0)
    assert crypto.password_matches(hashed, PASSWORD)
    ((rules,),) = _rows(migrated, "SELECT rules FROM scoring_version WHERE state = 'in_force'")
    assert '"notice_days":5' in rules
    assert '"passbook":"household"' in rules


def test_the_key_sheet_brings_the_key_back(migrated: Path, tmp_path: Path):
    result = shell_in(migrated)(*init_arguments())
    lines = result.stdout.splitlines()
    start = lines.index("根密钥：")
    typed = tmp_path / "typed.key"
    typed.write_text("\n".join(lines[start + 1 : start + 3]))
    assert Keys.load(typed).fingerprint == Keys.load(migrated / "root.key").fingerprint
    assert Keys.load(typed).fingerprint in result.stdout
    assert shell_in(migrated)("key", "check", KEY_FILE=str(typed)).exit_code == 0


def test_a_generated_password_is_shown_once_and_has_to_be_changed(migrated: Path):
    result = shell_in(migrated)(*init_arguments())
    (line,) = [line for line in result.stdout.splitlines() if "一次性密码" in line]
    ((hashed, must_change),) = _rows(migrated, "SELECT password_hash, must_change FROM people_login")
    assert must_change == 1
    assert crypto.password_matches(hashed, line.rpartition("：")[2])


def test_the_first_admin_is_an_admin_of_the_community_and_nothing_else(folder: Path):
    assert _rows(folder, "SELECT role, place_id = (SELECT id FROM people_community) FROM people_role_grant") == [
        ("community_admin", 1)
    ]
    assert _rows(folder, "SELECT kind FROM installation") == [("real",)]


def test_an_existing_installation_is_left_alone(shell: Shell, folder: Path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "这里已经有积分银行了" in said(shell(*init_arguments(community="另一个社区")))
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: after.get(name) for name in before} == before


def test_who_gives_up_leaves_nothing_behind(tmp_path: Path):
    arguments = [part for part in init_arguments() if part != "--generate-password"]
    result = shell_in(tmp_path / "data")(*arguments, answers="")
    assert result.exit_code == 1
    assert not (tmp_path / "data").exists()


def test_an_unknown_template_is_told_with_those_there_are(tmp_path: Path):
    line = said(shell_in(tmp_path)(*init_arguments(template="nowhere")))
    assert "hailin-community-volunteer" in line


@pytest.mark.parametrize("name", founding.templates())
def test_every_template_can_be_adopted(name: str):
    assert founding.template(name).items


def test_templates_are_listed(tmp_path: Path):
    listed = shell_in(tmp_path)("init", "--templates").stdout
    assert all(name in listed for name in founding.templates())

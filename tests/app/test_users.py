"""Users, tokens and tables from the shell; the ledger's check."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto
from pointsbank.kit.paths import seed_dir
from pointsbank.scoring import scheme_file
from tests.app.shell import Shell, number_of, said

SCHEME = seed_dir() / "scoring" / "hailin-community-volunteer.toml"


def _rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    found = connection.execute(statement).fetchall()
    connection.close()
    return found


def _add(shell: Shell, login: str, role: str = "counter_staff", *more: str):
    return shell("user", "add", "--login", login, "--role", role, "--generate-password", *more)


def test_a_new_staff_person_gets_a_login_a_role_and_a_password_for_one_use(shell: Shell, folder: Path):
    result = _add(shell, "Ｃounter", "counter_staff", "--name", "测试乙")
    assert result.exit_code == 0, result.output
    password = result.stdout.strip().rpartition("：")[2]
    ((person_id, hashed, must_change),) = _rows(
        folder, "SELECT id, password_hash, must_change FROM people_login WHERE login = 'counter'"
    )
    assert crypto.password_matches(hashed, password)
    assert must_change == 1
    assert _rows(folder, f"SELECT role FROM people_role_grant WHERE person_id = {person_id}") == [("counter_staff",)]


def test_a_roster_person_is_named_by_number(shell: Shell, folder: Path):
    ((number,),) = _rows(folder, "SELECT member_number FROM people_person")
    auditor = ("auditor", "--place", "测试街道", "--number")
    # Its owner, the first admin, has a login already: the number has led to him.
    assert "已经有" in said(_add(shell, "second", *auditor, f"{number[:3]} {number[3:]}"))
    assert "存折号" in said(_add(shell, "second", *auditor, "100000000"))


def test_a_supervisor_is_one_of_the_street(shell: Shell, folder: Path):
    assert _add(shell, "watch", "supervisor", "--name", "测试丙", "--place", "测试街道").exit_code == 0
    assert _rows(
        folder,
        "SELECT place.kind FROM people_role_grant role JOIN people_place place ON place.id = role.place_id "
        "WHERE role.role = 'supervisor'",
    ) == [("street",)]


def test_a_role_that_does_not_fit_the_place_is_refused_with_the_places_that_do(shell: Shell):
    assert "测试社区" in said(_add(shell, "x", "counter_staff", "--name", "测试乙", "--place", "测试街道"))


def test_a_login_is_given_once_and_a_refusal_leaves_nobody_behind(shell: Shell, folder: Path):
    before = _rows(folder, "SELECT COUNT(*) FROM people_person")
    assert "登录名" in said(_add(shell, "admin", "counter_staff", "--name", "测试乙"))
    assert _rows(folder, "SELECT COUNT(*) FROM people_person") == before


def test_a_user_is_a_new_person_or_one_of_the_roster(shell: Shell):
    assert "--name" in said(_add(shell, "nobody"))


def test_a_token_is_shown_once_and_stored_as_a_digest(shell: Shell, folder: Path):
    result = shell("token", "issue", "--login", "ADMIN", "--name", "测试程序", "--days", "7")
    token = result.stdout.strip()
    assert "7 天有效" in result.stderr
    ((digest,),) = _rows(folder, "SELECT token_digest FROM people_session WHERE kind = 'token'")
    assert digest == crypto.token_digest(token)
    listed = shell("token", "list").stdout
    assert "测试程序" in listed
    assert "有效" in listed
    assert token not in listed


def test_a_token_is_revoked_once(shell: Shell):
    number = number_of(shell("token", "issue", "--login", "admin"))
    assert shell("token", "revoke", number).exit_code == 0
    assert "已作废" in shell("token", "list").stdout
    assert number in said(shell("token", "revoke", number))


def test_a_token_wants_a_login(shell: Shell):
    assert "没有这个登录名" in said(shell("token", "issue", "--login", "nobody"))


def test_a_good_table_is_said_to_be_good(shell: Shell):
    assert shell("scoring", "check", str(SCHEME)).exit_code == 0


def test_a_bad_table_is_told_line_by_line(shell: Shell, tmp_path: Path):
    bad = tmp_path / "bad.toml"
    bad.write_text(SCHEME.read_text("utf-8").replace("points = 1\n", "points = -1\n", 1), "utf-8")
    result = shell("scoring", "check", str(bad))
    assert result.exit_code == 1
    assert "行（A01）：" in result.stderr


def test_a_table_whose_source_is_silent_may_be_a_draft_and_what_is_open_is_told(shell: Shell, tmp_path: Path):
    silent = tmp_path / "silent.toml"
    silent.write_text(SCHEME.read_text("utf-8").replace("points = 1\n", "", 1), "utf-8")
    result = shell("scoring", "check", str(silent))
    assert result.exit_code == 0
    assert "不能公布" in result.stdout


def test_acts_are_scored_and_explained(shell: Shell, tmp_path: Path):
    facts = tmp_path / "facts.json"
    facts.write_text('[{"item": "A01", "day": "2025-03-12", "minutes": 130}]', "utf-8")
    result = shell("scoring", "evaluate", str(SCHEME), "--facts", str(facts))
    assert "2 小时 10 分" in result.stdout
    facts.write_text('{"item": "A01", "day": "2025-03-12", "hours": 2}', "utf-8")
    assert "不认识“hours”" in said(shell("scoring", "evaluate", str(SCHEME), "--facts", str(facts)))
    facts.write_text('{"item": "A01", "day": "2025-03-12", "minutes": 130, "marks": ["夜里"]}', "utf-8")
    assert "夜里" in said(shell("scoring", "evaluate", str(SCHEME), "--facts", str(facts)))


def test_an_act_that_cannot_be_scored_is_named_and_the_others_are_scored(shell: Shell, tmp_path: Path):
    facts = tmp_path / "facts.json"
    known = '{"item": "A01", "day": "2025-03-12", "minutes": 130}'
    facts.write_text(f'[{known}, {{"item": "Z99", "day": "2025-03-12"}}, {known}]', "utf-8")
    result = shell("scoring", "evaluate", str(SCHEME), "--facts", str(facts))
    assert result.exit_code == 1
    assert result.stdout.count("2 小时 10 分") == 2
    assert "第 2 件：" in result.stderr
    assert "Z99" in result.stderr


def test_the_schema_of_files_is_printed_as_it_is_published(shell: Shell):
    assert shell("scoring", "schema").stdout == (SCHEME.parent / "schema.json").read_text("utf-8")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_table_that_cannot_be_read_is_told(shell: Shell, tmp_path: Path, content: bytes | None):
    file = tmp_path / "table.toml"
    if content is not None:
        file.write_bytes(content)
    assert "table.toml" in said(shell("scoring", "check", str(file)))


def test_a_table_is_imported_as_a_draft(shell: Shell, folder: Path):
    assert shell("scoring", "import", str(SCHEME), "--community", "测试社区").exit_code == 0
    assert _rows(folder, "SELECT state FROM scoring_version ORDER BY id") == [("in_force",), ("draft",)]
    assert "测试社区" in said(shell("scoring", "import", str(SCHEME), "--community", "别的社区"))


def test_a_table_comes_out_as_a_file_of_the_version_in_force_or_of_the_one_named(shell: Shell, tmp_path: Path):
    changed = tmp_path / "changed.toml"
    changed.write_text(SCHEME.read_text("utf-8").replace("points = 1\n", "points = 3\n", 1), "utf-8")
    shell("scoring", "import", str(changed))

    in_force, draft = shell("scoring", "export").stdout, shell("scoring", "export", "--version", "2").stdout

    assert scheme_file.parse(in_force).items == scheme_file.parse(SCHEME.read_text("utf-8")).items
    assert scheme_file.parse(draft) == scheme_file.parse(changed.read_text("utf-8"))
    assert "第 9 版" in said(shell("scoring", "export", "--version", "9"))
    assert "测试社区" in said(shell("scoring", "export", "--community", "别的社区"))


def test_a_tick_does_what_is_due_and_then_nothing(shell: Shell):
    assert "settle_due" in shell("tick").stdout
    assert "没有到期" in shell("tick").stdout


def test_clean_books_are_said_to_be_clean(shell: Shell):
    result = shell("ledger", "verify", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["is_clean"] is True


def test_a_copy_is_checked_without_keys_or_settings(shell: Shell, small_demo: Path, tmp_path: Path):
    copy = tmp_path / "copy.db"
    shutil.copy(small_demo / databases.FILE_NAME, copy)
    report = json.loads(shell("ledger", "verify", "--json", "--database", str(copy)).stdout)
    assert report["entries"] > 100

    connection = sqlite3.connect(copy)
    with connection:
        connection.execute(
            "UPDATE ledger_account SET balance = balance + 1 WHERE id = (SELECT MAX(id) FROM ledger_account)"
        )
    connection.close()
    result = shell("ledger", "verify", "--json", "--database", str(copy))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"]
    assert "账不平" in result.stderr


def test_the_only_admin_is_helped_on_the_machine_itself(shell: Shell, folder: Path):
    _add(shell, "ling", "counter_staff", "--name", "测试乙")
    ((person_id, before),) = _rows(folder, "SELECT id, password_hash FROM people_login WHERE login = 'ling'")
    assert "没有开" in said(shell("user", "second-step-off", "ling"))
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    row = (person_id, b"sealed", "2026-11-21 04:00:00.000000", 1, 0, "2026-11-21 04:00:00.000000")
    connection.execute(
        "INSERT INTO people_second_step (id, secret, confirmed_at, last_step, failures, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    connection.commit()
    connection.close()
    assert shell("user", "second-step-off", "ＬING").exit_code == 0
    assert _rows(folder, "SELECT * FROM people_second_step") == []
    password = shell("user", "reset", "ling").stdout.strip().rpartition("：")[2]
    ((hashed, must_change),) = _rows(
        folder, f"SELECT password_hash, must_change FROM people_login WHERE id = {person_id}"
    )
    assert hashed != before
    assert crypto.password_matches(hashed, password)
    assert must_change == 1
    assert "没有这个登录名" in said(shell("user", "reset", "nobody"))


def test_books_are_exported_once_into_a_folder_and_checked_there(shell: Shell, small_demo: Path, tmp_path: Path):
    copy, out = small_demo / databases.FILE_NAME, tmp_path / "out"
    exported = shell("ledger", "export", str(out), "--database", str(copy))
    assert exported.exit_code == 0, exported.output
    assert "已经有东西" in said(shell("ledger", "export", str(out), "--database", str(copy)))

    heads = shell("ledger", "head", "--database", str(copy)).stdout.split()
    assert heads
    asked = [part for head in heads for part in ("--head", head)]
    checked = subprocess.run([sys.executable, "-I", str(out / "verify.py"), *asked], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert shell("ledger", "verify", "--database", str(copy), *asked).exit_code == 0


def test_a_head_that_was_deposited_must_be_in_the_chain(shell: Shell, small_demo: Path):
    copy = str(small_demo / databases.FILE_NAME)
    (head, *_others) = shell("ledger", "head", "--database", copy).stdout.split()
    community, position, digits = head.split("-")
    for wrong in (f"{community}-{int(position) + 1}-{digits}", f"{community}-{position}-{'0' * 32}", f"99-1-{digits}"):
        result = shell("ledger", "verify", "--database", copy, "--head", wrong)
        assert result.exit_code == 1
        assert "第 12 条" in result.stdout
    assert "链头写得不对" in said(shell("ledger", "verify", "--database", copy, "--head", "9f2c"))

"""The first run through a process: from an empty folder to a bank, over a restart; and what it leaves behind."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx

from pointsbank.app import database as databases
from pointsbank.app import first_run, lock
from tests.app.first_run import ANSWERS, PASSWORD, hidden
from tests.app.shell import Server, free_port, said, shell_in

SEALED = re.compile(r"\$argon2id\$.*")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00")
DIFFERENT = {"key_fingerprint", "member_number", "must_change"}  # of drawn keys and numbers; a password was generated
AS_FOR_INIT = {
    "place": {"street": "测试街道", "community": "测试社区", "buildings": "测试 1 号楼"},
    "passbook": {"holder": "person", "notice_days": "3"},
}


def _told(value: Any) -> Any:
    """A value without what differs between any two installations: keys, times, what is sealed with keys."""
    if isinstance(value, bytes):
        return "sealed"
    return MOMENT.sub("then", SEALED.sub("hash", value)) if isinstance(value, str) else value


def _tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    connection = sqlite3.connect(folder / databases.FILE_NAME)
    connection.row_factory = sqlite3.Row
    names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        name: [
            {key: _told(row[key]) for key in row.keys() if key not in DIFFERENT}  # noqa: SIM118  a row is no dict
            for row in connection.execute(f"SELECT * FROM {name}")
        ]
        for name in names
    }
    connection.close()
    return found


def _browser(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Origin": url}, follow_redirects=True, timeout=30)


def _enter(client: httpx.Client, folder: Path) -> str:
    """By the link of the terminal; answers where it leads."""
    code = json.loads((folder / first_run.FILE_NAME).read_text("utf-8"))["setup_code"]
    return client.get(f"/first-run/{code}").url.path


def test_an_empty_folder_becomes_what_init_makes_and_stays_a_bank(tmp_path: Path, founded: Path):
    folder, port = tmp_path / "data", free_port()
    with Server(folder, port, ()) as first, _browser(first.url) as client:
        assert _enter(client, folder) == "/steps/place"
        for step, answers in (ANSWERS | AS_FOR_INIT).items():
            client.post(f"/steps/{step}", data=answers)
        assert lock.address_of(folder) == first.url
        assert first.status("/readyz") == 503
        assert client.post("/check", data=hidden(client.get("/check").text)).url.path == "/keys"
        by_init, by_browser = _tables(founded), _tables(folder)
        assert by_init["people_login"]
        assert by_browser == by_init

        assert client.post("/keys", data={"kept": "1"}).url.path == "/sign-in"
        assert first.status("/readyz") == 200
        inside = client.post("/sign-in", data={"login": "admin", "password": PASSWORD})
        assert (inside.status_code, inside.url.path) == (200, "/todo")
        assert client.get("/check").status_code == 404

    assert "/first-run/" in first.errors

    with Server(folder, port) as bank:
        assert bank.status("/readyz") == 200
    assert "积分银行在" in bank.errors
    assert "/first-run/" not in bank.errors
    kept = {path.name for path in folder.iterdir()}
    assert kept == {"pointsbank.db", "root.key", lock.LOCK_NAME}


def test_a_file_of_another_program_is_not_founded_in(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / databases.FILE_NAME)
    connection.execute("CREATE TABLE other (id INTEGER)")
    connection.close()
    assert "不是积分银行的数据库" in said(shell_in(tmp_path)("serve", PORT=str(free_port())))

"""A server in a process of its own: who else may touch its database, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.app import lock
from tests.app.shell import Server, Shell, free_port, number_of, said, shell_in

API = "/api/ledger/people/1/passbooks"


@pytest.fixture
def shell(served_folder: Path) -> Shell:
    return shell_in(served_folder)


def test_commands_of_the_shell_go_through_the_server(server: Server, shell: Shell):
    issued = shell("token", "issue", "--login", "admin")
    token, number = issued.stdout.strip(), number_of(issued)
    # A token opens the API, and nothing but the API.
    assert server.status(API, token) == 403  # its password has to be changed first
    assert server.status(API) == 401
    assert server.status(API, token + "x") == 401
    assert server.status("/people", token) == 303  # to the sign-in

    assert "没有这个登录名" in said(shell("token", "issue", "--login", "nobody"))
    assert shell("ledger", "verify").exit_code == 0
    assert shell("tick").exit_code == 0

    assert shell("token", "revoke", number).exit_code == 0
    assert server.status(API, token) == 401


def test_a_second_server_is_refused_and_the_first_goes_on(server: Server, shell: Shell):
    assert "另一个程序" in said(shell("serve", PORT=str(free_port())))
    assert server.status("/livez") == 200


def test_strangers_get_nowhere_near_the_commands(server: Server):
    assert server.status("/api/local/commands") in {404, 405}


def test_a_server_that_is_told_to_stop_closes_its_database(folder: Path):
    with Server(folder, free_port()) as served:
        assert lock.address_of(folder) == served.url
    assert served.process.returncode == 0
    assert not (folder / f"{databases.FILE_NAME}-wal").exists()
    assert lock.address_of(folder) is None
    logged = [line for line in served.errors.splitlines() if not line.startswith("积分银行在")]
    assert logged
    assert all({"at", "level", "logger", "message"} <= set(json.loads(line)) for line in logged)


def test_facts_of_a_demo_can_be_had_while_it_is_served(small_demo: Path, tmp_path: Path):
    folder = tmp_path / "demo"
    shutil.copytree(small_demo, folder)
    with Server(folder, free_port()) as served:
        facts = json.loads(shell_in(tmp_path)("demo", "--folder", str(folder), "--facts").stdout)
        assert facts["base_url"] == served.url
        token = next(one["token"] for one in facts["tokens"] if one["role"] == "community_admin")
        assert served.status(f"/api/ledger/people/{facts['cards'][0]['person_id']}/passbooks", token) == 200
        assert served.status("/people", token) == 303
        assert "另一个程序" in said(shell_in(tmp_path)("demo", "--folder", str(folder)))

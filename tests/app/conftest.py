"""A real installation, a demo and a server for the tests of the shell."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsbank.app import demo
from pointsbank.kit.settings import Settings
from tests.app.shell import Server, Shell, free_port, init_arguments, shell_in


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """What a command logs to the standard error that it was given ends with the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.setLevel(level)
    logging.getLogger("tortoise").setLevel(logging.NOTSET)
    for handler in root.handlers:
        if handler not in handlers:
            root.removeHandler(handler)


@pytest.fixture
def migrated(template: Path, tmp_path: Path) -> Path:
    """A folder with a database that nobody has founded yet: migrating takes longer than most tests."""
    folder = tmp_path / "migrated"
    folder.mkdir()
    shutil.copy(template, folder)
    return folder


@pytest.fixture(scope="session")
def founded(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real installation; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("founded")
    shutil.copy(template, folder)
    result = shell_in(folder)(*init_arguments())
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def folder(founded: Path, tmp_path: Path) -> Path:
    """A copy of a real installation."""
    shutil.copytree(founded, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def shell(folder: Path) -> Shell:
    return shell_in(folder)


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of three weeks instead of a year."""
    folder = tmp_path_factory.mktemp("demo")
    asyncio.run(demo.prepare(Settings(data=folder), weeks=3))
    return folder


@pytest.fixture(scope="module")
def served_folder(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(founded, tmp_path_factory.mktemp("served") / "data"))


@pytest.fixture(scope="module")
def server(served_folder: Path) -> Iterator[Server]:
    """One server for a module: starting it takes longer than what is asked of it."""
    with Server(served_folder, free_port()) as started:
        yield started

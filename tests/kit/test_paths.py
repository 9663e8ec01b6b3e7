import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pointsbank.kit import paths

PACKAGE = Path(paths.__file__).parents[1]

ASK = """
import importlib
from pointsbank.kit import paths
module = importlib.import_module(paths.migrations_module())
print(module.__name__, next(iter(module.__path__)), paths.templates_dir(), sep="|")
"""


def ask(python_path: Path, folder: Path) -> list[str]:
    env = os.environ | {"PYTHONPATH": str(python_path)}
    answer = subprocess.run(
        [sys.executable, "-c", ASK], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip().split("|")


def test_the_checkout_has_every_folder():
    folders = [paths.templates_dir(), paths.static_dir(), paths.migrations_dir(), paths.seed_dir()]
    assert {folder.name for folder in folders} == {"templates", "static", "migrations", "seed_data"}
    assert importlib.import_module(paths.migrations_module()).__name__ == "migrations"


def lay_out(root: Path, data_folder: Path) -> None:
    shutil.copytree(PACKAGE / "kit", root / "pointsbank" / "kit", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "pointsbank" / "__init__.py").touch()
    for name in ("templates", "migrations"):
        (data_folder / name).mkdir(parents=True)
    (data_folder / "migrations" / "__init__.py").touch()


def test_a_checkout_is_found_from_any_folder_though_others_use_the_name(tmp_path):
    root, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    lay_out(root, root)
    (elsewhere / "migrations").mkdir(parents=True)
    (elsewhere / "migrations" / "__init__.py").touch()
    # The package is reachable by a link only, so the checkout itself is not on the path.
    (elsewhere / "pointsbank").symlink_to(root / "pointsbank")
    assert ask(elsewhere, tmp_path) == ["migrations", str(root / "migrations"), str(root / "templates")]


def test_an_installed_package_carries_its_folders_inside(tmp_path):
    package = tmp_path / "pointsbank"
    lay_out(tmp_path, package)
    for stray in ("templates", "migrations"):  # left beside the package by another distribution
        (tmp_path / stray).mkdir()
    assert ask(tmp_path, tmp_path) == [
        "pointsbank.migrations",
        str(package / "migrations"),
        str(package / "templates"),
    ]

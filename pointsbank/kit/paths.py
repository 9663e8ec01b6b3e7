"""Where the files lie that are not Python: inside the installed package, or at the top of a checkout."""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent


def templates_dir() -> Path:
    return _folder("templates")


def static_dir() -> Path:
    return _folder("static")


def migrations_dir() -> Path:
    return _folder("migrations")


def seed_dir() -> Path:
    return _folder("seed_data")


def migrations_module() -> str:
    """The name that Tortoise's migration loader imports; the loader looks along `sys.path` like any import."""
    if migrations_dir().parent == _PACKAGE:
        return f"{_PACKAGE.name}.migrations"
    # A console script started outside the checkout, or pytest's importlib mode, leaves the checkout off the path.
    # In front, because "migrations" is a name that other installed packages use too.
    if str(_CHECKOUT) not in sys.path:
        sys.path.insert(0, str(_CHECKOUT))
    return "migrations"


def _folder(name: str) -> Path:
    # The package first: beside an installed package lies site-packages, where anyone may have left a "static".
    for parent in (_PACKAGE, _CHECKOUT):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"安装不完整：找不到文件夹 {name}。请重新安装 pointsbank。")

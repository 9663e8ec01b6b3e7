"""README says what can be set and where things stand; both are compared with the program."""

import re
from pathlib import Path

import pytest

from pointsbank.kit import settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ROOMS = sorted(door.parent.name for door in (ROOT / "pointsbank").glob("*/__init__.py"))


@pytest.mark.parametrize("setting", settings.documentation(), ids=lambda setting: setting.name)
def test_every_setting_has_its_line(setting):
    assert f"| `{setting.name}` | {setting.shown_default} | {setting.doc} |" in README


def test_no_setting_is_named_that_does_not_exist():
    known = {setting.name for setting in settings.documentation()}

    assert set(re.findall(r"\bPOINTSBANK_[A-Z_]+\b", README)) <= known


def test_the_map_names_every_room_and_no_other():
    drawn = README.split("### The map of rooms", 1)[1].split("```")[1]
    named = [name for line in drawn.splitlines() for name in re.findall(r"\w+", line.partition("  ")[0])]

    assert sorted(named) == ROOMS

"""What the design promises about its two files."""

import re

import pytest

from pointsbank.kit import paths

KIB = 1024
APP_CSS = (paths.static_dir() / "app.css").read_text("utf-8")
PAPER_CSS = (paths.static_dir() / "paper.css").read_text("utf-8")
CSS = APP_CSS + PAPER_CSS
SCRIPT = (paths.static_dir() / "app.js").read_text("utf-8")
GRID = (paths.static_dir() / "grid.js").read_text("utf-8")
TOKENS = dict(re.findall(r"--([\w-]+):(#[0-9A-Fa-f]{3,6})\b", CSS))
GROUNDS = ("paper", "paper-2", "surface")
TEXTS = ("ink", "ink-2", "ink-3", "jade", "jade-deep", "amber", "crimson", "seal", "blue")
PAIRS = [
    *[(text, ground) for text in TEXTS for ground in GROUNDS],
    *[(state, f"{state}-tint") for state in ("jade", "amber", "crimson", "blue")],
    *[("ink", f"{state}-tint") for state in ("jade", "amber", "crimson", "blue")],
    *[("ink-2", f"{state}-tint") for state in ("jade", "amber")],
    *[("cream", ground) for ground in ("jade", "jade-deep", "jade-night")],
    *[("gold-soft", ground) for ground in ("jade-deep", "jade-night")],
    *[("surface", ground) for ground in ("jade", "jade-deep", "seal")],
]


def luminance(colour: str) -> float:
    digits = colour[1:]
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(text, ground):
    assert contrast(TOKENS[text], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_the_border_of_a_field_can_be_seen(ground):
    assert contrast(TOKENS["field"], TOKENS[ground]) >= 3


def test_the_files_stay_small():
    assert len(APP_CSS.encode()) <= 25 * KIB
    assert len(PAPER_CSS.encode()) <= 10 * KIB
    assert len(SCRIPT.encode()) <= 12 * KIB
    assert len(GRID.encode()) <= 15 * KIB  # the editor's page alone loads it, on a PC


def test_the_stylesheet_keeps_to_old_browsers():
    for late in ("aspect-ratio", "inset:", ":is(", ":has(", ":where(", "@layer", "clamp("):
        assert late not in CSS
    assert not re.search(r"(?<!grid-)\bgap:", CSS), "flex gap needs Chrome 84"
    assert "http" not in CSS
    assert "@import" not in CSS


LATE_SYNTAX = {
    "optional chaining (2020)": r"\?\.(?!\d)",
    "nullish coalescing (2020)": r"\?\?",
    "object spread (2018)": r"[{,]\s*\.\.\.",
    "optional catch binding (2019)": r"\bcatch\s*\{",
    "numeric separator (2021)": r"\b\d+_\d",
    "private member (2022)": r"\bthis\.#",
    "logical assignment (2021)": r"(\|\||&&)=",
    "big integer (2020)": r"\b\d+n\b",
    "async iteration (2018)": r"\bfor\s+await\b",
    "lookbehind (2018)": r"\(\?<[=!]",
    "replaceAll (2021)": r"\.replaceAll\(",
    "flat (2019)": r"\.flat(Map)?\(",
    "at (2022)": r"(?<!grid)\.at\(",
    "fromEntries (2019)": r"\bfromEntries\(",
    "matchAll (2020)": r"\.matchAll\(",
    "finally (2018)": r"\.finally\(",
    "randomUUID (https alone)": r"randomUUID",
    "module": r"^\s*(import|export)\b",
    "eval": r"\beval\(|new Function",
    "another host": r"https?://",
}


def without_strings(script: str) -> str:
    return re.sub(r"/\*.*?\*/|'(?:[^'\\\n]|\\.)*'", "''", script, flags=re.DOTALL)


@pytest.mark.parametrize("name", LATE_SYNTAX)
def test_the_scripts_are_es2017_and_keep_to_themselves(name):
    assert re.findall(LATE_SYNTAX[name], without_strings(SCRIPT + GRID), flags=re.MULTILINE) == []


@pytest.mark.parametrize("late", ["a?.b", "a ?? b", "{...a}", "try {} catch {}", "1_000", "a ||= b", "x.at(-1)"])
def test_the_check_would_see_late_syntax(late):
    assert any(re.search(pattern, late) for pattern in LATE_SYNTAX.values())

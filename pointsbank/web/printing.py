"""What a stylesheet cannot know beforehand: how long a receipt is, and how far off a printer prints.

Both are said in one-line stylesheets under /print/, linked after paper.css, because the content security policy keeps
styles out of pages. `@page{size:80mm auto}` is invalid and silently prints a Letter page, so a receipt's height is
computed here. What a printer leaves unprinted cannot be asked for, so a template that prints on ready paper says
`{% set shifted = "book" %}`, and print.html moves its sheets as this computer's cookie says and offers to change it.
"""

import re
from dataclasses import dataclass
from unicodedata import east_asian_width

from pointsbank.web import current

ROLLS_MM = {"r80": 80, "r58": 58}
HEIGHT_MIN_MM, HEIGHT_MAX_MM = 60, 600
# From the .receipt rules of paper.css, rounded up: a line, a dashed rule, heading with padding, a code with margins.
LINE_MM, RULE_MM, FRAME_MM, CODE_MM = 5.8, 4.8, 22.0, 36.0


def lines_of(text: str, letters: int = 16) -> int:
    """Lines that a text takes in a column so many Chinese characters wide (80 mm: 16 beside a figure; 58 mm: 10)."""
    halves = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return max(1, -(-halves // (2 * letters)))


def receipt_height_mm(lines: int, *, rules: int = 6, codes: int = 1) -> int:
    """Height of a receipt with so many lines of text, dashed rules and QR codes; never too short."""
    height = FRAME_MM + lines * LINE_MM + rules * RULE_MM + codes * CODE_MM
    return min(max(int(height) + 1, HEIGHT_MIN_MM), HEIGHT_MAX_MM)


def roll_css_url(roll: str, height_mm: int) -> str:
    assert roll in ROLLS_MM
    assert HEIGHT_MIN_MM <= height_mm <= HEIGHT_MAX_MM
    return f"/print/{roll}-{height_mm}.css"


def roll_css(name: str) -> str | None:
    """The stylesheet of that name (`r80-214.css`), or None if there is no such roll."""
    roll, _, height = name.removesuffix(".css").partition("-")
    if not name.endswith(".css") or roll not in ROLLS_MM or not height.isascii() or not height.isdigit():
        return None
    if not HEIGHT_MIN_MM <= int(height[:4]) <= HEIGHT_MAX_MM:
        return None
    return f"@page {roll}{{size:{ROLLS_MM[roll]}mm {int(height[:4])}mm}}\n"


SHIFT_MAX_TENTHS = 100
SHIFTED_PAPERS = ("book", "cards", "labels")
_TENTHS = re.compile(r"(-?)([0-9]{1,2})(?:\.([0-9]))?")
_SHIFT_CSS = re.compile(r"shift_(-?[0-9]{1,3})_(-?[0-9]{1,3})\.css")


@dataclass(frozen=True, slots=True)
class Shift:
    """How far everything is moved on its sheet, in tenths of a millimetre."""

    right: int = 0
    down: int = 0

    @property
    def is_moved(self) -> bool:
        return self != Shift()

    @property
    def right_mm(self) -> str:
        return _millimetres(self.right)

    @property
    def down_mm(self) -> str:
        return _millimetres(self.down)

    @property
    def url(self) -> str:
        return f"/print/shift_{self.right}_{self.down}.css"


def read_shift(right: str, down: str) -> Shift:
    """The shift that was typed in millimetres; what is no number moves nothing, what is too far goes to the end."""
    return Shift(_tenths(right), _tenths(down))


def _tenths(text: str) -> int:
    found = _TENTHS.fullmatch(text.strip())
    if found is None:
        return 0
    tenths = int(found[2]) * 10 + int(found[3] or 0)
    return min(tenths, SHIFT_MAX_TENTHS) * (-1 if found[1] else 1)


def _millimetres(tenths: int) -> str:
    return f"{tenths / 10:.1f}".removesuffix(".0")


def shift_cookie(paper: str) -> str:
    return f"shift-{paper}"


def shift_of(paper: str) -> Shift:
    """The shift of the computer whose request is being answered, for one kind of paper."""
    assert paper in SHIFTED_PAPERS
    scope = current.scope.get()
    kept = current.cookie(scope, shift_cookie(paper)) if scope is not None else ""
    right, _, down = kept.partition("_")
    return read_shift(right, down)


def shift_css(name: str) -> str | None:
    """The stylesheet of that name (`shift_15_-5.css`), or None if it is none or moves too far."""
    found = _SHIFT_CSS.fullmatch(name)
    if found is None or max(abs(int(found[1])), abs(int(found[2]))) > SHIFT_MAX_TENTHS:
        return None
    shift = Shift(int(found[1]), int(found[2]))
    return f"@media print{{.sheet>*{{transform:translate({shift.right_mm}mm,{shift.down_mm}mm)}}}}\n"

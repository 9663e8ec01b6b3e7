"""What a stylesheet cannot know beforehand: how long a receipt is, and how far off a printer prints.

Both are said in one-line stylesheets under /print/, linked after paper.css, because the content security policy keeps
styles out of pages. `@page{size:80mm auto}` is invalid and silently prints a Letter page, so a receipt's height is
computed here. What a printer leaves unprinted cannot be asked for, so a template that prints on ready paper says
`{% set shifted = "book" %}`, and print.html moves its sheets as this computer's cookie says and offers to change it.
"""

import re
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from pointsbank.web import current

ROLLS_MM = {"r80": 80, "r58": 58}
HEIGHT_MIN_MM, HEIGHT_MAX_MM = 60, 600
# As the .receipt rules of paper.css say, in millimetres; widths in tenths of a full-width letter, one spared for what
# no font lets stand at the beginning of a row.
ROW_MM, RULE_MM, TITLE_MM, TOTAL_MM, CODE_MM, SIGN_MM, MARGIN_MM = 5.5, 3.3, 7.0, 7.5, 30.0, 12.0, 8.0
ROLL_WIDTH = {"r80": 190, "r58": 140}
TITLE_WIDTH = {"r80": 130, "r58": 90}
GAP = 10
_THIN = re.compile(r"[ !'(),./:;|*-]")
_NARROW = re.compile(r"[0-9a-ln-vx-z]")


def _halves(text: str) -> int:
    """Width of a text in half Chinese characters; Latin letters take one."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _width(text: str) -> int:
    """Width of a text in tenths of a full-width letter, in the widest of the fonts that computers have."""
    return sum(4 if _THIN.match(letter) else 6 if _NARROW.match(letter) else 10 for letter in text)


def rows_of(text: str, width: int) -> int:
    """Rows that a text takes in a column of this width."""
    return max(1, -(-_width(text) // max(width, 10)))


def on_one_line(text: str, letters: int) -> str:
    """The text, or what fits of its beginning and its end: an end, half the line, says how many hours or pieces."""
    if _halves(text) <= 2 * letters:
        return text
    end = text
    while _halves(end) > letters:
        end = end[1:]
    begin = text
    while begin and _halves(f"{begin}…{end}") > 2 * letters:
        begin = begin[:-1]
    return f"{begin.rstrip()}…{end.lstrip()}"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing on a receipt: title, words, pair, total, rule, code or sign."""

    kind: str
    text: str = ""
    figure: str = ""


@dataclass(slots=True)
class Roll:
    """A receipt being filled. Its template draws the parts as they stand here, so what it is long is known."""

    name: str
    parts: list[Part] = field(default_factory=list)
    height_mm: float = MARGIN_MM

    def _add(self, height_mm: float, kind: str, text: str = "", figure: str = "") -> None:
        self.parts.append(Part(kind, text, figure))
        self.height_mm += height_mm

    def title(self, text: str) -> None:
        self._add(TITLE_MM * rows_of(text, TITLE_WIDTH[self.name]), "title", text)

    def words(self, text: str) -> None:
        self._add(ROW_MM * rows_of(text, ROLL_WIDTH[self.name]), "words", text)

    def pair(self, text: str, figure: str) -> None:
        """A text with a figure or a short word at the end of its row."""
        left = ROLL_WIDTH[self.name] - GAP - _width(figure)
        self._add(ROW_MM * rows_of(text, left), "pair", text, figure)

    def total(self, text: str, figure: str) -> None:
        self._add(TOTAL_MM, "total", text, figure)

    def rule(self) -> None:
        self._add(RULE_MM, "rule")

    def code(self) -> None:
        self._add(CODE_MM, "code")

    def sign(self, text: str) -> None:
        self._add(SIGN_MM, "sign", text)

    @property
    def is_narrow(self) -> bool:
        return self.name == "r58"

    @property
    def css_url(self) -> str:
        return roll_css_url(self.name, min(max(int(self.height_mm) + 1, HEIGHT_MIN_MM), HEIGHT_MAX_MM))


def roll_of() -> str:
    """The roll in the receipt printer of this computer."""
    scope = current.scope.get()
    kept = current.cookie(scope, "roll") if scope is not None else ""
    return kept if kept in ROLLS_MM else "r80"


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

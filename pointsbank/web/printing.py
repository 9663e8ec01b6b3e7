"""Paper whose length is known only when it is filled: receipts on a roll.

`@page{size:80mm auto}` is invalid and silently prints a Letter page, so the height is computed here and said in a
one-line stylesheet, linked after paper.css: `<link rel="stylesheet" href="{{ roll_css('r80', height) }}">`.
"""

from unicodedata import east_asian_width

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

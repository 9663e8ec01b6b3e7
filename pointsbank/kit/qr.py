"""Codes as pictures: black and white, quiet zone included, no text, so no font.

PNG in whole pixels a module for screens and single pieces; the path of an SVG for sheets, which bear hundreds.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Literal, NamedTuple

from barcode.codex import Code128
from barcode.ean import EAN13
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.main import QRCode

from pointsbank.kit.codes import ean13_ok

Level = Literal["M", "Q"]

QR_TEXT_LENGTH_MAX = 512
_LEVELS = {"M": ERROR_CORRECT_M, "Q": ERROR_CORRECT_Q}
_QR_QUIET_MODULES = 4
_CODE128_QUIET_MODULES = 10
_EAN_QUIET_MODULES = 11
_DARK = re.compile("1+")
_SHEET_MASK = 3  # any mask is read alike; trying all eight for the evenest takes five times as long
_CHUNK_LENGTH_MIN = 12  # a change of mode costs some 14 bits, so shorter runs of capitals are not worth one


@lru_cache(maxsize=256)
def qr_png(text: str, *, level: Level = "M", box: int = 8) -> bytes:
    """`box` is the width of a module in pixels. Paper wants level Q, screens M."""
    return secret_qr_png(text, level=level, box=box)


def secret_qr_png(text: str, *, level: Level = "M", box: int = 8) -> bytes:
    """The same without keeping it in memory."""
    assert 0 < len(text) <= QR_TEXT_LENGTH_MAX
    code = QRCode(error_correction=_LEVELS[level], border=_QR_QUIET_MODULES)
    code.add_data(text, optimize=_CHUNK_LENGTH_MIN)
    code.make(fit=True)
    return _png([[not dark for dark in row] for row in code.get_matrix()], box, box)


@lru_cache(maxsize=256)
def code128_png(digits: str, *, box: int = 3, height: int = 90) -> bytes:
    """Two digits to a symbol. `box` is the width of the thinnest bar, `height` that of the picture, in pixels."""
    return _bars_png(_code128_bars(digits), box, height)


@lru_cache(maxsize=256)
def ean13_png(code: str, *, box: int = 3, height: int = 90) -> bytes:
    assert ean13_ok(code)
    quiet = "0" * _EAN_QUIET_MODULES
    return _bars_png(f"{quiet}{EAN13(code).build()[0]}{quiet}", box, height)


class Drawing(NamedTuple):
    """The dark modules as an SVG path whose unit is a module, in a field that has its quiet zone."""

    width: int
    height: int
    path: str


def qr_drawing(text: str, *, level: Level) -> Drawing:
    """Not remembered: what stands on cards and slips is secret."""
    assert 0 < len(text) <= QR_TEXT_LENGTH_MAX
    code = QRCode(error_correction=_LEVELS[level], border=_QR_QUIET_MODULES, mask_pattern=_SHEET_MASK)
    code.add_data(text, optimize=_CHUNK_LENGTH_MIN)
    code.make(fit=True)
    return _drawing(["".join("01"[bool(dark)] for dark in row) for row in code.get_matrix()])


def code128_drawing(digits: str) -> Drawing:
    """One module high: whoever places it says how tall the bars are."""
    return _drawing([_code128_bars(digits)])


def _drawing(rows: Sequence[str]) -> Drawing:
    runs = [(y, run) for y, row in enumerate(rows) for run in _DARK.finditer(row)]
    path = "".join(f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z" for y, run in runs)
    return Drawing(len(rows[0]), len(rows), path)


def _code128_bars(digits: str) -> str:
    assert digits.isascii()
    assert digits.isdigit()
    assert len(digits) % 2 == 0
    quiet = "0" * _CODE128_QUIET_MODULES
    return f"{quiet}{Code128(digits).build()[0]}{quiet}"


def _bars_png(bars: str, box: int, height: int) -> bytes:
    return _png([[bar == "0" for bar in bars]], box, height)


def _png(light: Sequence[Sequence[bool]], box: int, box_height: int) -> bytes:
    assert box > 0
    assert box_height > 0
    width, height = len(light[0]), len(light)
    image = Image.new("1", (width, height))
    image.putdata([255 * module for row in light for module in row])
    image = image.resize((width * box, height * box_height), Image.Resampling.NEAREST)
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()

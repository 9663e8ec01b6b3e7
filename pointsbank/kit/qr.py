"""Codes as pictures: black and white PNG in whole pixels a module, quiet zone included, no text, so no font."""

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Literal

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
    assert digits.isascii()
    assert digits.isdigit()
    assert len(digits) % 2 == 0
    return _bars_png(Code128(digits).build()[0], _CODE128_QUIET_MODULES, box, height)


@lru_cache(maxsize=256)
def ean13_png(code: str, *, box: int = 3, height: int = 90) -> bytes:
    assert ean13_ok(code)
    return _bars_png(EAN13(code).build()[0], _EAN_QUIET_MODULES, box, height)


def _bars_png(bars: str, quiet_modules: int, box: int, height: int) -> bytes:
    quiet = "0" * quiet_modules
    return _png([[bar == "0" for bar in quiet + bars + quiet]], box, height)


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

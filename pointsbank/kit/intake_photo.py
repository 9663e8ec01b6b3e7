"""Pictures out of bytes, in the child process: decoded within bounds and made anew."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from pointsbank.kit import intake_sheet
from pointsbank.kit.rules_intake import LOOKS, PIXELS_MAX, FileDamaged, NoPhoto, PhotoMoves, TooManyPixels

FORMATS = ("JPEG", "PNG", "WEBP")
QUALITIES = (82, 70, 58, 46, 34, 22, 10)


def read(content: bytes, *, side_max: int, bytes_max: int) -> tuple[bytes, int, int]:
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            return _remade(image, side_max, bytes_max)
    except UnidentifiedImageError:
        looks = _looks(content)
        raise (FileDamaged() if looks == "picture" else NoPhoto(looks=LOOKS[looks])) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooManyPixels(millions=PIXELS_MAX // 1_000_000) from None
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, KeyError, IndexError, Warning):
        raise FileDamaged from None


def _looks(content: bytes) -> str:
    if content.startswith((intake_sheet.ZIP, intake_sheet.OLE)):
        return "sheet"
    return intake_sheet.looks_like(content) or ("unknown" if b"\0" in content else "text")


def _remade(image: Image.Image, side_max: int, bytes_max: int) -> tuple[bytes, int, int]:
    if image.width * image.height > PIXELS_MAX:
        raise TooManyPixels(millions=PIXELS_MAX // 1_000_000)
    # Phones save a JPEG with a second, smaller one behind it; that is no film.
    if image.format in {"PNG", "WEBP"} and getattr(image, "n_frames", 1) > 1:
        raise PhotoMoves
    image.draft("RGB", (side_max, side_max))  # a JPEG is decoded no larger than it is wanted
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side_max, side_max))
    # A fresh picture has no text, no comment, no profile and no place of the old one.
    fresh = Image.new("RGB", upright.size, "white")
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        solid = upright.convert("RGBA")
        fresh.paste(solid, mask=solid)
    else:
        fresh.paste(upright.convert("RGB"))
    return _saved(fresh, bytes_max), fresh.width, fresh.height


def _saved(image: Image.Image, bytes_max: int) -> bytes:
    made = b""
    for quality in QUALITIES:
        file = BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        made = file.getvalue()
        if len(made) <= bytes_max:
            break
    return made

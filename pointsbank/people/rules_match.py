"""By which a person on somebody's list is found: number, name, building and door as people write them."""

import re
import unicodedata

_SUFFIX = re.compile(r"(号楼|号院|栋楼|号|栋|幢|座|楼|#)$")
_NUMERALS = {letter: number for number, letter in enumerate("〇一二三四五六七八九")} | {"零": 0}
_DOOR_WORDS = str.maketrans(
    dict.fromkeys("室号户房门", "") | {"单": "-", "元": "", "—": "-", "－": "-", "–": "-", "_": "-"}
)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def building_key(name: str) -> str:
    """The same for 「3号楼」「3 号楼」「3栋」「03幢」「三号楼」."""
    plain = _plain(name)
    while (shorter := _SUFFIX.sub("", plain)) not in (plain, ""):
        plain = shorter
    number = _han_number(plain.removeprefix("第"))
    return str(number) if number is not None else re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)


def _han_number(text: str) -> int | None:
    """一 … 九十九, as far as buildings go."""
    tens, ten, ones = text.rpartition("十")
    if (tens and tens not in _NUMERALS) or (ones and ones not in _NUMERALS) or not (ten or ones):
        return None
    return (_NUMERALS.get(tens, 1) * 10 if ten else 0) + _NUMERALS.get(ones, 0)


def door_key(door: str) -> str:
    """The same for 「1单元301室」 and 「1-301」."""
    return _plain(door).translate(_DOOR_WORDS).strip("-")

"""Text as people write it: cleaning, comparing, masking, and finding a name by pinyin.

Nothing here remembers a name: what is cached is known of single characters.
"""

import os
import re
import unicodedata
from functools import lru_cache
from itertools import product

from stdnum.cn import ric

# It is asked for one character at a time: its book of phrases is never opened, and to read it is a fifth of every
# start. It looks at this while it is imported.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
from pypinyin import Style, pinyin

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs"})  # controls (bidi ones are Cf), private use, lone surrogates
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters by category, nothing to the eye
# What shows nothing, or turns the writing around, and comes along when text is copied from somewhere.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    f"{''.join(_BLANK_LETTERS)}]"
)
_NAME_DOTS = re.compile(r"([·•‧・･])")
_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[^\W_]+")
_PHONE = re.compile(r"1[3-9][0-9]{9}|100[0-9]{8}")
_FOREIGN_PREFIX = re.compile(r"(?:\+|00)?86(?=1[0-9]{10}$)")
_ID_LAST4 = re.compile(r"[0-9]{3}[0-9X]")

_READINGS_MAX = 4
_MANY_READINGS_FOR = 4

# How these are read as surnames, which dictionaries of words get wrong.
_SURNAMES_WRITTEN = """
曾:zeng 单:shan 仇:qiu 区:ou 查:zha 尉:wei/yu 任:ren 朴:piao 解:xie 翟:zhai/di 盖:ge/gai 缪:miao 宓:mi/fu 员:yun
折:she 隗:kui/wei 洗:xian 冼:xian 覃:qin/tan 乐:yue/le 瞿:qu 繁:po 郇:xun/huan 召:shao 秘:bi 祭:zhai 种:chong
适:kuo 逄:pang 逢:pang 柏:bai/bo 谌:chen/shen 费:fei/bi 黑:he 纪:ji 降:jiang 句:gou 能:nai 粘:nian 牟:mu/mou
强:qiang/jiang 佘:she 盛:sheng 相:xiang 行:xing 要:yao 叶:ye 应:ying 於:yu 訾:zi 重:chong 长:chang/zhang
藏:zang 幺:yao 薄:bo 角:jue 那:na 撒:sa 哈:ha 车:che 贾:jia 石:shi 沈:shen 宁:ning 阚:kan 卜:bu
"""
_SURNAMES = {surname: tuple(readings.split("/")) for surname, readings in re.findall(r"(\S):(\S+)", _SURNAMES_WRITTEN)}
_DOUBLE_SURNAMES = {
    "尉迟": ("yu", "chi"),
    "万俟": ("mo", "qi"),
    "单于": ("chan", "yu"),
    "长孙": ("zhang", "sun"),
    "澹台": ("tan", "tai"),
    "乐正": ("yue", "zheng"),
    "令狐": ("ling", "hu"),
    "鲜于": ("xian", "yu"),
    "亓官": ("qi", "guan"),
    "相里": ("xiang", "li"),
}


class BadText(ValueError):
    """The text holds what nobody can see, or what turns the writing around."""

    message = "文字里有看不见的字符，请删掉后重新输入。"

    def __init__(self) -> None:
        super().__init__(self.message)


def seen(text: str) -> str:
    """The text without what nobody sees: no reader could mend it, or know that it is there."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def clean(text: str) -> str:
    """A name or title as it is shown and stored. An empty text stays empty: the caller knows whether it may."""
    plain = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES or letter in _BLANK_LETTERS for letter in plain):
        raise BadText
    return " ".join(plain.split())


def search_key(text: str) -> str:
    """For comparing, never for showing."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def normal_digits(text: str) -> str:
    """What was typed or scanned, full width made narrow and blanks dropped; nothing else changes."""
    if text.isascii() and text.isdigit():  # nearly always: a scanner sent it
        return text
    return "".join(unicodedata.normalize("NFKC", text).split())


# Phones and ID numbers


def normal_phone(text: str) -> str:
    """As it is stored and indexed: `+86 １９９ 0000-0001` becomes `19900000001`."""
    return _FOREIGN_PREFIX.sub("", normal_digits(text).replace("-", ""))


def phone_ok(phone: str) -> bool:
    """A mainland mobile number, or one of 100xxxxxxxx: nobody has those, so that invented people may."""
    return _PHONE.fullmatch(phone) is not None


def normal_id_number(text: str) -> str:
    return normal_digits(text).upper()


def id_number_ok(number: str) -> bool:
    """Eighteen digits with a real place, a real birthday and the right check digit; wants the normal form."""
    try:
        return len(number) == 18 and number.isascii() and ric.is_valid(number)
    except KeyError:  # stdnum's answer to a prefecture that has no such county
        return False


# Masks


def mask_name(name: str) -> str:
    """As in 张*, 张*三, 欧**明, 阿**丽·买*提, J*** S****."""
    plain = " ".join(name.split())
    if _HAN.search(plain):
        return "".join(
            part if _NAME_DOTS.fullmatch(part) else _mask_han(part) for part in _NAME_DOTS.split(plain.replace(" ", ""))
        )
    return _LATIN_WORD.sub(lambda word: _first_and_stars(word[0]), plain)


def _mask_han(part: str) -> str:
    if len(part) <= 2:
        return _first_and_stars(part)
    return part[0] + "*" * (len(part) - 2) + part[-1]


def _first_and_stars(word: str) -> str:
    """A word of one letter is hidden whole: its first letter would be all of it."""
    return word[0] + "*" * (len(word) - 1) if len(word) > 1 else "*" * len(word)


def mask_phone(phone: str) -> str:
    """Three and four of a mobile number, the last four of any other."""
    plain = normal_phone(phone)
    if phone_ok(plain):
        return f"{plain[:3]}****{plain[-4:]}"
    return f"****{plain[-4:]}" if len(plain) > 6 else "****"


def mask_id_number(last4: str) -> str:
    """From the last four alone: the rest is not kept."""
    assert _ID_LAST4.fullmatch(last4)
    return "*" * 14 + last4


# Pinyin


def syllables(name: str) -> tuple[tuple[str, ...], ...]:
    """For each character its readings, the likeliest first; a word in another script is one syllable of its own.

    Whoever searches many names again and again keeps these beside the names and asks `spells`.
    """
    plain = search_key(name)
    double = _DOUBLE_SURNAMES.get(plain[:2], ())
    found: list[tuple[str, ...]] = []
    word = ""
    for place, letter in enumerate(plain):
        if not _HAN.match(letter):
            word = word + letter if letter.isalnum() else _finish_word(word, found)
            continue
        word = _finish_word(word, found)
        first = (double[place],) if place < len(double) else _SURNAMES.get(letter, ()) if place == 0 else ()
        found.append(tuple(dict.fromkeys(first + _readings(letter)))[:_READINGS_MAX])
    _finish_word(word, found)
    return tuple(found)


def _finish_word(word: str, found: list[tuple[str, ...]]) -> str:
    if word:
        found.append((word,))
    return ""


@lru_cache(maxsize=8192)
def _readings(letter: str) -> tuple[str, ...]:
    return tuple(pinyin(letter, style=Style.NORMAL, heteronym=True)[0])


def _spellings(name: str) -> list[tuple[str, ...]]:
    """Every reading of the first characters; beyond them the likeliest, or long names would have thousands."""
    found = syllables(name)
    return list(product(*found[:_MANY_READINGS_FOR], *(readings[:1] for readings in found[_MANY_READINGS_FOR:])))


def initials(name: str) -> set[str]:
    """Both `zxm` and `cxm` for 曾小明: people type what they know, the surname's reading or the character's."""
    return {"".join(syllable[0] for syllable in spelling) for spelling in _spellings(name)} - {""}


def pinyin_keys(name: str) -> frozenset[str]:
    """Initials and full pinyin in every reading."""
    full = {"".join(spelling) for spelling in _spellings(name)} - {""}
    return frozenset(full | initials(name))


def name_matches(query: str, name: str) -> bool:
    """Characters found anywhere in the name; letters as initials, full pinyin or a mixture, from any syllable on."""
    sought = "".join(search_key(query).split())
    return bool(sought) and (sought in "".join(search_key(name).split()) or spells(sought, syllables(name)))


def spells(query: str, found: tuple[tuple[str, ...], ...]) -> bool:
    """Whether the letters begin one or more syllables in a row: `zxm`, `zengxiao`, `zxiaom`, `xm` for 曾小明."""
    reached: set[int] = set()  # how much of the query the syllables so far can have used up
    for readings in found:
        reached = {
            used + taken
            for used in reached | {0}
            for reading in readings
            for taken in range(1, _common_length(query, used, reading) + 1)
        }
        if len(query) in reached:
            return True
    return False


def _common_length(query: str, start: int, reading: str) -> int:
    length = 0
    while length < len(reading) and start + length < len(query) and query[start + length] == reading[length]:
        length += 1
    return length

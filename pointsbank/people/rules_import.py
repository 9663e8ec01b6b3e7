"""Roster import: what columns mean, where the header is, and the words for whatever is wrong with a row."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.text import search_key

Cell = str | int | float | bool | None

KEPT_FOR = timedelta(days=1)  # what was uploaded, and what was not entered of it
HEAD_ROWS_MAX = 20
CELL_LENGTH_MAX = 500
TAG_LENGTH_MAX = 10
TAGS_MAX = 30


class NothingInFile(Refusal):
    kind = Kind.INVALID
    code = "people.import_empty"
    message = "文件里没有人。请检查是不是选错了文件，或者名单在别的工作表里：只读第一张。"


class NoNameColumn(Refusal):
    kind = Kind.INVALID
    code = "people.import_no_name_column"
    message = "请指出哪一列是姓名"


class ColumnTwice(Refusal):
    kind = Kind.INVALID
    code = "people.import_column_twice"
    message = "「{field}」选了两列，只能选一列"


class ServiceConsentMissing(Refusal):
    kind = Kind.INVALID
    code = "people.import_consent_missing"
    message = "请先向名单上的人说明个人信息怎么用，再打勾"


class TagConsentMissing(Refusal):
    kind = Kind.INVALID
    code = "people.import_tag_consent_missing"
    message = "标签要每个人同意才能记。请打勾，或把标签那一列改成「不导入」"


class ImportMovedOn(Refusal):
    """Somebody else, or a second click, was quicker."""

    kind = Kind.CONFLICT
    code = "people.import_moved_on"
    message = "这次导入已经往下走了。请刷新页面看它现在到哪一步。"


class ImportRunning(Refusal):
    kind = Kind.CONFLICT
    code = "people.import_running"
    message = "本社区另一份名册正在导入。请等它做完，再导入这一份。"


class NobodyToEnter(Refusal):
    kind = Kind.CONFLICT
    code = "people.import_nobody"
    message = "没有可以导入的人。请下载有问题的行，改好后再上传。"


class TagUnfit(Refusal):
    kind = Kind.INVALID
    code = "people.tag_unfit"
    message = "标签要 1 到 {most} 个字，不能有逗号、空格和看不见的字符"


class TagSensitive(Refusal):
    kind = Kind.INVALID
    code = "people.tag_sensitive"
    message = "健康、困难、信仰一类的情况不能做标签：「{tag}」。这类信息不收集。"


class TagTaken(Refusal):
    kind = Kind.CONFLICT
    code = "people.tag_taken"
    message = "已经有这个标签"


class TooManyTags(Refusal):
    kind = Kind.LIMITED
    code = "people.too_many_tags"
    message = "标签最多 {most} 个。请先停用不用的。"


class Field(StrEnum):
    NAME = "name"
    HOUSEHOLD = "household"
    RELATION = "relation"
    BUILDING = "building"
    DOOR = "door"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    BIRTH = "birth"
    SEX = "sex"
    TAGS = "tags"
    PUBLICATION = "publication"


FIELD_WORDS = {
    Field.NAME: "姓名",
    Field.HOUSEHOLD: "户号",
    Field.RELATION: "与户主关系",
    Field.BUILDING: "楼栋",
    Field.DOOR: "门牌",
    Field.PHONE: "手机",
    Field.ID_NUMBER: "身份证号",
    Field.BIRTH: "出生年份",
    Field.SEX: "性别",
    Field.TAGS: "标签",
    Field.PUBLICATION: "同意公示姓名",
}

# What a row may not have; it stays out until it is mended.
FAULTS = {
    "cell_error": "这一格是公式的错误值「{value}」。请改成文字",
    "formula": "这一格以「{sign}」开头，像公式。请改成普通文字",
    "garbled": "这一格是乱码。请用 Excel 打开原表，另存为 xlsx 再上传",
    "too_long": "字太多：最多 {most} 个，现在 {now} 个",
    "unseen": "有看不见的字符（例如换行）。请删掉后重新输入",
    "not_text": "这一格是「是/否」值，不是文字。请重新输入",
    "name_missing": "没有姓名",
    "name_number": "姓名是数字。请检查是不是选错了列",
    "name_digits": "姓名里有数字",
    "name_title": "姓名里带着称呼「{title}」。请只写姓名",
    "name_brackets": "姓名里有括号。请把说明移到别的列",
    "name_several": "一格里像是有几个名字。请一人一行",
    "name_masked": "姓名里有星号，是遮住的名字。请写全名",
    "name_hole": "姓名里有「{letter}」，原来的字没有存下来。请补上正确的字",
    "name_private": "姓名里有别的电脑显示不出的自造字（{letter}）。请改用正式的字",
    "name_letter": "姓名里有不该有的字符「{letter}」",
    "name_placeholder": "「{value}」不是姓名。没有人住就删掉这一行",
    "example_row": "这是模板里的示例。请删掉这一行",
    "not_enough": "只有姓名，分不清是谁。请补上手机、身份证号、楼栋门牌中的一样",
    "id_precision": "身份证号的末几位被 Excel 变成了 0，找不回来了。请先把这一列设成「文本」，再重新输入号码",
    "id_scientific": "身份证号变成了「{value}」这样的数，末几位已经丢失。请先把这一列设成「文本」，再重新输入号码",
    "id_old": "这是 15 位的旧号码。请换成 18 位的身份证号，或空着",
    "id_length": "身份证号要 18 位，现在是 {n} 位",
    "id_checksum": "身份证号有一位不对（校验码不符）。请对照证件检查",
    "id_unreal": "身份证号里的地区或生日不存在。请对照证件检查",
    "id_letters": "身份证号里有不该有的字符。请检查，或空着",
    "id_masked": "身份证号是遮住的。请写完整，或空着",
    "id_other": "只收 18 位居民身份证号。别的证件请空着",
    "id_is_phone": "这里写的是手机号。请检查是不是放错了列",
    "id_twice": "身份证号和第 {row} 行的相同，姓名却不同",
    "id_other_name": "名册里这个身份证号是另一个人（{other}）。请核对",
    "phone_scientific": "手机号变成了「{value}」这样的数。请先把这一列设成「文本」，再重新输入",
    "phone_length": "手机号要 11 位，现在是 {n} 位",
    "phone_landline": "这是座机号。请写手机号，没有就空着",
    "phone_several": "一格里有几个号码。请只留一个",
    "phone_masked": "手机号是遮住的。请写完整，或空着",
    "phone_foreign": "只收国内手机号。请空着",
    "phone_is_id": "这里写的是身份证号。请检查是不是放错了列",
    "phone_unfit": "这不是手机号。请检查，没有就空着",
    "birth_unfit": "看不懂的日期。请写成 1950 或 1950-03-02",
    "birth_age": "像是年龄或两位数的年份。请写四位的出生年份，例如 1950",
    "birth_range": "出生年份 {year} 不可能。请检查",
    "birth_contradicts_id": "出生年份写的是 {year}，身份证号是 {other} 年。请检查哪个对",
    "sex_unknown": "性别请写「男」或「女」",
    "sex_contradicts_id": "性别和身份证号不符。请检查哪个对",
    "building_unknown": "名册里没有「{building}」这栋楼",
    "building_ambiguous": "社区里有几栋楼都像「{building}」。请写全楼名",
    "building_date": "楼栋被 Excel 变成了日期。请先把这一列设成「文本」，再重新输入",
    "door_date": "门牌被 Excel 变成了日期（例如 3-2 变成 3 月 2 日）。请先把这一列设成「文本」，再重新输入",
    "home_missing": "存折按户开，要写户号，或者楼栋和门牌。原表里是合并的单元格，请拆开填满",
    "home_differs": "和第 {row} 行是同一户号，楼栋或门牌却不同",
    "head_twice": "第 {row} 行已经是这一户的户主",
    "head_taken": "名册里这一户已有户主（{other}）",
    "tag_unknown": "「{tag}」不在社区的标签里。请在「标签」页添上，或改成已有的",
    "tag_sensitive": "「{tag}」是健康、困难、信仰一类的情况，不收集。请删掉",
    "publication_unknown": "请写「是」或「否」",
    "twice": "和第 {row} 行是同一个人",
}

# What may well be right: somebody who knows looks at it and says so.
QUESTIONS = {
    "surname_lookalike": "姓名写的是 {name}。「{letter}」不是常见的姓，是不是「{meant}」？",
    "name_rare": "姓名里有生僻字「{letter}」。请看一眼是不是写对了，有的打印机可能印不出",
    "name_short": "姓名只有一个字",
    "near_names": "和第 {row} 行同户的 {other} 只差一个字（「{one}」和「{two}」），是不是同一个人写了两遍？",
    "near_known": "名册里这一户已有 {other}，只差一个字（「{one}」和「{two}」），是不是同一个人？",
    "head_missing": "这一户没有写谁是户主。不改的话，户主先空着",
    "door_shared": "第 {row} 行是同一个门牌的另一户。确实是两户吗？",
    "minor": "不满 14 岁，要有监护人同意。有了吗？",
}

# What was put right without asking.
NOTES = {
    "name_spaces": "去掉了姓名里的空格",
    "name_narrowed": "把姓名里的全角字符改成了普通字符",
    "id_narrowed": "把身份证号改成了规范的写法（半角、大写 X、没有空格）",
    "phone_narrowed": "去掉了手机号里的空格、横线、+86，全角改成了半角",
    "birth_serial": "把 Excel 的日期数字换成了年份",
}

STATES = ("good", "known", "faulty", "asked")

# Headers as people write them, surest first. What is about somebody else is left alone.
_HEADERS: dict[Field, tuple[str, ...]] = {
    Field.PUBLICATION: (r"公示|公开",),
    Field.RELATION: (r"关系",),
    Field.HOUSEHOLD: (r"^(户号|户|家庭编号|户编号|家庭号|家庭户号|户序号)$", r"户号|家庭编号|户编号"),
    Field.ID_NUMBER: (r"身份证", r"证件号|公民身份"),
    Field.PHONE: (r"手机", r"电话|联系方式|^(phone|mobile|tel)"),
    Field.BIRTH: (r"出生年", r"出生|生日|^birth"),
    Field.SEX: (r"^性别|^(sex|gender)$",),
    Field.BUILDING: (r"^(楼栋|楼号|楼幢|楼栋号|幢号|栋号|楼)$", r"楼栋|楼号|幢|栋|^座|^building"),
    Field.DOOR: (r"^(门牌|门牌号|房号|房间号|室号|室|门号)$", r"门牌|房号|房间|室|^(door|room)"),
    Field.TAGS: (r"^标签", r"人群|标签|^tags?$"),
    Field.NAME: (r"^(姓名|名字|居民姓名|成员姓名)$", r"姓名|名字|^name$", r"^户主"),
}
_OTHERS = re.compile(r"监护|紧急|联系人|配偶姓|备用|年龄|民族|籍贯|户籍")
_NO_WORD = re.compile(r"[\W_]+")
_FOOTER = re.compile(r"^(合计|总计|共计|小计|制表|填表|审核|备注|说明|注[:：])")
_SENSITIVE = re.compile(
    r"病|癌|瘤|残|失能|失智|精神[病障残]|抑郁|艾滋|肝炎|低保|特困|困难|贫困|救助|五保|失独|孤儿|社矫|刑|吸毒|信访|信教|宗教|上访"
)
_TAG = re.compile(r"[^\s,，、;；/|]+")


class Plan(msgspec.Struct, frozen=True):
    """What an admin said of a file: which column is what, and who agreed to what."""

    columns: dict[str, int]  # by Field
    head: int  # number of the header's row, counted from 1; data begins below
    publication: bool = False  # everybody agreed; a column of its own goes first


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one cell, or with the row as a whole (field "")."""

    field: str
    key: str
    facts: dict[str, str | int]


def header_key(cells: Sequence[Cell]) -> str:
    """The header as it is recognised the next time."""
    return "|".join(_header_word(cell) for cell in cells).rstrip("|")


def _header_word(cell: Cell) -> str:
    return _NO_WORD.sub("", search_key(cell)) if isinstance(cell, str) else ""


def guess_columns(header: Sequence[Cell]) -> dict[str, int]:
    """Which column is what: for each field the column whose header says so the most plainly."""
    words = [_header_word(cell) for cell in header]
    taken: set[int] = set()
    guessed: dict[str, int] = {}
    for field, patterns in _HEADERS.items():
        for pattern in patterns:
            fitting = (
                at
                for at, word in enumerate(words)
                if at not in taken and word and not _OTHERS.search(word) and re.search(pattern, word)
            )
            if (at := next(fitting, None)) is not None:
                guessed[field.value] = at
                taken.add(at)
                break
    return guessed


def find_head(rows: Sequence[Sequence[Cell]]) -> int:
    """The row, counted from 1, that looks most like a header: merged title rows stand above it. 0 when none does."""
    best, found = 0, 0
    for number, row in enumerate(rows[:HEAD_ROWS_MAX], start=1):
        guessed = guess_columns(row)
        score = len(guessed)
        if score > best and (score > 1 or Field.NAME.value in guessed):
            best, found = score, number
    return found


def is_blank(cells: Sequence[Cell]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def is_data(cells: Sequence[Cell], head: str) -> bool:
    """Not a blank row, not the header once more, not the line of totals or of signatures at the foot."""
    if is_blank(cells) or (head and header_key(cells) == head):
        return False
    written = [cell for cell in cells if cell is not None and str(cell).strip()]
    return not (len(written) <= 3 and isinstance(written[0], str) and _FOOTER.match(written[0].strip()))


def check_columns(columns: Mapping[int, str]) -> dict[str, int]:
    """What an admin chose, by field; `columns` are fields by column."""
    chosen: dict[str, int] = {}
    for at, field in columns.items():
        if field in chosen:
            raise ColumnTwice(field=FIELD_WORDS[Field(field)])
        chosen[field] = at
    if Field.NAME.value not in chosen:
        raise NoNameColumn
    return chosen


def is_sensitive(tag: str) -> bool:
    return _SENSITIVE.search(tag) is not None


def check_tag(tag: str) -> None:
    if _TAG.fullmatch(tag) is None or len(tag) > TAG_LENGTH_MAX:
        raise TagUnfit(most=TAG_LENGTH_MAX)
    if is_sensitive(tag):
        raise TagSensitive(tag=tag)


# Buildings as people write them: 「3号楼」「3 号楼」「3栋」「03幢」「三号楼」

_SUFFIX = re.compile(r"(号楼|号院|栋楼|号|栋|幢|座|楼|#)$")
_NUMERALS = {letter: number for number, letter in enumerate("〇一二三四五六七八九")} | {"零": 0}


@lru_cache(maxsize=1024)
def building_key(name: str) -> str:
    """The normal form by which buildings are matched."""
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    while (shorter := _SUFFIX.sub("", plain)) not in (plain, ""):
        plain = shorter
    plain = re.sub(r"^第(?=.)", "", plain)
    number = _han_number(plain)
    if number is not None:
        return str(number)
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", plain)


def _han_number(text: str) -> int | None:
    """一 … 九十九, as far as buildings go."""
    tens, ten, ones = text.rpartition("十")
    if (tens and tens not in _NUMERALS) or (ones and ones not in _NUMERALS) or not (ten or ones):
        return None
    return (_NUMERALS.get(tens, 1) * 10 if ten else 0) + _NUMERALS.get(ones, 0)


def building_name(written: str) -> str:
    """What a building that is not there yet would be called."""
    key = building_key(written)
    return f"{key} 号楼" if key.isdigit() else " ".join(written.split())


_DOOR_WORDS = str.maketrans(
    dict.fromkeys("室号户房门", "") | {"单": "-", "元": "", "—": "-", "－": "-", "–": "-", "_": "-"}
)


def door_key(door: str) -> str:
    """By which doors are matched: 「1单元301室」 is 「1-301」."""
    return "".join(unicodedata.normalize("NFKC", door).casefold().split()).translate(_DOOR_WORDS).strip("-")

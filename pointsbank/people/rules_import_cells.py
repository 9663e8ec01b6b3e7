"""One row of a roster: what each cell means, what was put right in it, and what cannot be."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from types import MappingProxyType

import msgspec

from pointsbank.kit import text
from pointsbank.people.rules import DOOR_LENGTH_MAX, NAME_LENGTH_MAX
from pointsbank.people.rules_import import CELL_LENGTH_MAX, FAULTS, Cell, Field, Plan, Problem, is_sensitive

AGE_MAX = 120
GUARDED_BELOW = 14
HOUSEHOLD_LENGTH_MAX = 40


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NOTHING = _set("无 没有 - -- — —— / \\ null none n/a na 不详 未知 暂无 不清楚") | {""}
_NOTHING_LENGTH_MAX = max(map(len, _NOTHING))
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!)", re.IGNORECASE)
_FORMULA = re.compile(r"^[=+\-@＝＋－＠\t\r]")
_GARBLED = re.compile(r"\ufffd|锟斤拷|烫烫烫|屯屯屯|[\xa1-\xff]{2,}")
_SCIENTIFIC = re.compile(r"^[0-9]+(\.[0-9]+)?[Ee]\+?[0-9]+$")
_STARS = re.compile(r"[*＊×✱]")
_DATE = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}([T ].*)?")

_HOLES = re.compile(r"[□■?？●○〓◇◆_]")
_BETWEEN_HAN = re.compile(
    r"(?<=[\u3400-\u9fff\U00020000-\U0003ffff·])[ \u3000]+(?=[\u3400-\u9fff\U00020000-\U0003ffff·])"
)
_DOTS = re.compile(r"(?<=[\u3400-\u9fff])[•‧・･.．](?=[\u3400-\u9fff])")
_TITLE = re.compile(
    r"^(户主|业主|租户|租客|住户|户代表)(?=.)|(?<=.)(先生|女士|小姐|阿姨|大爷|大妈|大姐|大哥|奶奶|爷爷|师傅|老师|书记|主任|同志|叔叔|婶婶|嫂子)$"
)
_PLACEHOLDER = _NOTHING - {""} | _set(
    "空户 空置 空房 空关 出租 群租 无人 无人居住 商铺 待定 某某 户主 业主 姓名 无名氏"
)
_LETTER = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff·A-Za-z\u00c0-\u024f' .\-]")
_RARE = re.compile(r"[\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0003ffff]")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")

# No surnames, but the look of one; and the writing of Taiwan and Hong Kong, which may be the right one.
_PAIRS = re.findall(
    r"\S\S",
    """
    增曾 憎曾 僧曾 令冷 呂吕 侶吕 侣吕 候侯 粱梁 扬杨 潭谭 祈祁 园袁 圆袁 刈刘 壬任 沉沈 彰章 涨张 帐张 账张 阵陈 陣陈
    除徐 昊吴 工王 玊王 汁叶 湖胡 廓郭 拖施 槽曹 聋龚 催崔 摧崔 箩罗 萝罗 寥廖 僚廖 戢戚 尢尤 未朱 末朱 咯骆 洛骆 铙饶
    烧饶 绕饶 猫苗 吗马 码马 玛马 赫郝 绉邹 诌邹 澎彭 膨彭 消肖 销肖 沿闫 黃黄 張张 陳陈 劉刘 趙赵 吳吴 呉吴 孫孙 馬马
    楊杨 許许 鄭郑 馮冯 鄧邓 蕭萧 葉叶 蘇苏 盧卢 賈贾 鍾钟 譚谭 韓韩 羅罗 謝谢 蔣蒋 閻阎 顧顾 龔龚
    """,
)
LOOKALIKES = MappingProxyType({ord(pair[0]): pair[1] for pair in _PAIRS})
_REAL_DOUBLES = ("令狐",)

SEXES = dict.fromkeys(_set("男 男性 m male 1"), "m") | dict.fromkeys(_set("女 女性 f female 2"), "f")
YES = _set("是 同意 愿意 可以 有 y yes true 1 √ ✓ ✔")
NO = _set("否 不同意 不愿意 不 不可以 n no false 0 × x")
HEADS = _set("户主 本人 户主本人 本户户主 主")

# What makes a text unfit, surest sign first: the key, the sign, and the fact that its words name.
_Signs = tuple[tuple[str, re.Pattern[str], str], ...]
_UNFIT_NAME: _Signs = (
    ("example_row", re.compile(r"^(示例|例[:：])"), ""),
    ("name_masked", _STARS, ""),
    ("name_hole", _HOLES, "letter"),
    ("name_brackets", re.compile(r"[()（）\[\]【】]"), ""),
    ("name_several", re.compile(r"[,，、;；/|]"), ""),
    ("name_digits", re.compile(r"[0-9０-９]"), ""),
    ("name_title", _TITLE, "title"),
)
_UNFIT_ID: _Signs = (
    ("id_scientific", _SCIENTIFIC, "value"),
    ("id_masked", _STARS, ""),
    ("id_is_phone", re.compile(r"^1[3-9][0-9]{9}$|^100[0-9]{8}$"), ""),
    ("id_old", re.compile(r"^[0-9]{15}$"), ""),
    ("id_other", re.compile(r"^[A-Z]{1,2}[0-9()]{6,12}$"), ""),
    ("id_letters", re.compile(r"^(?![0-9]+X?$)"), ""),
    ("id_length", re.compile(r"^(?!.{18}$)"), "n"),
)
_UNFIT_PHONE: _Signs = (
    ("phone_scientific", _SCIENTIFIC, "value"),
    ("phone_masked", _STARS, ""),
    ("phone_is_id", re.compile(r"^[0-9]{17}[0-9Xx]$"), ""),
    ("phone_foreign", re.compile(r"^(\+[0-9]+|00[0-9]{9,})$"), ""),
    ("phone_landline", re.compile(r"^(0[0-9]{9,11}|[2-9][0-9]{6,7})$"), ""),
    ("phone_length", re.compile(r"^(?!.{11}$)[0-9]+$"), "n"),
    ("phone_unfit", re.compile(r""), ""),
)


class Draft(msgspec.Struct):
    """What is in a row, as far as the row alone tells."""

    number: int
    problems: list[Problem]
    accepted: bool = False
    name: str = ""
    household: str = ""
    is_head: bool = False
    building: str = ""
    door: str = ""
    phone: str = ""
    id_number: str = ""
    birth_year: int | None = None
    sex: str | None = None
    tags: list[str] = []
    publication: bool = False

    def say(self, field: Field | str, key: str, **facts: str | int) -> None:
        self.problems.append(Problem(str(field), key, facts))

    def say_sign(self, field: Field, signs: _Signs, written: str) -> bool:
        for key, sign, fact in signs:
            if hit := sign.search(written):
                self.say(field, key, **({fact: len(written) if fact == "n" else hit[0]} if fact else {}))
                return True
        return False

    def has_fault(self, field: Field) -> bool:
        return any(problem.field == field and problem.key in FAULTS for problem in self.problems)


def read_row(number: int, cells: Sequence[Cell], plan: Plan, *, accepted: bool, this_year: int) -> Draft:
    draft = Draft(number, [], accepted=accepted)

    def cell(field: Field) -> Cell:
        at = plan.columns.get(field.value, -1)
        return cells[at] if 0 <= at < len(cells) else None

    _name(draft, cell(Field.NAME))
    draft.household = _words(draft, Field.HOUSEHOLD, cell(Field.HOUSEHOLD), HOUSEHOLD_LENGTH_MAX)
    relation = _words(draft, Field.RELATION, cell(Field.RELATION), CELL_LENGTH_MAX)
    draft.is_head = text.search_key(relation) in HEADS
    draft.building = _words(draft, Field.BUILDING, cell(Field.BUILDING), NAME_LENGTH_MAX, date_key="building_date")
    draft.door = _words(draft, Field.DOOR, cell(Field.DOOR), DOOR_LENGTH_MAX, date_key="door_date")
    _phone(draft, cell(Field.PHONE))
    _id_number(draft, cell(Field.ID_NUMBER))
    _birth(draft, cell(Field.BIRTH), this_year)
    _sex(draft, cell(Field.SEX))
    _tags(draft, cell(Field.TAGS))
    _publication(draft, cell(Field.PUBLICATION), plan)
    _of_id_number(draft, this_year)
    return draft


def text_of(cell: Cell) -> str:
    """A cell as text, numbers as people write them."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip().removeprefix("\ufeff")


def _plain(draft: Draft, field: Field, cell: Cell, most: int) -> str:
    """The text of a cell that holds words; empty when there is nothing, or nothing good."""
    written = text_of(cell)
    now = len(written)
    if not written or (now <= _NOTHING_LENGTH_MAX and text.search_key(written) in _NOTHING):
        return ""
    if isinstance(cell, bool):
        draft.say(field, "not_text")
    elif _ERRORS.fullmatch(written):
        draft.say(field, "cell_error", value=written)
    elif isinstance(cell, str) and _FORMULA.match(cell):
        draft.say(field, "formula", sign=cell[0].strip() or "Tab")
    elif _GARBLED.search(written):
        draft.say(field, "garbled")
    elif now > most:
        draft.say(field, "too_long", most=most, now=now)
    else:
        return written
    return ""


def _words(draft: Draft, field: Field, cell: Cell, most: int, *, date_key: str = "") -> str:
    written = _plain(draft, field, cell, most)
    if not written:
        return ""
    if date_key and _DATE.fullmatch(written):
        draft.say(field, date_key)
        return ""
    try:
        return text.clean(written)
    except text.BadText:
        draft.say(field, "unseen")
        return ""


# The name


def _name(draft: Draft, cell: Cell) -> None:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        draft.say(Field.NAME, "name_number")
        return
    if isinstance(cell, str) and cell.strip() in _PLACEHOLDER:
        draft.say(Field.NAME, "name_placeholder", value=cell.strip())
        return
    written = _plain(draft, Field.NAME, cell, NAME_LENGTH_MAX)
    if not written:
        if not draft.has_fault(Field.NAME):
            draft.say(Field.NAME, "name_missing")
        return
    private = next((letter for letter in written if unicodedata.category(letter) == "Co"), "")
    if private:
        draft.say(Field.NAME, "name_private", letter=f"U+{ord(private):04X}")
    if private or draft.say_sign(Field.NAME, _UNFIT_NAME, written):
        return
    name = _mended_name(draft, written)
    try:
        name = text.clean(name)
    except text.BadText:
        draft.say(Field.NAME, "unseen")
        return
    strange = next((letter for letter in name if not _LETTER.fullmatch(letter)), None)
    if strange is not None:
        draft.say(Field.NAME, "name_letter", letter=strange)
        return
    draft.name = name
    _doubts(draft, name)


def _mended_name(draft: Draft, written: str) -> str:
    """Full-width letters and radicals that only look like characters are made plain; other characters stay theirs."""
    narrow = "".join(
        unicodedata.normalize("NFKC", letter)
        if "\u2e80" <= letter <= "\u2fdf" or "\uff01" <= letter <= "\uff5e"
        else letter
        for letter in written
    )
    if narrow != written:
        draft.say(Field.NAME, "name_narrowed")
    close = _DOTS.sub("·", _BETWEEN_HAN.sub("", narrow))
    if len(close) != len(narrow):
        draft.say(Field.NAME, "name_spaces")
    return close


def _doubts(draft: Draft, name: str) -> None:
    if len(name) == 1:
        draft.say(Field.NAME, "name_short")
    rare = _RARE.search(name)
    if rare:
        draft.say(Field.NAME, "name_rare", letter=rare[0])
    meant = LOOKALIKES.get(ord(name[0]))
    if meant is not None and not name.startswith(_REAL_DOUBLES):
        shown = text.mask_name(name)
        draft.say(Field.NAME, "surname_lookalike", name=shown, letter=name[0], meant=text.mask_name(meant + name[1:]))


def folded(name: str) -> str:
    """By which names are compared that differ only in characters that look alike."""
    return "".join(text.search_key(name).split()).translate(LOOKALIKES)


# Numbers


def _id_number(draft: Draft, cell: Cell) -> None:
    field = Field.ID_NUMBER
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if is_number and abs(float(cell)) >= 1e15:  # type: ignore[arg-type]  # a number, as just asked
        draft.say(field, "id_precision")
        return
    raw = _plain(draft, field, cell, CELL_LENGTH_MAX)
    number = text.normal_id_number(raw.strip("'‘’`\"“”")).replace("-", "")
    if not number:
        return
    if draft.say_sign(field, _UNFIT_ID, number):
        return
    if not text.id_number_ok(number):
        is_sum_right = _check_digit(number) == number[-1]
        draft.say(field, "id_precision" if number.endswith("000") else "id_unreal" if is_sum_right else "id_checksum")
        return
    if number != raw:
        draft.say(field, "id_narrowed")
    draft.id_number = number


def _check_digit(number: str) -> str:
    """ISO 7064 MOD 11-2."""
    return "10X98765432"[sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(number[:17])) % 11]


def _phone(draft: Draft, cell: Cell) -> None:
    field = Field.PHONE
    raw = text_of(cell)
    written = raw if re.match(r"^[+＋]\s*[0-9０-９]", raw) else _plain(draft, field, cell, CELL_LENGTH_MAX)
    phone = text.normal_phone(re.sub(r"[()（）'‘’`\"“”]", "", written))
    if not phone:
        return
    if not text.phone_ok(phone):
        several = [one for one in re.split(r"[/、,，;；\s|]+", written) if text.phone_ok(text.normal_phone(one))]
        if len(several) > 1:
            draft.say(field, "phone_several")
        else:
            draft.say_sign(field, _UNFIT_PHONE, phone)
        return
    if phone != written:
        draft.say(field, "phone_narrowed")
    draft.phone = phone


# Years


def _birth(draft: Draft, cell: Cell, this_year: int) -> None:
    field = Field.BIRTH
    written = unicodedata.normalize("NFKC", _plain(draft, field, cell, CELL_LENGTH_MAX))
    if not written:
        return
    year, is_serial = _year_of(written, is_number=not isinstance(cell, str))
    if year is None:
        draft.say(field, "birth_age" if re.fullmatch(r"[0-9]{1,3}(岁|年|后)?", written) else "birth_unfit")
    elif not this_year - AGE_MAX <= year <= this_year:
        draft.say(field, "birth_range", year=year)
    else:
        draft.birth_year = year
        if is_serial:
            draft.say(field, "birth_serial")


def _year_of(written: str, *, is_number: bool) -> tuple[int | None, bool]:
    """1950 · 1950.3 · 1950-03-02 · 1950/3/2 · 1950年3月2日 · 19500302 · 3/2/1950 · Excel's 18324."""
    plain = re.sub(r"[T ][0-9:.]+(Z|[+-][0-9:]+)?$", "", written.strip())
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", plain):
        return (date(1899, 12, 30) + timedelta(days=int(float(plain)))).year, True
    if is_number and re.fullmatch(r"[0-9]{4}\.[0-9]+", plain):  # 1990.1 was meant: the first month, or the tenth
        return int(plain[:4]), False
    hit = re.fullmatch(r"([0-9]{4})([0-9]{2})?([0-9]{2})?", plain) or re.fullmatch(
        r"([0-9]{4})\s*[-./年]\s*([0-9]{1,2})?\s*[-./月]?\s*([0-9]{1,2})?\s*[日.]?", plain
    )
    if hit is None:
        other = re.fullmatch(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{4})", plain)
        return (int(other[3]), False) if other else (None, False)
    try:
        return date(int(hit[1]), int(hit[2] or 1), int(hit[3] or 1)).year, False
    except ValueError:
        return None, False


def _sex(draft: Draft, cell: Cell) -> None:
    written = _plain(draft, Field.SEX, cell, CELL_LENGTH_MAX)
    if not written:
        return
    draft.sex = SEXES.get(text.search_key(written))
    if draft.sex is None:
        draft.say(Field.SEX, "sex_unknown")


def _of_id_number(draft: Draft, this_year: int) -> None:
    """Year and sex are in the ID number too; what the columns say may not contradict it."""
    if draft.id_number:
        year, sex = int(draft.id_number[6:10]), "m" if int(draft.id_number[16]) % 2 else "f"
        if draft.birth_year is not None and draft.birth_year != year:
            draft.say(Field.BIRTH, "birth_contradicts_id", year=draft.birth_year, other=year)
        if draft.sex is not None and draft.sex != sex:
            draft.say(Field.SEX, "sex_contradicts_id")
        if not this_year - AGE_MAX <= year <= this_year:
            draft.say(Field.ID_NUMBER, "birth_range", year=year)
        draft.birth_year, draft.sex = year, sex
    if draft.birth_year is not None and this_year - draft.birth_year < GUARDED_BELOW:
        draft.say(Field.BIRTH, "minor")


# Tags, and who agreed to be named


def _tags(draft: Draft, cell: Cell) -> None:
    written = _plain(draft, Field.TAGS, cell, CELL_LENGTH_MAX)
    for tag in dict.fromkeys(re.split(r"[,，、;；/|\s]+", written)):
        if tag and text.search_key(tag) not in _NOTHING:
            if is_sensitive(tag):
                draft.say(Field.TAGS, "tag_sensitive", tag=tag)
            draft.tags.append(tag)


def _publication(draft: Draft, cell: Cell, plan: Plan) -> None:
    if Field.PUBLICATION.value not in plan.columns:
        draft.publication = plan.publication
        return
    said = text.search_key("是" if cell is True else "否" if cell is False else text_of(cell))
    draft.publication = said in YES
    if said and said not in YES | NO | _NOTHING:
        draft.say(Field.PUBLICATION, "publication_unknown")

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypinyin import constants

from pointsbank.kit import text
from pointsbank.kit.text import BadText

han = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)


# Cleaning


def test_cleaning_keeps_the_words_and_tidies_the_blanks():
    assert text.clean("  测试　　甲 ") == "测试 甲"
    assert text.clean("e\u0301") == "é"
    assert text.clean("") == ""
    assert text.clean("𠮷田䶮") == "𠮷田䶮"


@pytest.mark.parametrize(
    "letter",
    ["\x00", "\n", "\x7f", "\x9b", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\ue000", "\ud800", "\u3164"],
)
def test_letters_that_nobody_can_see_are_refused(letter):
    with pytest.raises(BadText):
        text.clean(f"测试{letter}甲")


@given(st.text())
def test_what_is_clean_stays_as_it_is(raw):
    try:
        once = text.clean(raw)
    except BadText:
        return
    assert text.clean(once) == once


@given(st.text())
def test_a_search_key_is_its_own_search_key(raw):
    assert text.search_key(text.search_key(raw)) == text.search_key(raw)


def test_width_and_case_do_not_matter_in_a_search():
    assert text.search_key("ＡＢＣ測試") == text.search_key("abc測試")
    assert text.normal_digits(" ８８０ １２３ ") == "880123"


# Phones and ID numbers


@pytest.mark.parametrize(
    "written", ["19900000001", "+86 199 0000 0001", "0086-19900000001", "８６１９９００００ ０００１"]
)
def test_a_phone_is_the_same_however_it_is_written(written):
    assert text.normal_phone(written) == "19900000001"
    assert text.phone_ok(text.normal_phone(written))


@pytest.mark.parametrize(
    ("phone", "ok"),
    [
        ("13800000000", True),
        ("10000000000", True),
        ("12800000000", False),
        ("10100000000", False),
        ("1380000000", False),
        ("138000000000", False),
        ("13800000000\n", False),
        ("1380000000٣", False),
    ],
)
def test_only_mobile_numbers_and_plainly_invented_ones_are_phones(phone, ok):
    assert text.phone_ok(phone) is ok


def test_an_id_number_needs_place_day_and_check_digit():
    number = text.normal_id_number(" 11010519491231002x ")  # the example printed in GB 11643
    assert text.id_number_ok(number)
    assert not text.id_number_ok("110105194912310021")
    assert not text.id_number_ok("11010519491331002X")
    assert not text.id_number_ok("110105491231002")
    assert not text.id_number_ok("37320012400113082X")  # right but for its county, which there is not


@given(st.text(max_size=20) | st.text("0123456789xX²", min_size=18, max_size=18))
def test_any_text_is_an_id_number_or_not(raw):
    assert text.id_number_ok(text.normal_id_number(raw)) in (True, False)


# Masks


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("张 三", "张*"),
        ("欧阳小明", "欧**明"),
        ("阿依古丽·买买提", "阿**丽·买*提"),
        ("阿依·买", "阿*·*"),
        ("John Smith", "J*** S****"),
        ("Anne-Marie O", "A***-M**** *"),
        ("张", "*"),
        ("", ""),
    ],
)
def test_names_are_masked_as_promised(name, masked):
    assert text.mask_name(name) == masked


@given(st.text(han, min_size=1, max_size=12))
def test_a_mask_shows_at_most_the_ends_and_tells_the_length(name):
    masked = text.mask_name(name)
    assert len(masked) == len(name)
    assert sum(letter != "*" for letter in masked) <= (2 if len(name) > 2 else 1)
    assert "*" in masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812341234", "138****1234"),
        ("+86 100 0000 0000", "100****0000"),
        ("010-6000 1234", "****1234"),
        ("12345", "****"),
        ("", "****"),
    ],
)
def test_phones_are_masked_as_promised(phone, masked):
    assert text.mask_phone(phone) == masked


def test_of_an_id_number_only_the_last_four_show():
    assert text.mask_id_number("002X") == "**************002X"
    with pytest.raises(AssertionError):
        text.mask_id_number("1231002X")


# Pinyin


@pytest.mark.parametrize(
    ("name", "first", "full"),
    [
        ("曾小明", "zxm", "zengxiaoming"),
        ("单小明", "sxm", "shanxiaoming"),
        ("解小明", "xxm", "xiexiaoming"),
        ("仇小明", "qxm", "qiuxiaoming"),
        ("区小明", "oxm", "ouxiaoming"),
        ("查小明", "zxm", "zhaxiaoming"),
        ("尉迟明", "ycm", "yuchiming"),
        ("任小明", "rxm", "renxiaoming"),
        ("朴小明", "pxm", "piaoxiaoming"),
        ("万俟明", "mqm", "moqiming"),
        ("翟小明", "zxm", "zhaixiaoming"),
        ("盖小明", "gxm", "gexiaoming"),
        ("覃小明", "qxm", "qinxiaoming"),
        ("单于明", "cym", "chanyuming"),
        ("吕小明", "lxm", "lvxiaoming"),
    ],
)
def test_surnames_are_found_as_they_are_spoken(name, first, full):
    assert first in text.initials(name)
    assert {first, full} <= text.pinyin_keys(name)
    assert text.name_matches(first, name)
    assert text.name_matches(full, name)


def test_the_book_of_phrases_stays_closed():
    """Every start of the program would read it, for nothing: characters are asked one at a time."""
    assert constants.PHRASES_DICT == {}


def test_the_likeliest_reading_stands_first_and_the_others_are_found_too():
    assert text.syllables("单明")[0][0] == "shan"
    assert {"sm", "dm"} <= text.initials("单明")
    assert {"wl", "wy"} <= text.initials("王乐")


@pytest.mark.parametrize(
    "query", ["曾", "小明", "zeng", "zengxiao", "zxm", "xm", "zengxm", "zxming", "ZXM", "ｚｘｍ", "z x m"]
)
def test_a_name_is_found_by_any_way_of_typing_it(query):
    assert text.name_matches(query, "曾小明")


@pytest.mark.parametrize("query", ["", " ", "张", "eng", "zm", "zxmm", "xiaomingz", "明小", "%", "\ud800"])
def test_a_name_is_not_found_by_what_it_is_not(query):
    assert not text.name_matches(query, "曾小明")


def test_names_in_other_scripts_are_found_by_their_words():
    assert text.initials("John Smith") == {"js"}
    assert text.pinyin_keys("阿依·Smith") >= {"ays"}
    assert text.name_matches("smi", "John Smith")
    assert text.pinyin_keys("") == frozenset()


@given(st.text(max_size=30), st.text(max_size=30))
@example("a" * 30, "a" * 15 + " " + "a" * 14)
def test_any_search_for_any_name_gets_an_answer(query, name):
    assert text.name_matches(query, name) in (True, False)
    assert len(text.pinyin_keys(name)) <= 2 * 4**4


@given(st.text(han, min_size=1, max_size=6))
def test_every_key_of_a_name_finds_it(name):
    assert all(text.name_matches(key, name) for key in text.pinyin_keys(name))


@pytest.mark.parametrize("name", ["曾重行", "欧阳长乐", "单于朝盛"])
def test_many_readings_stay_few_enough_to_keep(name):
    assert len(text.pinyin_keys(name)) <= 300


@pytest.mark.parametrize("letter", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u3164", "\U000e0041"])
def test_what_nobody_sees_falls_away_and_nothing_else(letter):
    assert text.seen(f"张{letter}三 \ue000\t🏮\ufe0f\n") == "张三 \ue000\t🏮\ufe0f\n"

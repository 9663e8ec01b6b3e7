"""zh-CN is the source text; en.po has every text and nothing else."""

import re
from functools import cache
from string import Formatter

import polib
import pytest

from pointsbank.awards.rules import NotYourStep
from pointsbank.web import current, i18n

PERCENT = re.compile(r"%\((\w+)\)s")
sources = cache(i18n.sources)
CHINESE_EXAMPLES = ("王*兰", "大米")  # English tells of a masked name and of goods as they stand in the data


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name} | set(PERCENT.findall(text))


def entries() -> dict[str, str]:
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(i18n.CATALOGUE)) if not entry.obsolete}


def test_every_text_is_translated():
    found, translated = sources(), entries()
    missing = [f"{where}: {text}" for text, where in found.items() if not translated.get(text)]
    assert not missing, "\n".join(missing)


def test_nothing_is_translated_that_nobody_says():
    found = sources()
    assert [text for text in entries() if text not in found] == []


def test_every_text_stands_once():
    listed = [entry.msgid for entry in polib.pofile(str(i18n.CATALOGUE)) if not entry.obsolete]
    assert len(listed) == len(set(listed))


def test_both_languages_name_the_same_facts():
    differing = {text: said for text, said in entries().items() if said and facts(text) != facts(said)}
    assert differing == {}


def test_english_is_not_chinese():
    left = {}
    for text, said in entries().items():
        plain = said
        for example in CHINESE_EXAMPLES:
            plain = plain.replace(example, "")
        if i18n.HAN.search(plain):
            left[text] = said
    assert left == {}


@pytest.mark.parametrize("count", [1, 2, "1", "1,200", "…"])
def test_every_english_text_can_be_filled_with_numbers_and_with_words(count):
    for said in entries().values():
        filled = i18n.fill(said, dict.fromkeys(facts(said), count))
        assert "|" not in filled
        assert "{" not in filled


def test_a_number_written_as_text_has_its_plural():
    text = "{points} {points:point|points}"
    assert [i18n.fill(text, {"points": many}) for many in (1, "1", 2, "1,200")] == [
        "1 point",
        "1 point",
        "2 points",
        "1,200 points",
    ]
    assert i18n.fill(text, {}) == "… points"


def test_extraction_sees_templates_marks_titles_and_refusals():
    found = sources()
    assert found["跳到正文"] == "base.html"
    assert found["有 {n} 处要改"] == "_macros.html"
    assert found["操作太快，请稍等再试。"] == "web/problems.py"
    assert found["现在太忙，请过几秒再试，不会重复记账。"] == "kit/errors.py"
    assert found["请选择退回的原因"] == "awards/routes.py"
    assert found["本人没有到场"] == "awards/rules.py"
    assert found["这一项每人每天最多 {most}"] == "scoring/rules.py"


def test_words_among_the_facts_of_a_refusal_are_translated_too():
    refusal = NotYourStep(role="社区管理员")
    assert i18n.t(refusal) == "这条记录现在等“社区管理员”审核，还轮不到这一步。"
    token = current.scope.set({"type": "http", "headers": [], "locale": "en"})
    try:
        assert i18n.t(refusal) == "This record waits for somebody else first: Community administrator."
    finally:
        current.scope.reset(token)

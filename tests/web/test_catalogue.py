"""zh-CN is the source text; en.po has every text and nothing else."""

import re
from string import Formatter

import polib

from pointsbank.web import i18n

PERCENT = re.compile(r"%\((\w+)\)s")


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name} | set(PERCENT.findall(text))


def entries() -> dict[str, str]:
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(i18n.CATALOGUE)) if not entry.obsolete}


def test_every_text_is_translated():
    found, translated = i18n.sources(), entries()
    missing = [f"{where}: {text}" for text, where in found.items() if not translated.get(text)]
    assert not missing, "\n".join(missing)


def test_nothing_is_translated_that_nobody_says():
    found = i18n.sources()
    assert [text for text in entries() if text not in found] == []


def test_both_languages_name_the_same_facts():
    differing = {text: said for text, said in entries().items() if said and facts(text) != facts(said)}
    assert differing == {}


def test_extraction_sees_templates_marks_titles_and_refusals():
    found = i18n.sources()
    assert found["跳到正文"] == "base.html"
    assert found["有 {n} 处要改"] == "_macros.html"
    assert found["操作太快，请稍等再试。"] == "web/problems.py"
    assert found["现在太忙，请过几秒再试，不会重复记账。"] == "kit/errors.py"

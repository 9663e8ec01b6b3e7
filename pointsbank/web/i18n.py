"""Language: zh-CN is the source text, `locale/en.po` the one catalogue.

Facts stand in the text as {name}, points in a refusal as {missing:amount} (kit/errors.py). English counts with
`{n} {n:person|people}`: the first word where n is 1.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import polib
from jinja2.ext import extract_from_ast

from pointsbank.kit import paths
from pointsbank.kit.errors import Refusal
from pointsbank.web import current, formats
from pointsbank.web.current import Scope
from pointsbank.web.formats import Denominated

SOURCE, ENGLISH = "zh-CN", "en"
LOCALES = (SOURCE, ENGLISH)
CATALOGUE = Path(__file__).parent / "locale" / "en.po"
MARKS = {"_", "N_", "translate"}
AMOUNT = "amount"
HAN = re.compile("[\u3400-\u9fff]")
ISO_DAY = re.compile("[0-9]{4}-[01][0-9]-[0-3][0-9]")


def locale_of(scope: Scope | None) -> str:
    """The reader's choice (cookie `lang`); under /api/ the Accept-Language header, which pages ignore.

    A borrowed PC with an English browser must not show residents an English page.
    """
    if scope is None:
        return SOURCE
    known = scope.get("locale")
    if known is None:
        if current.is_api(scope):
            known = ENGLISH if current.header(scope, b"accept-language").lower().startswith("en") else SOURCE
        else:
            known = ENGLISH if current.cookie(scope, "lang") == ENGLISH else SOURCE
        scope["locale"] = known
    return str(known)


def locale_now() -> str:
    return locale_of(current.scope.get())


@cache
def english() -> dict[str, str]:
    """The catalogue; called once at start, so that no request waits for the file."""
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(CATALOGUE)) if entry.msgstr and not entry.obsolete}


class _Unit(msgspec.Struct, frozen=True):
    unit: str = formats.POINTS
    decimals: int = 0


class _Count(int):
    """A number among the facts; written as an amount of points, it is one of `of`."""

    of: Denominated = _Unit()

    def __format__(self, spec: str) -> str:
        if spec == AMOUNT:
            return amount(self, self.of)
        return _plural(spec, is_one=self == 1) if "|" in spec else super().__format__(spec)


class _Word(str):
    """Counts come as text too ("1,200"), from the filters that write them."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return _plural(spec, is_one=self == "1") if "|" in spec else super().__format__(spec.removesuffix(AMOUNT))


def _plural(spec: str, *, is_one: bool) -> str:
    one, _, many = spec.partition("|")
    return one if is_one else many


class _Facts(dict[str, Any]):
    """A refusal stored long ago may lack a fact that its text names today; it must still be shown."""

    def __missing__(self, name: str) -> str:
        return _Word("…")


def fill(text: str, facts: Mapping[str, Any]) -> str:
    """Put facts into a text of ours (never into a text that somebody typed)."""
    of = _Unit(facts["unit"], facts["decimals"]) if "decimals" in facts else _Count.of
    plain = {name: _shown(value, of) for name, value in facts.items()}
    return text.format_map(_Facts(plain))


def _shown(value: Any, of: Denominated) -> Any:
    if value is None:
        return ""
    if type(value) is int:
        count = _Count(value)
        count.of = of
        return count
    return _Word(value) if isinstance(value, str) else value


def in_locale(text: str, locale: str) -> str:
    return english().get(text, text) if locale == ENGLISH else text


def translate(text: str, locale: str | None = None, /, **facts: Any) -> str:
    """The text in a language (default: the reader's), with its facts filled in."""
    found = in_locale(text, locale or locale_now())
    return fill(found, facts) if facts else found


def _(text: str, /, **facts: Any) -> str:
    return translate(text, None, **facts)


def amount(points: int, of: Denominated) -> str:
    """An amount with its unit: 12 分, 1.5 时间币."""
    written = formats.points(points, of.decimals)
    return translate("{points} 分", None, points=written) if of.unit == formats.POINTS else f"{written} {of.unit}"


def unit(of: Denominated) -> str:
    """The unit alone, for a heading: 分, 时间币."""
    return translate("分") if of.unit == formats.POINTS else of.unit


def N_(text: str, /) -> str:  # noqa: N802  # the gettext name for "marked here, translated when shown"
    return text


def t(refusal: Refusal) -> str:
    """What a refusal says to the reader; a fact that is a word of ours (a role) is translated too."""
    return with_words(refusal.message, **refusal.facts)


def with_words(text: str, /, **facts: Any) -> str:
    """The text with facts that may themselves be words of ours, such as the label of a field, or a day."""
    locale = locale_now()
    return fill(in_locale(text, locale), {name: _said(value, locale) for name, value in facts.items()})


def _said(fact: Any, locale: str) -> Any:
    if not isinstance(fact, str):
        return fact
    # Stored refusals hold a day as text. Its year is always named: a card may have been lost long ago.
    if ISO_DAY.fullmatch(fact):
        return formats.day(date.fromisoformat(fact), today=date.min, english=locale == ENGLISH)
    return in_locale(fact, locale)


def sources() -> dict[str, str]:
    """Every text that is to be translated, and the file in which it stands.

    Taken are the texts that are marked (`_`, `N_`), titles of form fields, literal words of `form.refuse`, messages of
    refusals, and, since rules may not import the web to mark them, each constant of a `rules*.py` that is a text or a
    dict of texts. A constant is read where it is loaded, so that texts put together from words are found as well.
    """
    from pointsbank.web import render  # noqa: PLC0415  # render needs translation, and only extraction needs render

    found: dict[str, str] = {}
    folder = paths.templates_dir()
    for file in sorted(folder.rglob("*.html")):
        for _line, _mark, message in extract_from_ast(render.environment().parse(file.read_text("utf-8"))):
            for text in (message,) if isinstance(message, str) else message or ():
                if text:
                    found.setdefault(text, str(file.relative_to(folder)))
    package = Path(__file__).parents[1]
    for file in sorted(package.rglob("*.py")):
        for text in _texts(ast.parse(file.read_text("utf-8"))):
            found.setdefault(text, str(file.relative_to(package)))
    for file in sorted(package.glob("*/rules*.py")):
        for text in _constants(f"{package.name}.{file.parent.name}.{file.stem}"):
            found.setdefault(text, str(file.relative_to(package)))
    return found


def _constants(module: str) -> Iterator[str]:
    for name, value in vars(import_module(module)).items():
        if name.isupper():
            texts = value.values() if isinstance(value, dict) else [value]
            yield from (text for text in texts if isinstance(text, str) and HAN.search(text))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _marked(node)
        elif isinstance(node, ast.ClassDef):
            yield from _refused(node)


def _marked(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in MARKS and call.args:
        yield from _constant(call.args[0])
    if name == "Meta":
        yield from (text for word in call.keywords if word.arg == "title" for text in _constant(word.value))
    if name == "refuse" and len(call.args) > 1:
        yield from _constant(call.args[1])


def _refused(owner: ast.ClassDef) -> Iterator[str]:
    said = {
        target.id: line.value
        for line in owner.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    if "message" in said:
        yield from _constant(said["message"])


def _constant(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value

"""How a form of `rules_form` is shown: its sections, the rows that are typed in, the choices there are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pointsbank.kit.errors import Refusal
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.scoring import rules, rules_edit, rules_form
from pointsbank.scoring.routes_pieces import writing
from pointsbank.scoring.rules import Item, Table
from pointsbank.scoring.rules_differences import cell
from pointsbank.scoring.rules_form import Field, Section, Sort, Texts, Wrong
from pointsbank.web.forms import Filled
from pointsbank.web.i18n import N_, _, with_words

T = TypeVar("T", Table, Item)
SPARE_ROWS, MORE_ROWS = 1, 3


def filled(texts: Texts) -> Filled[Any]:
    return Filled({name: "\n".join(values) for name, values in texts.items()}, texts)


def handed(form: Filled[Any], refusal: Refusal | None = None) -> Filled[Any]:
    """Refuse a form as a whole, with all that was typed still in it: its version has gone on to the meeting."""
    form.refuse("handed", refusal or rules.NotADraft())
    return form


def refuse_wrong(form: Filled[Any], wrong: Iterable[Wrong]) -> None:
    for one in wrong:
        form.refuse(one.field, with_words(one.text, **one.facts))


def refuse_both(
    form: Filled[Any], both: Iterable[str], now: T, typed: T, book_kinds: Mapping[str, Denomination]
) -> None:
    """Refuse what somebody else has changed as well, with both values."""
    write = writing(book_kinds)
    for name in both:
        words = {"stored": cell(now, name, _, write), "typed": cell(typed, name, _, write)}
        facts = {which: said or rules_edit.NONE for which, said in words.items()}
        form.refuse(_input_of(name, now, typed), with_words(rules_edit.CELL_WORDS["other"], **facts))


def _input_of(name: str, now: Table | Item, typed: Table | Item) -> str:
    """Where a field is typed: of the caps of an item, the one that a person has a day has a line of its own."""
    if name == "caps" and isinstance(now, Item) and isinstance(typed, Item):
        return name if rules_edit.day_cap_of(now) == rules_edit.day_cap_of(typed) else "day_cap"
    return name


def show_again(form: Filled[Any], texts: Texts, marks: str) -> None:
    """Show what was typed with what others have saved meanwhile: whoever sends it now has seen both."""
    shown = texts | {"seen": [marks]}
    form.lists |= shown
    form.typed |= {name: "\n".join(values) for name, values in shown.items()}


def drawn(
    sections: Sequence[Section], form: Filled[Any], usual: Texts, books: Iterable[Denomination], more: str
) -> dict[str, Any]:
    """What `scoring/_sections.html` shows; `more` names rows of which some more are wanted."""
    fields = [field for section in sections for field in section.fields]
    parts = [one for field in fields for one in (field, *field.parts)]
    return {
        "sections": [(section, _is_open(section, form, usual)) for section in sections],
        "rows": {field.name: _rows(field, form, more) for field in fields if field.parts},
        "options": {field.name: _options(field) for field in parts if field.options},
        "books": [(one.code, one.name) for one in books],
    }


def _options(field: Field) -> list[tuple[str, str]]:
    words = {True: (rules_form.YES, N_("是")), False: (rules_form.NO, N_("否"))}
    pairs = [words[one] if isinstance(one, bool) else (str(one), rules.WORDS[one]) for one in field.options]
    return [(value, _(word)) for value, word in pairs]


def _rows(field: Field, form: Filled[Any], more: str) -> list[list[str]]:
    """The rows as typed, and some empty ones; a piece has one row."""
    columns = [form.lists.get(part.name, []) for part in field.parts]
    length = max([len(column) for column in columns], default=0)
    rows = [[column[at] if at < len(column) else "" for column in columns] for at in range(length)]
    typed = [row for row in rows if any(row)]
    empty = [""] * len(field.parts)
    if field.sort is Sort.PIECE:
        return typed[:1] or [empty]
    return typed + [empty] * (MORE_ROWS if more == field.name else SPARE_ROWS)


def _is_open(section: Section, form: Filled[Any], usual: Texts) -> bool:
    """A section unfolds where something unusual stands in it, or something wrong."""
    for field in section.fields:
        names = rules_form.inputs_of(field)
        is_usual = all(
            [text for text in form.lists.get(name, []) if text] in ([text for text in usual.get(name, []) if text], [])
            for name in names
        )
        if field.name in form.errors or (field.sort is not Sort.BOOK and not is_usual):
            return True
    return form.typed.get("more", "") in [field.name for field in section.fields]

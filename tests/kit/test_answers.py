"""Answers that are kept under their keys come back as they were given, in few bytes."""

from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

import msgspec
import pytest

from pointsbank.kit.db import answers


class Colour(Enum):
    RED = "red"


class Line(msgspec.Struct, frozen=True):
    good_id: int
    name: str
    bought_on: date | None = None


class Bought(msgspec.Struct, frozen=True):
    order_id: int
    lines: list[Line]
    by_name: dict[str, Line]
    last: Line | None
    pair: tuple[int, Line]
    at: datetime
    colour: Colour


SALT = Line(3, "食用盐", date(2026, 11, 21))
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
BOUGHT = Bought(7, [SALT, Line(4, "米")], {"盐": SALT}, None, (1, SALT), NOON, Colour.RED)
ANSWERS: list[tuple[Any, Any]] = [
    (Bought, BOUGHT),
    (Line | None, None),
    (Line | None, SALT),
    (list[Line], [SALT]),
    (dict[str, int], {"a": 1}),
    (tuple[int, int], (1, 2)),
    (int, 5),
    (type(None), None),
]


@pytest.mark.parametrize(("kind", "given"), ANSWERS)
def test_an_answer_comes_back_as_it_was_given(kind: Any, given: Any):
    assert answers.reader(kind)(answers.stored(given)) == given


@pytest.mark.parametrize(("kind", "given"), ANSWERS)
def test_an_answer_that_was_kept_with_names_is_read_too(kind: Any, given: Any):
    assert answers.reader(kind)(msgspec.json.encode(given)) == given


def test_names_of_fields_are_not_kept():
    assert b"good_id" not in answers.stored(BOUGHT)


def test_a_field_that_came_later_has_its_default():
    assert answers.reader(Line)(b'[3,"\xe7\xb1\xb3"]') == Line(3, "米")

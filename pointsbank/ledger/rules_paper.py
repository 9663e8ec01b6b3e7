"""Where the next line of a paper passbook goes: eight rows a page, and what was brought forward stands in the first."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from pointsbank.kit.errors import Kind, Refusal

ROWS = 8
LINES_AT_ONCE = 70  # ten pages: nobody feeds more in one go


class OtherLines(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.other_lines"
    message = "这本存折刚才打过了，或又有了新的一笔。请刷新页面，看清从第几行打起。"


class BookNotBegun(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.book_not_begun"
    message = "这一本还没有打过，不用换新存折。"


class Place(msgspec.Struct, frozen=True):
    """How far a passbook is printed.

    Rows 1 to `row` of the page are on paper. The page's lines come after the move `page_after`, 0 where there was none;
    the last line on paper is the move `last_move`.
    """

    book: int = 1
    page: int = 1
    row: int = 0
    page_after: int = 0
    last_move: int = 0

    def __post_init__(self) -> None:
        assert self.book >= 1
        assert self.page >= 1
        assert 0 <= self.row <= ROWS
        assert 0 <= self.page_after <= self.last_move

    @property
    def carries(self) -> bool:
        """Whether the page's first row says what was brought forward."""
        return self.page_after > 0

    @property
    def is_new(self) -> bool:
        return self.row == 0


class HasMove(Protocol):
    @property
    def move_id(self) -> int: ...


Line = TypeVar("Line", bound=HasMove)


class Row(msgspec.Struct, Generic[Line], frozen=True):
    """One row of a page. `line` is None for an empty one; a carried line is shown by its balance alone."""

    line: Line | None
    is_carried: bool = False
    is_printed: bool = False


class Page(msgspec.Struct, Generic[Line], frozen=True):
    number: int
    rows: list[Row[Line]]

    @property
    def is_new(self) -> bool:
        """Whether nothing stands on it yet, not even its heading."""
        return not self.rows[0].is_printed

    @property
    def used(self) -> int:
        return sum(row.line is not None for row in self.rows)

    @property
    def has_unprinted(self) -> bool:
        return any(row.line is not None and not row.is_printed for row in self.rows)


def pages(place: Place, carried: Line | None, lines: Sequence[Line]) -> list[Page[Line]]:
    """The page at which the book stands, and those that follow; `lines` are all after its `page_after`."""
    assert (carried is not None) == place.carries
    made: list[Page[Line]] = []
    waiting = list(lines)
    while not made or waiting:
        first: list[Row[Line]] = [] if carried is None else [Row(carried, is_carried=True)]
        room = ROWS - len(first)
        taken, waiting = waiting[:room], waiting[room:]
        rows = first + [Row(line) for line in taken]
        rows += [Row(None)] * (ROWS - len(rows))
        if not made:
            rows = [Row(row.line, row.is_carried, index < place.row) for index, row in enumerate(rows)]
        made.append(Page(place.page + len(made), rows))
        carried = taken[-1] if taken else carried
    return made


def after_printing(place: Place, lines: Sequence[Line]) -> Place:
    """Where the book stands once these lines, all after its `page_after`, are on paper."""
    page, after, carries = place.page, place.page_after, place.carries
    left = list(lines)
    while len(left) > ROWS - carries:
        room = ROWS - carries
        after, left = left[room - 1].move_id, left[room:]
        page, carries = page + 1, True
    last = left[-1].move_id if left else after
    return Place(place.book, page, len(left) + carries, after, last)


def new_book(place: Place) -> Place:
    """An empty book that begins with what was brought forward; refuses where nothing is on paper yet."""
    if place.last_move == 0 or (place.page == 1 and place.row == 0):
        raise BookNotBegun
    return Place(place.book + 1, 1, 0, place.last_move, place.last_move)

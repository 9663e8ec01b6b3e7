"""Points of paper passbooks, taken over by lists that a second person confirms."""

from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import MAIN, Books
from tests.ledger.oracle_rows import No


@dataclass
class Line:
    person: int
    home: int | None
    points: int
    is_live: bool = True

    @property
    def whose(self) -> tuple[int | None, int | None]:
        return (self.person, None) if self.home is None else (None, self.home)


@dataclass
class Opening:
    lines: list[Line]
    last_day: date
    day: date
    state: str = "draft"


@dataclass
class Openings(Books):
    openings: list[Opening] = field(default_factory=list)

    def make_list(self, lines: list[Line], day: date, last_day: date) -> None:
        if self.is_closed(day):
            raise No("day_closed")
        live = {line.whose for one in self.openings for line in one.lines if line.is_live}
        for line in lines:
            if line.whose in live:
                raise No("opened_elsewhere")
            live.add(line.whose)
        self.add(self.openings, Opening(lines, last_day, day))

    def ask_list(self, place: int, *, is_maker: bool) -> None:
        self._in_state(place, "draft")
        if not is_maker:
            raise No("not_the_maker", "approvals")
        self._check_day(place)
        self.put(self.openings[place], "state", "asked")

    def give_list(self, place: int, *, is_maker: bool, has_seen: bool) -> None:
        self._in_state(place, "asked")
        if is_maker:
            raise No("own_request", "approvals")
        if not has_seen:
            raise No("facts_changed", "approvals")
        self._check_day(place)
        asked = self.openings[place]
        self.put(asked, "state", "booked")
        for line in asked.lines:
            person = None if line.home is not None else self.human(line.person)
            book = self.open(MAIN, person, line.home)
            number = self.issue("opening", book, line.points, (asked.last_day, "earned", 0))
            self.entries[number].line = line

    def withdraw_list(self, place: int, *, is_maker: bool) -> None:
        self._in_state(place, "draft", "asked")
        if self.openings[place].state == "asked" and not is_maker:
            raise No("not_the_maker", "approvals")
        self._end(place, "withdrawn")

    def refuse_list(self, place: int, *, is_maker: bool) -> None:
        self._in_state(place, "asked")
        if is_maker:
            raise No("own_request", "approvals")
        self._end(place, "refused")

    def reverse_line(self, place: int, at: int, *, is_maker: bool) -> int:
        line = self.openings[place].lines[at]
        booked = [number for number, entry in enumerate(self.entries) if entry.line is line]
        if not booked:
            raise No("not_found", "")
        if is_maker:
            raise No("own_reversal")
        return self.reverse(booked[0])

    def check_openings(self, *, person: int | None = None, home: int | None = None) -> None:
        """Whether points of a paper passbook are still to come."""
        for one in self.openings:
            if one.state not in ("draft", "asked"):
                continue
            for line in one.lines:
                if line.is_live and (line.whose == (None, home) if home is not None else line.whose == (person, None)):
                    raise No("opening_first", "governance")

    def _check_day(self, place: int) -> None:
        """Its month may have been closed since the list was made, or its last day be over."""
        if self.is_closed(self.openings[place].day):
            raise No("day_closed")
        self.check_last_day(self.openings[place].last_day)

    def _in_state(self, place: int, *states: str) -> None:
        if self.openings[place].state not in states:
            raise No("opening_list_moved")

    def _end(self, place: int, state: str) -> None:
        self.put(self.openings[place], "state", state)
        for line in self.openings[place].lines:
            self.put(line, "is_live", False)

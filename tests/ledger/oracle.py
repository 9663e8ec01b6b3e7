"""The books once more, in plain Python and without a database: what the ledger must say after each step.

Here is what all operations share, and those that are about one passbook alone; the others stand in oracle_kinds,
oracle_flows, oracle_shop, oracle_openings, oracle_homes and oracle_years, and `Oracle` there is all of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pointsbank.ledger.rules_kinds import Settings
from tests.ledger.oracle_rows import MOST, Book, Bucket, Entry, Hold, Home, Lot, No, Person, Side, Uses, check_amount

GRACE_DAYS = 30
MAIN = "points"
ISSUES = ("award", "opening", "base", "gift")
REVERSIBLE = (*ISSUES, "order", "transfer", "donation", "grant", "adjustment", "joining", "clawback", "deduction")


@dataclass
class Books:
    today: date
    kinds: dict[str, Settings]
    people: list[Person]
    homes: list[Home]
    books: list[Book] = field(default_factory=list)
    systems: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    minutes: int = 0
    first_day: date | None = None  # of an entry
    closed: list[date] = field(default_factory=list)  # months
    journal: list[Callable[[], Any]] = field(default_factory=list)  # how to undo what was done

    def balance(self, book: int) -> int:
        return sum(lot.remaining for lot in self.books[book].lots.values())

    def held(self, book: int) -> int:
        return sum(lot.held for lot in self.books[book].lots.values())

    def free(self, book: int) -> int:
        return self.balance(book) - self.held(book)

    def is_closed(self, day: date) -> bool:
        return bool(self.closed) and day.replace(day=1) <= self.closed[-1]

    def kind_of(self, book: int) -> Settings:
        return self.kinds[self.books[book].kind]

    def pot_of(self, book: int) -> str:
        kind = self.books[book].kind
        return "pot" if kind == MAIN else f"pot@{kind}"

    # Who there is, and whose a passbook is.

    def human(self, person: int) -> int:
        """The record that stands for this one."""
        into = self.people[person].into
        return person if into is None else into

    def whose(self, person: int, kind: str = MAIN) -> tuple[int | None, int | None]:
        """The person, or the household, to whom somebody's points belong."""
        human = self.human(person)
        home = self.people[human].home if self.kinds[kind].holder == "household" else None
        return (human, None) if home is None else (None, home)

    def book_of(self, person: int, kind: str = MAIN) -> int:
        """The passbook that somebody's points come to, opened where there is none."""
        if self.people[self.human(person)].state != "member":
            raise No("unknown_account")
        return self.open(kind, *self.whose(person, kind))

    def find(self, kind: str, person: int | None, home: int | None) -> int | None:
        whose = (kind, person, home)
        return next((at for at, one in enumerate(self.books) if (one.kind, one.person, one.home) == whose), None)

    def open(self, kind: str, person: int | None, home: int | None) -> int:
        found = self.find(kind, person, home)
        if found is not None:
            return found
        self.add(self.books, Book(kind, person, home))
        return len(self.books) - 1

    # What may be asked of the ledger.

    def award(self, book: int, points: int, last_day: date) -> int:
        return self.issue("award", book, points, (last_day, "earned", 0))

    def order(self, book: int, points: int, outlet: int) -> int:
        check_amount(points)
        self._check_spendable(book, points)
        return self.post("order", book, f"redeemed:{outlet}", points, self._of(book, self._pick(book, points)))

    def deduct(self, book: int, points: int, floor: int | None) -> int:
        """What could be taken; of what expired, and of what is held, nothing stays or goes."""
        check_amount(points)
        stays = self.kind_of(book).spend_above if floor is None else floor
        there = sum(self.books[book].lots[bucket].free for bucket in self.live(book))
        taken = self.gather(self.live(book), book, min(points, there - stays))
        if taken:
            self.post("deduction", book, "deducted", sum(taken.values()), self._of(book, taken))
        return sum(taken.values())

    def hold(self, key: str, book: int, points: int, hours: int) -> None:
        check_amount(points)
        self._check_spendable(book, points)
        if key in self.holds:
            raise No("already_held")
        taken = self._pick(book, points)
        for bucket, part in taken.items():
            self.shift(self.books[book].lots[bucket], "held", part)
        self.holds[key] = Hold(book, points, taken, overdue_after=self.minutes + 60 * hours)

    def capture(self, key: str, outlet: int) -> int:
        hold = self._open(key)
        self._let_go(hold, "captured")
        return self.post("order", hold.book, f"redeemed:{outlet}", hold.points, self._of(hold.book, hold.lots))

    def release(self, key: str) -> None:
        self._let_go(self._open(key), "released")

    def lapse(self, key: str) -> None:
        hold = self._open(key)
        if self.minutes < hold.overdue_after:
            raise No("hold_not_overdue")
        self._let_go(hold, "lapsed")

    def reverse(self, number: int) -> int:
        if self.entries[number].kind not in REVERSIBLE:
            raise No("not_reversible")
        self._bring_surplus_back(number)
        return self._mirror(number)

    def clawback(self, number: int) -> tuple[int, int]:
        """The entry, and what could not be taken."""
        entry = self.entries[number]
        if entry.kind not in ISSUES:
            raise No("not_reversible")
        assert isinstance(entry.target, int)
        self.check_open(entry.target)
        asked, lost = entry.points, 0
        surplus = None if entry.surplus is None else self.entries[entry.surplus]
        if surplus is not None and not surplus.is_undone and surplus.target != self.pot_of(entry.target):
            asked -= surplus.points
        elif surplus is not None and self.is_lost(surplus):
            lost = surplus.points
        else:
            self._bring_surplus_back(number)
        lots = self.books[entry.target].lots
        reach = sum(lots[bucket].free for bucket in self.within_reach(number, entry.target))
        points = min(asked - lost, reach, self.free(entry.target))
        if points <= 0:
            raise No("nothing_to_take")
        taken = self._take_back(number, entry.target, points, {"earned", "base", "gift"})
        return self.post("clawback", entry.target, "clawed_back", points, taken, undoes=number), asked - points

    def expire(self) -> None:
        for at, book in enumerate(self.books):
            for bucket, lot in book.lots.items():
                while bucket[0] < self.today and lot.free > 0:
                    points = min(lot.free, MOST)
                    self.post("expiry", at, "expired", points, {(at, bucket): points})

    def live_through(self, minutes: int, today: date) -> None:
        self.minutes += minutes
        self.today = today

    # What they have in common.

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of it, or, refused on the way, nothing."""
        self.journal.clear()
        try:
            yield
        except No:
            for undo in reversed(self.journal):
                undo()
            raise

    def put(self, owner: Any, name: str, value: Any) -> None:
        before = getattr(owner, name)
        setattr(owner, name, value)
        self.journal.append(lambda: setattr(owner, name, before))

    def shift(self, owner: Any, name: str, by: int) -> None:
        self.put(owner, name, getattr(owner, name) + by)

    def add(self, to: list[Any], one: Any) -> None:
        to.append(one)
        self.journal.append(to.pop)

    def issue(self, kind: str, book: int, points: int, bucket: Bucket, system: str = "issued") -> int:
        check_amount(points)
        self.check_open(book)
        number = self.post(kind, system, book, points, {(book, bucket): -points})
        most = self.kind_of(book).balance_max
        if most is not None and self.balance(book) > most:
            over = min(points, self.balance(book) - most)
            target = self.pot_of(book) if self.kind_of(book).surplus == "pot" else system
            self.entries[number].surplus = self.post("surplus", book, target, over, {(book, bucket): over})
        return number

    def post(self, kind: str, source: Side, target: Side, points: int, uses: Uses, *, undoes: int | None = None) -> int:
        if undoes is not None:
            if self.entries[undoes].is_undone:
                raise No("already_reversed")
            self.put(self.entries[undoes], "is_undone", True)
            if self.entries[undoes].line is not None:  # the right points may come with another list
                self.put(self.entries[undoes].line, "is_live", False)
        for (book, bucket), part in uses.items():
            lots = self.books[book].lots
            if bucket not in lots:
                lots[bucket] = Lot()
                self.journal.append(lots.popitem)
            self.shift(lots[bucket], "remaining", -part)
        for side, sign in ((source, -1), (target, 1)):
            if isinstance(side, str):
                self._move(side, sign * points)
        self.add(self.entries, Entry(kind, source, target, points, uses, undoes, day=self.today))
        self.first_day = self.first_day or self.today
        return len(self.entries) - 1

    def _move(self, system: str, points: int) -> None:
        self.systems[system] += points
        self.journal.append(lambda: self.systems.subtract({system: points}))

    def check_last_day(self, last_day: date | None) -> None:
        if last_day is not None and last_day < self.today:
            raise No("last_day_over")

    def check_open(self, book: int) -> None:
        if self.books[book].is_closed:
            raise No("book_closed")

    @staticmethod
    def _of(book: int, taken: dict[Bucket, int]) -> Uses:
        return {(book, bucket): part for bucket, part in taken.items()}

    def _check_spendable(self, book: int, points: int) -> None:
        self.check_open(book)
        if not self.kind_of(book).redeemable:
            raise No("not_redeemable")
        if self.free(book) < points + self.kept_back(book):
            raise No("not_enough_points")

    def kept_back(self, book: int) -> int:
        """None of it are points that are over."""
        lots = self.books[book].lots
        above = self.kind_of(book).spend_above
        return above and above + sum(lot.free for bucket, lot in lots.items() if bucket[0] < self.today)

    def in_order(self, book: int) -> list[Bucket]:
        return sorted(self.books[book].lots, key=lambda bucket: bucket[:2])

    def live(self, book: int) -> list[Bucket]:
        lots = self.books[book].lots
        return [bucket for bucket in self.in_order(book) if bucket[0] >= self.today and lots[bucket].free > 0]

    def _pick(self, book: int, points: int) -> dict[Bucket, int]:
        """From each lot the most that still lets the rest be paid by those after it."""
        lots = [
            (bucket, self.books[book].lots[bucket].free)
            for bucket in self.live(book)
            if bucket[1] != "base" or self.kind_of(book).base_redeemable
        ]
        taken: dict[Bucket, int] = {}
        for place, (bucket, free) in enumerate(lots):
            left = points - sum(taken.values())
            for part in range(min(free, left), -1, -1):
                if _can_be_paid({**taken, bucket: part}, lots[place + 1 :], left - part):
                    taken[bucket] = part
                    break
            else:
                break
        if sum(taken.values()) < points:
            raise No("not_enough_points")
        return {bucket: part for bucket, part in taken.items() if part}

    def gather(self, buckets: Iterable[Bucket], book: int, points: int) -> dict[Bucket, int]:
        """As much as there is, up to so many points, in this order."""
        taken: dict[Bucket, int] = {}
        for bucket in buckets:
            part = min(self.books[book].lots[bucket].free, points - sum(taken.values()))
            if part > 0:
                taken[bucket] = part
        return taken

    def is_lost(self, surplus: Entry) -> bool:
        """Whether the pot that it went into has spent it."""
        assert isinstance(surplus.target, str)
        is_in_pot = surplus.target.startswith("pot")
        return is_in_pot and not surplus.is_undone and self.systems[surplus.target] < surplus.points

    def _bring_surplus_back(self, number: int) -> None:
        surplus = self.entries[number].surplus
        if surplus is not None and not self.entries[surplus].is_undone:
            self._mirror(surplus)

    def _mirror(self, number: int) -> int:
        entry, uses = self.entries[number], dict[tuple[int, Bucket], int]()
        if entry.is_undone:
            raise No("already_reversed")
        for side in (entry.source, entry.target):
            if isinstance(side, int):
                self.check_open(side)
        if isinstance(entry.target, int):
            sorts = {bucket[1] for (at, bucket), part in entry.uses.items() if at == entry.target and part < 0}
            sorts |= {"earned", "base", "gift"} if entry.kind in (*ISSUES, "adjustment") else set()
            uses |= self._take_back(number, entry.target, entry.points, sorts)
        elif not entry.target.startswith("issued") and self.systems[entry.target] < entry.points:
            raise No("pot_spent")
        if isinstance(entry.source, int):
            back: Counter[tuple[int, Bucket]] = Counter()
            later = self.entries[number + 1 :]
            was_cleared = any((one.kind, one.source) == ("reset", entry.source) for one in later)
            for bucket in self.books[entry.source].lots:
                part = entry.uses.get((entry.source, bucket), 0)
                if part > 0:
                    grace = self.today + timedelta(days=GRACE_DAYS)
                    last_day = bucket[0] if bucket[0] >= self.today else grace
                    if was_cleared:
                        last_day = min(last_day, grace)
                    back[entry.source, (last_day, *bucket[1:])] -= part
            uses |= back
        return self.post("reversal", entry.target, entry.source, entry.points, uses, undoes=number)

    def within_reach(self, number: int, book: int) -> list[Bucket]:
        """Lots that a reversal may take from: those that the entry filled come first, even expired ones."""
        filled = [bucket for bucket in self.in_order(book) if (book, bucket) in self.entries[number].uses]
        return filled + [bucket for bucket in self.live(book) if bucket not in filled]

    def _take_back(self, number: int, book: int, points: int, sorts: set[str]) -> Uses:
        reach = [bucket for bucket in self.within_reach(number, book) if bucket[1] in sorts]
        taken = self.gather(reach, book, points)
        if sum(taken.values()) < points:
            raise No("already_spent")
        return self._of(book, taken)

    def _open(self, key: str) -> Hold:
        if key not in self.holds:
            raise No("unknown_hold")
        if self.holds[key].state != "open":
            raise No("hold_resolved")
        return self.holds[key]

    def _let_go(self, hold: Hold, state: str) -> None:
        self.put(hold, "state", state)
        for bucket, part in hold.lots.items():
            self.shift(self.books[hold.book].lots[bucket], "held", -part)


def _can_be_paid(taken: dict[Bucket, int], later: list[tuple[Bucket, int]], left: int) -> bool:
    """Whether later lots can pay what is left, with enough earned points beside all gifts of each percent."""
    coming = min(left, sum(free for bucket, free in later if bucket[1] == "earned"))
    earned = coming + sum(part for bucket, part in taken.items() if bucket[1] == "earned")
    gifts, most = 0, 0
    offers = [*taken.items(), *later]
    for percent in sorted({bucket[2] for bucket, _ in offers if bucket[1] == "gift"}):
        room = percent * earned // 100
        gifts += sum(part for bucket, part in taken.items() if bucket[2] == percent)
        if gifts > room:
            return False
        most = min(most + sum(part for bucket, part in offers if bucket[2] == percent), room)
    others = sum(free for bucket, free in later if bucket[1] == "base")
    return coming + others + most - gifts >= left

"""Who moves, turns out to be somebody else, or goes, and what becomes of the points."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import MAIN
from tests.ledger.oracle_flows import NEW_DAYS, Voucher
from tests.ledger.oracle_openings import Openings
from tests.ledger.oracle_rows import MOST, Alias, Home, Merge, No, Person, Side
from tests.ledger.oracle_shop import Shop


@dataclass
class Budget:
    year: int
    programme: str
    points: int | None
    cents: int | None
    cents_per_100: int

    @property
    def name(self) -> str:
        return f"issued:{self.year}:{self.programme}"

    @property
    def ceiling(self) -> int:
        by_money = [] if self.cents is None else [self.cents * 100 // self.cents_per_100]
        return min([*by_money, *([] if self.points is None else [self.points])])


@dataclass
class Waiting:
    """An award that a budget has no room for."""

    book: int
    points: int
    programme: str
    budget: Budget


@dataclass
class Homes(Shop, Openings):
    waiting: list[Waiting] = field(default_factory=list)  # as they were done
    merges: list[Merge] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    followed: list[tuple[date, int, int]] = field(default_factory=list)  # with whom, and into which passbook

    def register(self, name: str, home: int | None) -> None:
        self.add(self.people, Person(name, home, came_on=self.today))

    def members(self, home: int) -> list[int]:
        return [at for at, one in enumerate(self.people) if one.home == home and one.state == "member"]

    def open_books(self, *, person: int | None = None, home: int | None = None) -> list[int]:
        return [
            at for at, one in enumerate(self.books) if (one.person, one.home) == (person, home) and not one.is_closed
        ]

    # Moving.

    def move(self, people: Sequence[int], door: int, share: int) -> None:
        moving = sorted(set(people))
        if any(self.people[one].state != "member" for one in moving):
            raise No("not_one_home", "people")
        homes = {self.people[one].home for one in moving}
        left = self.people[moving[0]].home
        if len(homes) != 1 or (left is None and len(moving) > 1):
            raise No("not_one_home", "people")
        target = next((at for at, one in enumerate(self.homes) if one.door == door), None)
        if target is not None and target == left:
            raise No("already_there", "people")
        staying = [] if left is None else [one for one in self.members(left) if one not in moving]
        if target is None and left is not None and not staying:
            self.put(self.homes[left], "door", door)
            return
        if target is None:
            self.add(self.homes, Home(door))
            target = len(self.homes) - 1
        if {self.people[one].name for one in moving} & {self.people[one].name for one in self.members(target)}:
            raise No("already_at_door", "people")
        shares_late = self.is_new(moving)
        for one in moving:
            self._move_in(one, target)
        if left is not None and not staying:
            self.put(self.homes[left], "door", None)
        if left is not None and any(map(self.balance, self.open_books(home=left))):
            gaining = [*staying, *(self.members(target) if share or not staying else ())]
            is_filled = self.is_new([one for one in gaining if one not in moving])
            self._check_hands(is_filled=is_filled or (shares_late and share > 0 and bool(staying)))
            self._check_left_behind(moving, left if staying else None)
        self._points_move(moving[0], left, share, is_emptied=not staying)

    def _move_in(self, person: int, home: int) -> None:
        who = self.people[person]
        if who.home is not None:
            self.add(who.left, (self.today, who.home))
        self.put(who, "home", home)
        self.put(who, "came_on", self.today)

    def _check_left_behind(self, people: Sequence[int], home: int | None) -> None:
        """Nobody lets points come to a household with somebody, and then leaves them there without."""
        for day, person, book in self.followed:
            came = home is not None and self.books[book].home == home and (self.today - day).days <= NEW_DAYS
            if came and person in people:
                raise No("left_behind", "governance")

    def _check_hands(self, *, is_filled: bool) -> None:
        """Nobody brings somebody in, and then lets a household's points come to them."""
        if is_filled:
            raise No("filled_alone", "governance")

    def _points_move(self, first: int, left: int | None, share: int, *, is_emptied: bool) -> None:
        if left is None:
            if self.kinds[MAIN].holder == "household":
                self.check_openings(person=first)
            self._close(self._all_follow(self.open_books(person=first), first, is_move=True))
        elif is_emptied:
            self.check_openings(home=left)
            books = self.open_books(home=left)
            self._all_follow(books, first, is_move=True)
            self._close(books)
        else:
            self.uses_follow(self.open_books(home=left), first)
            self._share(first, left, share)

    def _share(self, first: int, left: int, share: int) -> None:
        if share:
            shared = self.find(MAIN, None, left)
            if self.kinds[MAIN].holder != "household" or shared is None:
                raise No("not_enough_points")
            self.add(self.followed, (self.today, first, self.book_of(first)))
            self.follow(shared, self.book_of(first), share)

    def _all_follow(
        self, books: Sequence[int], person: int, *, is_move: bool = False, merge: int | None = None
    ) -> list[int]:
        targets = [(book, self.book_of(person, self.books[book].kind)) for book in books]
        moving = [(book, to) for book, to in targets if to != book]
        for book, to in moving:
            self._redirect(book, to)
        self.uses_follow([book for book, _ in moving], person, merge)
        for book, to in moving:
            if is_move and self.balance(book):
                self.add(self.followed, (self.today, person, to))
            self.follow(book, to, None)
        return [book for book, _ in moving]

    def _redirect(self, book: int, to: int) -> None:
        for one in self.waiting:
            if one.book == book:
                self.put(one, "book", to)

    def _close(self, books: Sequence[int]) -> None:
        for book in books:
            self.check_nothing_held(book)
            self.check_open(book)
            if self.balance(book):
                raise No("book_not_empty")
            self.put(self.books[book], "is_closed", True)

    # One human being, two records.

    def ask_merge(self, person: int, into: int) -> None:
        self._check_member(person)
        if into == person or self.people[into].state != "member":
            raise No("bad_merge", "people")
        if any((one.person, one.state) == (person, "asked") for one in self.merges):
            raise No("merge_asked", "governance")
        self.add(self.merges, Merge(person, into, self._goes_along(person)))

    def give_merge(self, place: int, *, is_maker: bool, has_seen: bool) -> None:
        merge = self._merge_asked(place)
        self._check_member(merge.person)
        if merge.goes_along != self._goes_along(merge.person):
            raise No("joining_changed")
        if is_maker:
            raise No("own_request", "approvals")
        if not has_seen:
            raise No("facts_changed", "approvals")
        self._check_openings_of(merge.person)
        books = self.books_that_end(merge.person)
        if self.people[merge.into].state != "member":
            raise No("bad_merge", "people")
        self.end_card(merge.person, "replaced")
        alias = self._becomes(merge.person, merge.into)
        self._all_follow(books, merge.into, merge=alias)
        self._close([book for book in books if self.books[book].home is not None])
        self.put(merge, "state", "done")

    def refuse_merge(self, place: int, *, is_maker: bool) -> None:
        merge = self._merge_asked(place)
        if is_maker:
            raise No("own_request", "approvals")
        self.put(merge, "state", "refused")

    def withdraw_merge(self, place: int, *, is_maker: bool) -> None:
        merge = self._merge_asked(place)
        if not is_maker:
            raise No("not_the_maker", "approvals")
        self.put(merge, "state", "withdrawn")

    def part(self, place: int, *, has_merged: bool) -> None:
        """Nothing of what went along comes back by itself."""
        alias = self.aliases[place]
        if alias.is_parted:
            raise No("not_merged", "people")
        if has_merged:
            raise No("own_merge", "governance")
        who = self.people[alias.person]
        if who.into != alias.into or self.people[alias.into].state == "left":
            raise No("not_merged", "people")
        self.put(alias, "is_parted", True)
        for name, value in (("state", "provisional"), ("into", None), ("home", None)):
            self.put(who, name, value)
        self.uses_part(place)
        for one in self._came_along(alias.person):
            if self.people[one].into == alias.into:
                self.put(self.people[one], "into", alias.person)

    def _came_along(self, person: int) -> list[int]:
        """Its own aliases, and theirs."""
        own = [one.person for one in self.aliases if one.into == person and not one.is_parted]
        return [*own, *(each for one in own for each in self._came_along(one))]

    def settle_again(self, person: int, into: int | None) -> None:
        """Whoever was parted is somebody new, or another's alias after all."""
        who = self.people[person]
        if who.state != "provisional":
            raise No("not_provisional", "people")
        if into is not None:
            if any(map(self.balance, self.open_books(person=person))):
                raise No("points_first", "governance")
            if self.people[into].state != "member":
                raise No("bad_merge", "people")
            alias = self._becomes(person, into)
            self.uses_follow(self.open_books(person=person), into, alias)
            return
        self.put(who, "state", "member")
        self.put(who, "came_on", self.today)
        if self.kinds[MAIN].holder == "household":
            self.add(self.homes, Home(None))
            self.put(who, "home", len(self.homes) - 1)
            self._points_move(person, None, 0, is_emptied=False)
            return
        for book in self.books:
            if book.person == person:
                self.put(book, "is_closed", False)

    def _becomes(self, person: int, into: int) -> int:
        self.add(self.aliases, Alias(person, into))
        who = self.people[person]
        self.put(who, "state", "merged")
        for at, one in enumerate(self.people):
            if person in (at, one.into):
                self.put(one, "into", into)
        if who.home is not None and not self.members(who.home):
            self.put(self.homes[who.home], "door", None)
        return len(self.aliases) - 1

    def _goes_along(self, person: int) -> list[tuple[int, int]]:
        return [(book, self.balance(book)) for book in self.books_that_end(person) if self.balance(book)]

    def _merge_asked(self, place: int) -> Merge:
        if self.merges[place].state != "asked":
            raise No("merge_moved", "governance")
        return self.merges[place]

    def _check_member(self, person: int) -> None:
        if self.people[person].state != "member":
            raise No("not_provisional", "people")

    # Going.

    def leave(self, person: int, given_up: int) -> None:
        human = self.human(person)
        books = self._prepare_end(human)
        told = sum(map(self.balance, books))
        if told and told != given_up:
            raise No("points_left", "governance")
        for book in books:
            self._give_up(book)
        self._go(human, books)

    def _give_up(self, book: int) -> None:
        self.check_nothing_held(book)
        while left := self.balance(book):
            taken = self.gather(list(self.books[book].lots), book, min(left, MOST))
            self.post("expiry", book, "expired", sum(taken.values()), self._of(book, taken))

    def pass_on(self, person: int, heir: int | None) -> bool:
        """All that somebody leaves behind goes to an heir, or to the pot; whether all of it has."""
        human = self.human(person)
        if self.people[human].state != "member":
            raise No("has_left", "people")
        self._check_openings_of(human)
        ending = [book for book in self.books_that_end(human) if self.balance(book)]
        if not ending:
            raise No("nothing_to_pass_on", "governance")
        asked = [voucher.source for voucher in self._open_estates(human)]
        left = [book for book in ending if book not in asked]
        if not left:
            raise No("estate_asked")
        for book in left:
            target = self.pot_of(book) if heir is None else self.book_of(heir, self.books[book].kind)
            self._draw_estate(book, target, human)
        return self._go_if_done(human)

    def give_estate(self, place: int, *, is_maker: bool, has_seen: bool) -> bool:
        voucher = self.vouchers[place]
        assert voucher.member is not None
        human = self.human(voucher.member)
        if self.people[human].state != "member":
            raise No("has_left", "people")
        if voucher.source not in self.books_that_end(human):
            raise No("book_stays", "governance")
        self._book_estate(self.agreed(place, is_maker=is_maker, has_seen=has_seen))
        self._draw_estate(voucher.source, voucher.target, human, is_maker=is_maker)
        return self._go_if_done(human)

    def _draw_estate(self, book: Side, target: Side, human: int, *, is_maker: bool = True) -> None:
        """A million at a time, until all is booked or a voucher waits."""
        assert isinstance(book, int)
        while left := self.balance(book):
            voucher = Voucher("estate", book, target, min(left, MOST), member=human, by_checker=not is_maker)
            self.draw(voucher)
            voucher.state = "asked"
            if not self.is_for_one(voucher, is_maker=is_maker):
                return
            self._book_estate(voucher)

    def _book_estate(self, voucher: Voucher) -> None:
        assert isinstance(voucher.source, int)
        if isinstance(voucher.target, int):
            self._redirect(voucher.source, voucher.target)
        else:
            self._send_back(voucher.source)
        self.book_voucher(voucher)

    def _go_if_done(self, person: int) -> bool:
        if self._open_estates(person):
            return False
        books = self._prepare_end(person)
        if any(map(self.balance, books)):
            raise No("points_left", "governance")
        self._go(person, books)
        return True

    def _open_estates(self, person: int) -> list[Voucher]:
        return [one for one in self.vouchers if one.state == "asked" and one.member == person]

    def _prepare_end(self, person: int) -> list[int]:
        self._check_openings_of(person)
        books = self.books_that_end(person)
        for book in books:
            self._send_back(book)
        return books

    def _send_back(self, book: int) -> None:
        before = self.waiting
        self.put(self, "waiting", [one for one in before if one.book != book])

    def _go(self, person: int, books: Sequence[int]) -> None:
        self._close(books)
        who = self.people[person]
        if who.state != "member":
            raise No("has_left", "people")
        home = who.home
        self.put(who, "state", "left")
        for at, one in enumerate(self.people):
            if person in (at, one.into):
                self.put(one, "home", None)
                self.end_card(at, "lost")
        if home is not None and not self.members(home):
            self.put(self.homes[home], "door", None)

    def _home_that_ends(self, person: int) -> int | None:
        home = self.people[person].home
        return home if home is not None and self.members(home) == [person] else None

    def _check_openings_of(self, person: int) -> None:
        self.check_openings(person=person)
        home = self._home_that_ends(person)
        if home is not None:
            self.check_openings(home=home)

    def books_that_end(self, person: int) -> list[int]:
        records = [at for at, one in enumerate(self.people) if person in (at, one.into)]
        found = [book for one in records for book in self.open_books(person=one)]
        home = self._home_that_ends(person)
        return sorted(found + ([] if home is None else self.open_books(home=home)))

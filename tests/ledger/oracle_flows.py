"""Points that go from hand to hand, and what a second person agrees to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import Books
from tests.ledger.oracle_rows import MOST, Bucket, No, Side, Uses, check_amount

ALONE_MAX = 20
"""Up to so many points one person may reverse, or pass on."""
NEW_DAYS = 7
GIVEN = ("transfer", "donation")
FOLLOWS = ("joining", "estate")
HANDED_OVER = ("transfer", "donation", "estate")
REVERSED_HERE = ("award", "transfer", "donation", "grant", "adjustment", "joining", "base", "gift", "deduction")
CLAWED_HERE = ("award", "base", "gift")


@dataclass
class Voucher:
    what: str
    source: Side
    target: Side
    points: int
    last_day: date | None = None
    past_day: date | None = None
    reverses: int | None = None
    percent: int = 0  # of a gift
    batch: int | None = None  # of gifts: the first of them
    member: int | None = None  # whose estate it is
    lacking: int = 0  # of what a clawback was to take
    by_checker: bool = False  # what is left of an estate is asked for by whoever agreed to what came before
    state: str = "drawn"

    @property
    def books(self) -> list[int]:
        return [side for side in (self.source, self.target) if isinstance(side, int)]


@dataclass
class Flows(Books):
    vouchers: list[Voucher] = field(default_factory=list)

    def hand_over(self, what: str, book: int, to: int | None, points: int) -> int:
        check_amount(points)
        target = self.pot_of(book) if to is None else self.book_of(to, self.books[book].kind)
        voucher = Voucher(what, book, target, points)
        if self._leaves_home(voucher):
            self._ask(voucher)
            self._check_kind(voucher)
            return len(self.vouchers) - 1
        return self._booked(voucher)

    def _check_kind(self, voucher: Voucher) -> None:
        assert isinstance(voucher.source, int)
        kind = self.kind_of(voucher.source)
        if voucher.what == "transfer" and not kind.transferable:
            raise No("not_transferable")
        if voucher.what == "donation" and not kind.donatable:
            raise No("not_donatable")

    def give_own(self, person: int, to: int | None, points: int, kind: str) -> int:
        check_amount(points)
        own = self.open(kind, *self.whose(person, kind))
        if to is not None and not self.live_together(person, to):
            raise No("not_housemate")
        target: Side = self.pot_of(own) if to is None else self.book_of(to, kind)
        return self._booked(Voucher("donation" if to is None else "transfer", own, target, points))

    def live_together(self, one: int, other: int) -> bool:
        one, other = self.human(one), self.human(other)
        return one == other or (
            self.people[one].home is not None and self.people[one].home == self.people[other].home
        )  # fmt: skip

    def grant(self, person: int, points: int, last_day: date, kind: str) -> None:
        book = self.book_of(person, kind)
        check_amount(points)
        self._ask(Voucher("grant", self.pot_of(book), book, points, last_day))

    def adjust(self, book: int, points: int, last_day: date | None, past_day: date) -> None:
        """Up, with a last day, or down."""
        check_amount(points)
        if past_day > self.today:
            raise No("day_to_come")
        source, target = (book, "issued") if last_day is None else ("issued", book)
        voucher = Voucher("adjustment", source, target, points, last_day, past_day if past_day < self.today else None)
        self.draw(voucher)
        self._check_past_day(voucher)
        voucher.state = "asked"

    def take_back(self, way: str, number: int) -> None:
        """A reversal, or a clawback where that is not covered."""
        entry = self.entries[number]
        if entry.kind not in REVERSED_HERE:
            raise No("reversed_elsewhere")
        if entry.is_undone:
            raise No("already_reversed")
        if way == "clawback":
            self._check_short(number)
        target = entry.source if way == "reversal" else "clawed_back"
        voucher = Voucher(way, entry.target, target, entry.points, reverses=number)
        if self.is_for_one(voucher):
            self._booked(voucher)
        else:
            self._ask(voucher)

    def _check_short(self, number: int) -> None:
        if self.entries[number].kind not in CLAWED_HERE:
            raise No("not_reversible")
        there = self._there(number)
        if there == 0:
            raise No("nothing_to_take")
        if there >= self.entries[number].points:
            raise No("clawback_not_needed")

    def short(self, latest: int) -> list[int]:
        """Of the latest that brought points, those that a reversal would not cover."""
        brought = [at for at, one in enumerate(self.entries) if one.kind in CLAWED_HERE and not one.is_undone]
        return [at for at in brought[-latest:] if 0 < self._there(at) < self.entries[at].points]

    def _there(self, number: int) -> int:
        """What can be taken of the points that an entry brought."""
        entry = self.entries[number]
        assert isinstance(entry.target, int)
        there = sum(self.books[entry.target].lots[bucket].free for bucket in self.within_reach(number, entry.target))
        surplus = None if entry.surplus is None else self.entries[entry.surplus]
        if surplus is not None and self.is_lost(surplus):
            there = min(there, entry.points - surplus.points)
        elif surplus is not None and not surplus.is_undone:
            there += surplus.points
        return there

    # Gifts to several at once.

    def ask_gifts(self, people: Sequence[int], points: int, percent: int, last_day: date) -> None:
        if not 1 <= percent <= 1_000:
            raise No("wrong_match")
        first = len(self.vouchers)
        for book in sorted({self.book_of(one) for one in people}):
            self._ask(Voucher("gift", "issued", book, points, last_day, percent=percent, batch=first))

    def give_gifts(self, batch: int, *, is_maker: bool, has_seen: bool) -> int:
        asked = self._asked_together(batch)
        if not has_seen:
            raise No("facts_changed", "approvals")
        for place in asked:
            self.give(place, is_maker=is_maker, has_seen=True)
        return len(asked)

    def refuse_gifts(self, batch: int, *, is_maker: bool) -> None:
        for place in self._asked_together(batch):
            self.refuse(place, is_maker=is_maker)

    def withdraw_gifts(self, batch: int, *, is_maker: bool) -> None:
        for place in self._asked_together(batch):
            self.withdraw(place, is_maker=is_maker)

    def batches(self) -> list[int]:
        return sorted({one.batch for one in self.vouchers if one.batch is not None})

    def _asked_together(self, batch: int) -> list[int]:
        asked = [at for at, one in enumerate(self.vouchers) if (one.batch, one.state) == (batch, "asked")]
        if not asked:
            raise No("voucher_moved")
        return asked

    def is_for_one(self, voucher: Voucher, *, is_maker: bool = True) -> bool:
        """The limit counts whole points, of whatever kind."""
        kind = self.kinds[self.books[voucher.books[0]].kind]
        return voucher.points <= ALONE_MAX * 10**kind.decimals and not self._leaves_home(voucher, is_maker=is_maker)

    def _leaves_home(self, voucher: Voucher, *, is_maker: bool = True) -> bool:
        """Whether staff hand it on to somebody of another household, or of one that they filled themselves."""
        if voucher.what not in HANDED_OVER or not isinstance(voucher.target, int):
            return False
        source, target = (self._home_of(book) for book in voucher.books)
        holders = [self.books[book].person for book in voucher.books]
        is_filled = is_maker and self.is_new([one for one in holders if one is not None])
        return source is None or source != target or is_filled

    def is_new(self, people: Sequence[int]) -> bool:
        """Whether the maker brought one of them into a household within seven days, under whatever record."""
        whose = {self.human(one) for one in people}
        days = [one.came_on for at, one in enumerate(self.people) if self.human(at) in whose]
        return any(day is not None and (self.today - day).days <= NEW_DAYS for day in days)

    def _home_of(self, book: int) -> int | None:
        of = self.books[book]
        return of.home if of.person is None else self.people[of.person].home

    def give(self, place: int, *, is_maker: bool, has_seen: bool) -> int:
        voucher = self.agreed(place, is_maker=is_maker, has_seen=has_seen)
        return self.book_voucher(voucher)

    def agreed(self, place: int, *, is_maker: bool, has_seen: bool) -> Voucher:
        voucher = self._asked(place)
        if is_maker != voucher.by_checker:
            raise No("own_request", "approvals")
        if not has_seen:
            raise No("facts_changed", "approvals")
        return voucher

    def refuse(self, place: int, *, is_maker: bool) -> None:
        voucher = self._asked(place)
        if is_maker != voucher.by_checker:
            raise No("own_request", "approvals")
        self.put(voucher, "state", "refused")

    def withdraw(self, place: int, *, is_maker: bool) -> None:
        voucher = self._asked(place)
        if is_maker == voucher.by_checker:
            raise No("not_the_maker", "approvals")
        self.put(voucher, "state", "withdrawn")

    def follow(self, source: int, target: int, points: int | None) -> None:
        """Points (None: all) go where their holder went."""
        if points is None:
            self.check_nothing_held(source)
            points = self.balance(source)
        while points:
            part = min(points, MOST)
            self._booked(Voucher("joining", source, target, part))
            points -= part

    def check_nothing_held(self, book: int) -> None:
        if self.held(book):
            raise No("points_held")

    def _asked(self, place: int) -> Voucher:
        if self.vouchers[place].state != "asked":
            raise No("voucher_moved")
        return self.vouchers[place]

    def draw(self, voucher: Voucher) -> None:
        check_amount(voucher.points)
        if voucher.source == voucher.target:
            raise No("same_book")
        self._check_sides(voucher)
        waiting = [one for one in self.vouchers if one.state == "asked"]
        if voucher.reverses is not None and any(one.reverses == voucher.reverses for one in waiting):
            raise No("reversal_asked")
        if voucher.what == "estate" and any((one.what, one.source) == ("estate", voucher.source) for one in waiting):
            raise No("estate_asked")
        self.add(self.vouchers, voucher)

    def _check_sides(self, voucher: Voucher) -> None:
        for book in voucher.books:
            self.check_open(book)
            person = self.books[book].person
            if voucher.what != "joining" and person is not None and self.people[person].into is not None:
                raise No("book_merged")

    def _ask(self, voucher: Voucher) -> None:
        self.draw(voucher)
        voucher.state = "asked"

    def _booked(self, voucher: Voucher) -> int:
        self.draw(voucher)
        return self.book_voucher(voucher)

    def book_voucher(self, voucher: Voucher) -> int:
        self._check_sides(voucher)
        self.check_last_day(voucher.last_day)
        number = self._book(voucher)
        self.put(voucher, "state", "booked")
        return number

    def _book(self, voucher: Voucher) -> int:
        if voucher.reverses is not None:
            if voucher.what == "reversal":
                return self.reverse(voucher.reverses)
            number, voucher.lacking = self.clawback(voucher.reverses)
            return number
        if voucher.what == "gift":
            assert isinstance(voucher.target, int)
            assert voucher.last_day is not None
            return self.issue("gift", voucher.target, voucher.points, (voucher.last_day, "gift", voucher.percent))
        if isinstance(voucher.source, int):
            self._check_kind(voucher)
        for book in sorted(voucher.books):
            self._check_room(voucher, book)
        self._check_past_day(voucher)
        uses = self._lots_of(voucher)
        if voucher.what == "grant" and self.systems[str(voucher.source)] < voucher.points:
            raise No("pot_short")
        return self.post(voucher.what, voucher.source, voucher.target, voucher.points, uses)

    def _check_past_day(self, voucher: Voucher) -> None:
        if voucher.past_day is not None and self.is_closed(voucher.past_day):
            raise No("day_closed")

    def _check_room(self, voucher: Voucher, book: int) -> None:
        most = self.kind_of(book).balance_max
        if book == voucher.source and voucher.what == "estate":
            self.check_nothing_held(book)
            if self.balance(book) != voucher.points and not self.balance(book) > voucher.points == MOST:
                raise No("estate_changed")
        elif book == voucher.source:
            stays = self.kept_back(book) if voucher.what in GIVEN else 0
            if self.free(book) < voucher.points + stays:
                raise No("not_enough_points")
        elif most is not None and voucher.what not in FOLLOWS and self.balance(book) + voucher.points > most:
            raise No("book_full")

    def _lots_of(self, voucher: Voucher) -> Uses:
        if isinstance(voucher.source, str):
            assert voucher.last_day is not None
            taken: dict[Bucket, int] = {(voucher.last_day, "earned", 0): voucher.points}
        else:
            is_given = voucher.what in GIVEN
            is_all = voucher.what in FOLLOWS and voucher.points == self.balance(voucher.source)
            is_all = is_all or voucher.what == "estate"
            reach = self.in_order(voucher.source) if is_all else self.live(voucher.source)
            lots = [each for each in reach if each[1] == "earned" or not is_given]
            taken = self.gather(lots, voucher.source, voucher.points)
            if sum(taken.values()) < voucher.points:
                raise No("only_earned" if is_given else "not_enough_points")
        uses = {} if isinstance(voucher.source, str) else self._of(voucher.source, taken)
        if isinstance(voucher.target, int):
            by_sort = sorted(taken.items(), key=lambda each: (each[0][1], each[0][0], each[0][2]))
            uses |= {(voucher.target, bucket): -part for bucket, part in by_sort}
        return uses

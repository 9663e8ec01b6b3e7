"""A shop of the community: cards, goods by delivery, orders at its counters, and what they use up of the limits.

What was used is kept nowhere: it is counted anew from the orders that stand, wherever they count. Nothing here knows
of counts and losses of stock, goods that are taken off the list, codes of phones and cards of households, nor of
visits that are opened before their order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import MAIN
from tests.ledger.oracle_flows import Flows
from tests.ledger.oracle_rows import No

DAILY_MAX = 40
LINES_MAX, PIECES_MAX = 20, 99
UNDO_MINUTES = 10
POINTS_OF_DAY = -1
"""Among limits, where else a good's place stands."""

Limit = tuple[int, int, date]
"""A passbook, a good, and the first day of the time for which pieces, or points, are counted."""
Line = tuple[int, int]
"""A good and pieces of it."""


@dataclass
class Card:
    person: int
    state: str = "live"


@dataclass
class Good:
    points: int
    monthly_max: int | None


@dataclass
class Delivery:
    good: int
    pieces: int
    left: int
    best_before: date


@dataclass
class Bought:
    """`clerk` is a member by place, or below zero somebody of the office; `taken` are pieces by delivery."""

    counter: int
    clerk: int
    person: int
    book: int
    goods: dict[int, int]
    points: int
    taken: dict[int, int]
    entry: int
    balance: int
    day: date
    minute: int
    is_undone: bool = False


@dataclass
class Carried:
    """An order counts for one more passbook, through a merge or without one."""

    order: int
    book: int
    merge: int | None


@dataclass
class Shop(Flows):
    outlet: int = 0
    cards: list[Card] = field(default_factory=list)
    goods: list[Good] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)

    # Cards.

    def issue_card(self, person: int, *, is_lost: bool) -> None:
        if self.people[person].state != "member":
            raise No("still_provisional", "people")
        self.end_card(person, "lost" if is_lost else "replaced")
        self.add(self.cards, Card(person))

    def lose_card(self, person: int) -> None:
        if not self.end_card(person, "lost"):
            raise No("no_live_card", "people")

    def end_card(self, person: int, state: str) -> bool:
        """Whether there was one."""
        live = [card for card in self.cards if (card.person, card.state) == (person, "live")]
        for card in live:
            self.put(card, "state", state)
        return bool(live)

    def _shown(self, card: int, clerk: int) -> int:
        """Whose card it is."""
        shown = self.cards[card]
        person = self.human(shown.person)
        if self.people[person].state == "left":
            raise No("unknown_code", "people")
        if shown.state != "live":
            raise No(f"card_{shown.state}", "people")
        if self.people[person].state != "member":
            raise No("still_provisional", "people")
        if clerk >= 0 and self.live_together(clerk, person):
            raise No("own_household", "redemption")
        return person

    # Goods.

    def deliver(self, good: int, pieces: int, best_before: date, *, lacks_donor: bool) -> None:
        if lacks_donor:
            raise No("donor_missing", "stock")
        if best_before < self.today:
            raise No("past_best_before", "stock")
        self.add(self.deliveries, Delivery(good, pieces, pieces, best_before))

    def change_good(self, good: int, points: int, monthly_max: int | None) -> None:
        self.put(self.goods[good], "points", points)
        self.put(self.goods[good], "monthly_max", monthly_max)

    def stock(self, good: int) -> int:
        return sum(one.left for one in self.deliveries if one.good == good)

    def _take(self, goods: dict[int, int]) -> dict[int, int]:
        """What keeps least long goes first, and nothing past its day."""
        taken: dict[int, int] = {}
        for good, pieces in sorted(goods.items()):
            if self.stock(good) < pieces:
                raise No("out_of_stock", "stock")
            fresh = [(one.best_before, at) for at, one in enumerate(self.deliveries) if one.good == good]
            wanted = pieces
            for best_before, at in sorted(fresh):
                part = min(self.deliveries[at].left, wanted)
                if best_before >= self.today and part:
                    taken[at] = part
                    wanted -= part
            if wanted:
                raise No("only_past_best_before", "stock")
        return taken

    # Orders.

    def buy(self, counter: int, clerk: int, card: int, lines: Sequence[Line]) -> int:
        if not 0 < len(lines) <= LINES_MAX or any(not 0 < pieces <= PIECES_MAX for _, pieces in lines):
            raise No("basket_unfit", "redemption")
        person = self._shown(card, clerk)
        book = self.find(MAIN, *self.whose(person))
        if book is None:
            raise No("nothing_earned", "redemption")
        goods = self._basket(lines)
        points = sum(self.goods[good].points * pieces for good, pieces in goods.items())
        try:
            entry = self.order(book, points, self.outlet)
        except No:
            raise No("not_enough_points", "redemption") from None
        self._check_limits(book, goods, points)
        taken = self._take(goods)
        for at, pieces in taken.items():
            self.shift(self.deliveries[at], "left", -pieces)
        self.add(
            self.bought,
            Bought(
                counter, clerk, person, book, goods, points, taken, entry, self.balance(book), self.today, self.minutes
            ),
        )
        return points

    def _basket(self, lines: Sequence[Line]) -> dict[int, int]:
        goods: Counter[int] = Counter()
        for good, pieces in lines:
            if good >= len(self.goods):
                raise No("unknown_good", "redemption")
            goods[good] += pieces
        if max(goods.values()) > PIECES_MAX:
            raise No("basket_unfit", "redemption")
        return dict(goods)

    def undo(self, order: int, clerk: int) -> int:
        bought = self.bought[order]
        if bought.clerk != clerk:
            raise No("not_your_order", "redemption")
        if bought.is_undone:
            raise No("already_undone", "redemption")
        if any(later.counter == bought.counter for later in self.bought[order + 1 :]):
            raise No("not_the_last_order", "redemption")
        if self.minutes - bought.minute >= UNDO_MINUTES:
            raise No("too_late_to_undo", "redemption")
        self.check_open(bought.book)
        holder = self.books[bought.book].person
        if holder is not None and self.people[holder].into is not None:
            raise No("book_merged")
        self.put(bought, "is_undone", True)
        for at, pieces in bought.taken.items():
            self.shift(self.deliveries[at], "left", pieces)
        self.reverse(bought.entry)
        return bought.points

    def order_of(self, entry: int) -> int | None:
        """The order at a counter that was booked so; others never saw one."""
        return next((at for at, one in enumerate(self.bought) if one.entry == entry), None)

    # Limits.

    def _check_limits(self, book: int, goods: dict[int, int], points: int) -> None:
        used = self.uses()
        if used[book, POINTS_OF_DAY, self.today] + points > DAILY_MAX:
            raise No("over_daily_limit", "redemption")
        for good, pieces in goods.items():
            most = self.goods[good].monthly_max
            if most is not None and used[book, good, self.today.replace(day=1)] + pieces > most:
                raise No("over_monthly_limit", "redemption")

    def uses(self) -> Counter[Limit]:
        """What the orders that stand have used up, for each passbook for which they count."""
        used: Counter[Limit] = Counter()
        for at, one in enumerate(self.bought):
            for book in () if one.is_undone else self._counts_for(at):
                used[book, POINTS_OF_DAY, one.day] += one.points
                for good, pieces in one.goods.items():
                    used[book, good, one.day.replace(day=1)] += pieces
        return used

    def _counts_for(self, order: int) -> dict[int, int | None]:
        """By passbook the merge that it came through."""
        return {self.bought[order].book: None} | {one.book: one.merge for one in self.carried if one.order == order}

    def uses_follow(self, left: Sequence[int], person: int, merge: int | None = None) -> None:
        """What this month was used with these passbooks, or by this member, counts where the member's points are."""
        sources = [book for book in left if self.books[book].kind == MAIN]
        counted = sorted(
            (at, book)
            for at, one in enumerate(self.bought)
            if not one.is_undone and one.day >= self.today.replace(day=1)
            for book in self._counts_for(at)
            if book in sources or (one.person, one.book) == (person, book)
        )
        if not counted:
            return
        home = self.book_of(person)
        for at, book in counted:
            counts_for = self._counts_for(at)
            if home not in counts_for:
                self.add(self.carried, Carried(at, home, counts_for[book] if merge is None else merge))

    def uses_part(self, merge: int) -> None:
        self.put(self, "carried", [one for one in self.carried if one.merge != merge])

"""Points that go from hand to hand, and what a second person agrees to."""

from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import Books, Bucket, No, Side, Uses, check_amount

ALONE_MAX = 20
"""Up to so many points one person may reverse."""
GIVEN = ("transfer", "donation")
REVERSED_HERE = ("award", "transfer", "donation", "grant", "adjustment", "base", "gift")
HOUSEMATES = ({0, 1}, {2})


@dataclass
class Voucher:
    what: str
    source: Side
    target: Side
    points: int
    last_day: date | None = None
    reverses: int | None = None
    state: str = "asked"


@dataclass
class Flows(Books):
    vouchers: list[Voucher] = field(default_factory=list)

    def hand_over(self, what: str, member: int, to: int | None, points: int) -> int:
        check_amount(points)
        if to == member:
            raise No("same_book")
        return self._booked(Voucher(what, member, "pot" if to is None else to, points))

    def give_own(self, member: int, to: int | None, points: int) -> int:
        check_amount(points)
        if to is not None and not any({member, to} <= home for home in HOUSEMATES):
            raise No("not_housemate")
        return self.hand_over("donation" if to is None else "transfer", member, to, points)

    def grant(self, member: int, points: int, last_day: date) -> None:
        check_amount(points)
        self.vouchers.append(Voucher("grant", "pot", member, points, last_day))

    def adjust(self, member: int, points: int, last_day: date | None) -> None:
        """Up, with a last day, or down."""
        check_amount(points)
        source, target = (member, "issued") if last_day is None else ("issued", member)
        self.vouchers.append(Voucher("adjustment", source, target, points, last_day))

    def ask_reversal(self, number: int) -> int | None:
        entry = self.entries[number]
        if entry.kind not in REVERSED_HERE:
            raise No("reversed_elsewhere")
        if entry.is_undone:
            raise No("already_reversed")
        if any(one.reverses == number and one.state == "asked" for one in self.vouchers):
            raise No("reversal_asked")
        voucher = Voucher("reversal", entry.target, entry.source, entry.points, reverses=number)
        if entry.points <= ALONE_MAX:
            return self._booked(voucher)
        self.vouchers.append(voucher)
        return None

    def give(self, place: int, *, is_maker: bool, has_seen: bool) -> int:
        voucher = self._asked(place)
        if is_maker:
            raise No("own_request", "approvals")
        if not has_seen:
            raise No("facts_changed", "approvals")
        number = self._book(voucher)
        voucher.state = "booked"
        return number

    def refuse(self, place: int, *, is_maker: bool) -> None:
        voucher = self._asked(place)
        if is_maker:
            raise No("own_request", "approvals")
        voucher.state = "refused"

    def withdraw(self, place: int, *, is_maker: bool) -> None:
        voucher = self._asked(place)
        if not is_maker:
            raise No("not_the_maker", "approvals")
        voucher.state = "withdrawn"

    def _asked(self, place: int) -> Voucher:
        if self.vouchers[place].state != "asked":
            raise No("voucher_moved")
        return self.vouchers[place]

    def _booked(self, voucher: Voucher) -> int:
        number = self._book(voucher)
        voucher.state = "booked"
        self.vouchers.append(voucher)
        return number

    def _book(self, voucher: Voucher) -> int:
        if voucher.reverses is not None:
            return self.reverse(voucher.reverses)
        if voucher.what == "transfer" and not self.kind.transferable:
            raise No("not_transferable")
        if voucher.what == "donation" and not self.kind.donatable:
            raise No("not_donatable")
        for member in sorted(side for side in (voucher.source, voucher.target) if isinstance(side, int)):
            self._check_room(voucher, member)
        uses = self._lots_of(voucher)
        if voucher.source == "pot" and self.systems["pot"] < voucher.points:
            raise No("pot_short")
        return self.post(voucher.what, voucher.source, voucher.target, voucher.points, uses)

    def _check_room(self, voucher: Voucher, member: int) -> None:
        most = self.kind.balance_max
        if member == voucher.source:
            stays = self.kind.spend_above if voucher.what in GIVEN else 0
            if self.free(member) < voucher.points + stays:
                raise No("not_enough_points")
        elif most is not None and self.balance(member) + voucher.points > most:
            raise No("book_full")

    def _lots_of(self, voucher: Voucher) -> Uses:
        if isinstance(voucher.source, str):
            assert voucher.last_day is not None
            taken: dict[Bucket, int] = {(voucher.last_day, "earned", 0): voucher.points}
        else:
            is_given = voucher.what in GIVEN
            lots = [each for each in self.live(voucher.source) if each[1] == "earned" or not is_given]
            taken = self.gather(lots, voucher.source, voucher.points)
            if sum(taken.values()) < voucher.points:
                raise No("only_earned" if is_given else "not_enough_points")
        uses = {} if isinstance(voucher.source, str) else self._of(voucher.source, taken)
        if isinstance(voucher.target, int):
            uses |= {(voucher.target, bucket): -part for bucket, part in taken.items()}
        return uses

"""The books once more, in plain Python and without a database: what the ledger must say after each step.

Here is what all operations share, and those that one holder makes alone; the others stand in oracle_kinds,
oracle_flows and oracle_years, and `Oracle` there is all of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from pointsbank.ledger.rules_kinds import Settings

GRACE_DAYS = 30
MOST = 1_000_000
ISSUES = ("award", "base", "gift")
REVERSIBLE = (*ISSUES, "order", "transfer", "donation", "grant", "adjustment", "clawback")

Bucket = tuple[date, str, int]
"""A lot's last day, sort and matching percent (0: none); by the first two lots are spent, then as they came."""
Side = int | str
"""Where points are: at a member, by place, or in an account of the system, by name."""
Uses = dict[tuple[int, Bucket], int]
"""What goes out of lots, or, below zero, into them."""


class No(Exception):
    """A refusal, by its code."""

    def __init__(self, code: str, room: str = "ledger") -> None:
        super().__init__(code)
        self.code = f"{room}.{code}"


@dataclass
class Lot:
    remaining: int = 0
    held: int = 0

    @property
    def free(self) -> int:
        return self.remaining - self.held


@dataclass
class Entry:
    kind: str
    source: Side
    target: Side
    points: int
    uses: Uses
    undoes: int | None = None
    is_undone: bool = False
    surplus: int | None = None  # the entry by which it went on
    made: list[tuple[int, Bucket]] = field(default_factory=list)

    @property
    def seen(self) -> tuple[str, int, Side, Side]:
        return self.kind, self.points, self.source, self.target


@dataclass
class Hold:
    member: int
    points: int
    lots: dict[Bucket, int]
    state: str = "open"
    overdue_after: int = 0


@dataclass
class Books:
    today: date
    kind: Settings
    members: int
    lots: list[dict[Bucket, Lot]] = field(default_factory=list)
    systems: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    hours: int = 0
    first_day: date | None = None  # of an entry

    def __post_init__(self) -> None:
        self.lots = [{} for _ in range(self.members)]

    def balance(self, member: int) -> int:
        return sum(lot.remaining for lot in self.lots[member].values())

    def held(self, member: int) -> int:
        return sum(lot.held for lot in self.lots[member].values())

    def free(self, member: int) -> int:
        return self.balance(member) - self.held(member)

    # What may be asked of the ledger.

    def award(self, member: int, points: int, last_day: date) -> int:
        return self.issue("award", member, points, (last_day, "earned", 0))

    def order(self, member: int, points: int, outlet: int) -> int:
        check_amount(points)
        self._check_spendable(member, points)
        return self.post("order", member, f"redeemed:{outlet}", points, self._of(member, self._pick(member, points)))

    def hold(self, key: str, member: int, points: int, hours: int) -> None:
        check_amount(points)
        self._check_spendable(member, points)
        if key in self.holds:
            raise No("already_held")
        taken = self._pick(member, points)
        for bucket, part in taken.items():
            self.lots[member][bucket].held += part
        self.holds[key] = Hold(member, points, taken, overdue_after=self.hours + hours)

    def capture(self, key: str, outlet: int) -> int:
        hold = self._open(key)
        self._let_go(hold, "captured")
        return self.post("order", hold.member, f"redeemed:{outlet}", hold.points, self._of(hold.member, hold.lots))

    def release(self, key: str) -> None:
        self._let_go(self._open(key), "released")

    def lapse(self, key: str) -> None:
        hold = self._open(key)
        if self.hours < hold.overdue_after:
            raise No("hold_not_overdue")
        self._let_go(hold, "lapsed")

    def reverse(self, number: int) -> int:
        if self.entries[number].kind not in REVERSIBLE:
            raise No("not_reversible")
        with self.whole():
            self._bring_surplus_back(number)
            return self._mirror(number)

    def clawback(self, number: int) -> tuple[int, int]:
        """The entry, and what could not be taken."""
        entry = self.entries[number]
        if entry.kind not in ISSUES:
            raise No("not_reversible")
        assert isinstance(entry.target, int)
        asked = entry.points
        with self.whole():
            surplus = None if entry.surplus is None else self.entries[entry.surplus]
            if surplus is not None and not surplus.is_undone and surplus.target != "pot":
                asked -= surplus.points
            else:
                self._bring_surplus_back(number)
            reach = sum(self.lots[entry.target][bucket].free for bucket in self._within_reach(number, entry.target))
            points = min(asked, reach, self.free(entry.target))
            if points <= 0:
                raise No("nothing_to_take")
            taken = self._take_back(number, entry.target, points)
            return self.post("clawback", entry.target, "clawed_back", points, taken, undoes=number), asked - points

    def expire(self) -> None:
        for member, lots in enumerate(self.lots):
            for bucket, lot in lots.items():
                while bucket[0] < self.today and lot.free > 0:
                    points = min(lot.free, MOST)
                    self.post("expiry", member, "expired", points, {(member, bucket): points})

    def live_through(self, hours: int, today: date) -> None:
        self.hours += hours
        self.today = today

    # What they have in common.

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of it, or, refused on the way, nothing."""
        mark = len(self.entries)
        try:
            yield
        except No:
            while len(self.entries) > mark:
                self._unpost(self.entries.pop())
            raise

    def issue(self, kind: str, member: int, points: int, bucket: Bucket, system: str = "issued") -> int:
        check_amount(points)
        number = self.post(kind, system, member, points, {(member, bucket): -points})
        most = self.kind.balance_max
        if most is not None and self.balance(member) > most:
            over = min(points, self.balance(member) - most)
            target = "pot" if self.kind.surplus == "pot" else system
            self.entries[number].surplus = self.post("surplus", member, target, over, {(member, bucket): over})
        return number

    def post(self, kind: str, source: Side, target: Side, points: int, uses: Uses, *, undoes: int | None = None) -> int:
        if undoes is not None:
            if self.entries[undoes].is_undone:
                raise No("already_reversed")
            self.entries[undoes].is_undone = True
        entry = Entry(kind, source, target, points, uses, undoes)
        for (member, bucket), part in uses.items():
            if bucket not in self.lots[member]:
                self.lots[member][bucket] = Lot()
                entry.made.append((member, bucket))
            self.lots[member][bucket].remaining -= part
        self._move(source, target, points)
        self.entries.append(entry)
        self.first_day = self.first_day or self.today
        return len(self.entries) - 1

    def _unpost(self, entry: Entry) -> None:
        for (member, bucket), part in entry.uses.items():
            self.lots[member][bucket].remaining += part
        for member, bucket in entry.made:
            del self.lots[member][bucket]
        if entry.undoes is not None:
            self.entries[entry.undoes].is_undone = False
        self._move(entry.target, entry.source, entry.points)

    def _move(self, source: Side, target: Side, points: int) -> None:
        if isinstance(source, str):
            self.systems[source] -= points
        if isinstance(target, str):
            self.systems[target] += points

    @staticmethod
    def _of(member: int, taken: dict[Bucket, int]) -> Uses:
        return {(member, bucket): part for bucket, part in taken.items()}

    def _check_spendable(self, member: int, points: int) -> None:
        if not self.kind.redeemable:
            raise No("not_redeemable")
        if self.free(member) < points + self.kind.spend_above:
            raise No("not_enough_points")

    def in_order(self, member: int) -> list[Bucket]:
        return sorted(self.lots[member], key=lambda bucket: bucket[:2])

    def live(self, member: int) -> list[Bucket]:
        lots = self.lots[member]
        return [bucket for bucket in self.in_order(member) if bucket[0] >= self.today and lots[bucket].free > 0]

    def _pick(self, member: int, points: int) -> dict[Bucket, int]:
        """From each lot the most that still lets the rest be paid by those after it."""
        lots = [
            (bucket, self.lots[member][bucket].free)
            for bucket in self.live(member)
            if bucket[1] != "base" or self.kind.base_redeemable
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

    def gather(self, buckets: Iterable[Bucket], member: int, points: int) -> dict[Bucket, int]:
        """As much as there is, up to so many points, in this order."""
        taken: dict[Bucket, int] = {}
        for bucket in buckets:
            part = min(self.lots[member][bucket].free, points - sum(taken.values()))
            if part > 0:
                taken[bucket] = part
        return taken

    def _bring_surplus_back(self, number: int) -> None:
        surplus = self.entries[number].surplus
        if surplus is not None and not self.entries[surplus].is_undone:
            self._mirror(surplus)

    def _mirror(self, number: int) -> int:
        entry, uses = self.entries[number], dict[tuple[int, Bucket], int]()
        if entry.is_undone:
            raise No("already_reversed")
        if isinstance(entry.target, int):
            uses |= self._take_back(number, entry.target, entry.points)
        elif not entry.target.startswith("issued") and self.systems[entry.target] < entry.points:
            raise No("already_spent")
        if isinstance(entry.source, int):
            back: Counter[tuple[int, Bucket]] = Counter()
            for bucket in self.lots[entry.source]:
                part = entry.uses.get((entry.source, bucket), 0)
                if part > 0:
                    last_day = bucket[0] if bucket[0] >= self.today else self.today + timedelta(days=GRACE_DAYS)
                    back[entry.source, (last_day, *bucket[1:])] -= part
            uses |= back
        return self.post("reversal", entry.target, entry.source, entry.points, uses, undoes=number)

    def _within_reach(self, number: int, member: int) -> list[Bucket]:
        """Lots that a reversal may take from: those that the entry filled come first, even expired ones."""
        filled = [bucket for bucket in self.in_order(member) if (member, bucket) in self.entries[number].uses]
        return filled + [bucket for bucket in self.live(member) if bucket not in filled]

    def _take_back(self, number: int, member: int, points: int) -> Uses:
        taken = self.gather(self._within_reach(number, member), member, points)
        if sum(taken.values()) < points:
            raise No("already_spent")
        return self._of(member, taken)

    def _open(self, key: str) -> Hold:
        if key not in self.holds:
            raise No("unknown_hold")
        if self.holds[key].state != "open":
            raise No("hold_resolved")
        return self.holds[key]

    def _let_go(self, hold: Hold, state: str) -> None:
        hold.state = state
        for bucket, part in hold.lots.items():
            self.lots[hold.member][bucket].held -= part


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


def check_amount(points: int) -> None:
    if not 0 < points <= MOST:
        raise No("wrong_amount")

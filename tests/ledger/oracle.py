"""The books once more, in plain Python and without a database: what the ledger must say after each step."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

GRACE_DAYS = 30
MOST = 1_000_000

Bucket = tuple[date, str]
"""A lot's last day and sort, in the order in which lots are spent."""


class No(Exception):
    """A refusal, by its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = f"ledger.{code}"


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
    member: int
    points: int
    system: str
    uses: dict[Bucket, int]  # above zero: taken out
    is_undone: bool = False


@dataclass
class Hold:
    member: int
    points: int
    lots: dict[Bucket, int]
    state: str = "open"
    overdue_after: int = 0


@dataclass
class Oracle:
    today: date
    members: int
    lots: list[dict[Bucket, Lot]] = field(default_factory=list)
    systems: Counter[str] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    hours: int = 0

    def __post_init__(self) -> None:
        self.lots = [{} for _ in range(self.members)]

    def balance(self, member: int) -> int:
        return sum(lot.remaining for lot in self.lots[member].values())

    def held(self, member: int) -> int:
        return sum(lot.held for lot in self.lots[member].values())

    # What may be asked of the ledger.

    def award(self, member: int, points: int, last_day: date) -> int:
        _check_amount(points)
        self._put(member, (last_day, "earned"), points)
        return self._post("award", member, points, "issued", {(last_day, "earned"): -points})

    def order(self, member: int, points: int, outlet: int) -> int:
        taken = self._pick(member, points)
        for bucket, part in taken.items():
            self.lots[member][bucket].remaining -= part
        return self._post("order", member, -points, f"redeemed:{outlet}", taken)

    def hold(self, key: str, member: int, points: int, hours: int) -> None:
        _check_amount(points)
        if self.balance(member) - self.held(member) < points:
            raise No("not_enough_points")
        if key in self.holds:
            raise No("already_held")
        taken = self._pick(member, points)  # fails where what expired has not been collected yet
        for bucket, part in taken.items():
            self.lots[member][bucket].held += part
        self.holds[key] = Hold(member, points, taken, overdue_after=self.hours + hours)

    def capture(self, key: str, outlet: int) -> int:
        hold = self._open(key)
        hold.state = "captured"
        for bucket, part in hold.lots.items():
            self.lots[hold.member][bucket].remaining -= part
            self.lots[hold.member][bucket].held -= part
        return self._post("order", hold.member, -hold.points, f"redeemed:{outlet}", dict(hold.lots))

    def release(self, key: str) -> None:
        self._let_go(self._open(key), "released")

    def lapse(self, key: str) -> None:
        hold = self._open(key)
        if self.hours < hold.overdue_after:
            raise No("hold_not_overdue")
        self._let_go(hold, "lapsed")

    def reverse(self, number: int) -> int:
        entry = self.entries[number]
        if entry.kind not in ("award", "order", "clawback"):
            raise No("not_reversible")
        if entry.is_undone:
            raise No("already_reversed")
        uses: Counter[Bucket] = Counter()
        if entry.points > 0:
            if self._free_for(number, entry.points) < entry.points:
                raise No("already_spent")
            uses.update(self._take_back(number, entry.points))
        else:
            for (last_day, kind), part in entry.uses.items():
                stays = last_day >= self.today
                bucket = (last_day if stays else self.today + timedelta(days=GRACE_DAYS), kind)
                self._put(entry.member, bucket, part)
                uses[bucket] -= part
        entry.is_undone = True
        return self._post("reversal", entry.member, -entry.points, entry.system, dict(uses))

    def clawback(self, number: int) -> tuple[int, int]:
        """The entry, and what could not be taken."""
        entry = self.entries[number]
        if entry.kind != "award":
            raise No("not_reversible")
        points = min(entry.points, self._free_for(number, entry.points))
        if points <= 0:
            raise No("nothing_to_take")
        if entry.is_undone:
            raise No("already_reversed")
        taken = self._take_back(number, points)
        entry.is_undone = True
        return self._post("clawback", entry.member, -points, "clawed_back", taken), entry.points - points

    def expire(self) -> int:
        """How many entries that makes."""
        count = 0
        for member, lots in enumerate(self.lots):
            for bucket, lot in lots.items():
                while bucket[0] < self.today and lot.free > 0:
                    points, count = min(lot.free, MOST), count + 1
                    lot.remaining -= points
                    self._post("expiry", member, -points, "expired", {bucket: points})
        return count

    def live_through(self, hours: int, today: date) -> None:
        self.hours += hours
        self.today = today

    # What they have in common.

    def _put(self, member: int, bucket: Bucket, points: int) -> None:
        self.lots[member].setdefault(bucket, Lot()).remaining += points

    def _post(self, kind: str, member: int, points: int, system: str, uses: dict[Bucket, int]) -> int:
        self.systems[system] -= points
        self.entries.append(Entry(kind, member, points, system, uses))
        return len(self.entries) - 1

    def _pick(self, member: int, points: int) -> dict[Bucket, int]:
        """What would be taken, soonest to expire first."""
        _check_amount(points)
        return self._gather(sorted(self._live(member)), member, points)

    def _live(self, member: int) -> list[Bucket]:
        return [bucket for bucket, lot in self.lots[member].items() if bucket[0] >= self.today and lot.free > 0]

    def _gather(self, buckets: list[Bucket], member: int, points: int) -> dict[Bucket, int]:
        taken: dict[Bucket, int] = {}
        for bucket in buckets:
            part = min(self.lots[member][bucket].free, points - sum(taken.values()))
            if part > 0:
                taken[bucket] = part
        if sum(taken.values()) < points:
            raise No("not_enough_points")
        return taken

    def _within_reach(self, number: int) -> list[Bucket]:
        """Lots that a reversal may take from: those that the entry filled come first, even expired ones."""
        entry = self.entries[number]
        own = sorted(bucket for bucket in entry.uses if self.lots[entry.member][bucket].free > 0)
        return own + sorted(set(self._live(entry.member)) - set(own))

    def _free_for(self, number: int, points: int) -> int:
        entry = self.entries[number]
        reach = sum(self.lots[entry.member][bucket].free for bucket in self._within_reach(number))
        return min(points, reach)

    def _take_back(self, number: int, points: int) -> dict[Bucket, int]:
        member = self.entries[number].member
        taken = self._gather(self._within_reach(number), member, points)
        for bucket, part in taken.items():
            self.lots[member][bucket].remaining -= part
        return taken

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


def _check_amount(points: int) -> None:
    if not 0 < points <= MOST:
        raise No("wrong_amount")

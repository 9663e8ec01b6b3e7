"""What a desk does in its shop: cards, deliveries, orders at a counter and their undoing."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsbank.kit.clock import local_day, minute_of_day
from pointsbank.people import actions_cards as cards
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line, UndoReason
from pointsbank.stock import actions as stock
from tests.ledger.desk_asking import Asking
from tests.ledger.desk_shelf import GOODS, NO_GOOD, keeps_until
from tests.ledger.oracle_shop import Line as Wanted

DAY_MINUTES = 24 * 60
BEFORE_MIDNIGHT = 5


@dataclass
class Selling(Asking):
    async def linger(self, minutes: int | None) -> None:
        """Or (None) until just before midnight."""
        if minutes is None:
            minutes = (DAY_MINUTES - BEFORE_MIDNIGHT - minute_of_day(self.clock.now())) % DAY_MINUTES
        self.clock.advance(minutes=minutes)
        self.oracle.live_through(minutes, local_day(self.clock.now()))

    async def lose_card(self, person: int) -> None:
        person = self.person(person)
        await self.both(
            cards.report_lost, lambda: self.oracle.lose_card(person), person_id=self.place.persons[person]
        )  # fmt: skip

    async def _issue_card(self, person: int, *, is_lost: bool) -> bool:
        issued = await self.both(
            cards.issue_card, lambda: self.oracle.issue_card(person, is_lost=is_lost),
            person_id=self.place.persons[person], is_lost=is_lost,
        )  # fmt: skip
        if issued is not None:
            self.place.shelf.note_card(issued[0])
        return issued is not None

    async def deliver(self, good: int, pieces: int, days: int | None, lacks_donor: bool) -> None:
        best_before = keeps_until(self.oracle.today, days)
        await self.both(
            stock.receive, lambda: self.oracle.deliver(good, pieces, best_before, lacks_donor=lacks_donor),
            good_id=self.place.shelf.goods[good], quantity=pieces, source="donated" if lacks_donor else "purchased",
            best_before=best_before,
        )  # fmt: skip

    async def change_good(self, good: int, points: int, monthly_max: int | None) -> None:
        await self.both(
            stock.change_good, lambda: self.oracle.change_good(good, points, monthly_max),
            good_id=self.place.shelf.goods[good], name=GOODS[good][0], unit="袋", points=points,
            monthly_max=monthly_max, low_at=0,
        )  # fmt: skip

    async def buy(
        self, person: int, lines: Sequence[Wanted], counter: int, clerk: int, *, has_barcodes: bool, card: str
    ) -> None:
        """With the card that the member got last, or first; or with a new one, as after the one before was lost."""
        person = self.person(person)
        own = [at for at, one in enumerate(self.oracle.cards) if one.person == person]
        if card in ("new", "lost") or not own:
            if not await self._issue_card(person, is_lost=card == "lost"):
                return
            own.append(len(self.oracle.cards) - 1)
        shown = own[0 if card == "first" else -1]
        clerk = clerk if clerk < 0 else self.person(clerk)
        made = await self.both(
            redemption.order, lambda: self.oracle.buy(counter, clerk, shown, lines), by=self.place.clerk_id(clerk),
            counter_id=self.place.shelf.counters[counter], community_ids=[self.place.community_id],
            lines=[self._line(*line, has_barcodes=has_barcodes) for line in lines], code=self.place.shelf.codes[shown],
        )  # fmt: skip
        if made is not None:
            self.same("what an order costs", made[0].points, made[1])

    def _line(self, good: int, pieces: int, *, has_barcodes: bool) -> Line:
        shelf = self.place.shelf
        if good >= len(shelf.goods):
            return Line(pieces, barcode=str(NO_GOOD)) if has_barcodes else Line(pieces, good=NO_GOOD)
        return Line(pieces, barcode=shelf.barcodes[good]) if has_barcodes else Line(pieces, good=shelf.goods[good])

    async def undo(self, back: int, by_clerk: bool) -> None:
        """By whoever gave the goods out, or by another."""
        at = self.latest(len(self.oracle.bought), back)
        if at is not None:
            clerk = self.oracle.bought[at].clerk
            await self.undo_order(at, clerk if by_clerk else -1 - (clerk == -1))

    async def undo_order(self, at: int, clerk: int) -> None:
        undone = await self.both(
            redemption.undo, lambda: self.oracle.undo(at, clerk), by=self.place.clerk_id(clerk),
            order_id=self.place.shelf.orders[at], reason=UndoReason.WRONG_GOODS,
            community_ids=[self.place.community_id],
        )  # fmt: skip
        if undone is not None:
            self.same("what an undone order gives back", undone[0].points, undone[1])

"""What a desk does from hand to hand, and what a second person agrees to."""

from dataclasses import dataclass

from pointsbank.approvals.rules import facts_hash
from pointsbank.governance import actions_estates
from pointsbank.ledger import actions_batches, actions_vouchers, queries_flows
from pointsbank.ledger.rules_flows import What
from tests.ledger.desk_asking import Asking
from tests.ledger.oracle_flows import CLAWED_HERE


@dataclass
class Handing(Asking):
    # From hand to hand.

    async def hand_over(self, what: str, book: int, to: int | None, points: int) -> None:
        book, to = self.book(book), None if to is None else self.person(to)
        await self.both(
            actions_vouchers.hand_over, lambda: self.oracle.hand_over(what, book, to, points), **self.community,
            what=What(what), from_id=self.place.books[book], points=points, how="in_person",
            to_person=self.person_id(to),
        )  # fmt: skip

    async def give_own(self, person: int, to: int | None, points: int, kind: str) -> None:
        person, to = self.person(person), None if to is None else self.person(to)
        await self.both(
            actions_vouchers.give_own, lambda: self.oracle.give_own(person, to, points, kind), points=points,
            kind=kind, to_person=self.person_id(to), by=self.person_id(person),
        )  # fmt: skip

    async def grant(self, person: int, points: int, days: int, kind: str) -> None:
        person, last_day = self.person(person), self.day(days)
        await self.both(
            actions_vouchers.grant_to, lambda: self.oracle.grant(person, points, last_day, kind), **self.community,
            person_id=self.person_id(person), points=points, expires_on=last_day, reason="hardship", note="",
            kind=kind,
        )  # fmt: skip

    async def adjust(self, book: int, points: int, is_up: bool, days: int, back_days: int) -> None:
        book, last_day, past_day = self.book(book), self.day(days), self.day(-back_days)
        await self.both(
            actions_vouchers.adjust, lambda: self.oracle.adjust(book, points, last_day if is_up else None, past_day),
            **self.community, passbook_id=self.place.books[book], points=points, is_up=is_up, expires_on=last_day,
            reason="missed", note="", past_day=past_day,
        )  # fmt: skip

    async def take_back(self, way: str, back: int) -> None:
        """What is clawed back is mostly something that brought points."""
        at = self.entry(back)
        brought = [number for number, entry in enumerate(self.oracle.entries) if entry.kind in CLAWED_HERE]
        if way == "clawback" and back < 30:
            at = brought[-1 - back % len(brought)]
        await self._take_back(way, at)

    async def _take_back(self, way: str, at: int) -> bool:
        """Whether the voucher was made."""
        room = (await queries_flows.entry(None, self.ids[at])).source_room
        made = await self.both(
            actions_vouchers.take_back, lambda: self.oracle.take_back(way, at), **self.community,
            entry_id=self.ids[at], way=What(way), reason="twice", note="", room=room,
        )  # fmt: skip
        return made is not None

    async def take_back_now(self, way: str, at: int) -> int | None:
        """With somebody who agrees at once where it takes two; how many points lack, or None where it was refused."""
        before = len(self.oracle.entries)
        if not await self._take_back(way, at):
            return None
        if self.oracle.vouchers[-1].state == "asked":
            await self.agree(0, by_maker=False, has_seen=True)
        return None if len(self.oracle.entries) == before else self.oracle.vouchers[-1].lacking

    # Gifts to several at once.

    async def ask_gifts(self, people: tuple[int, ...], points: int, percent: int, days: int) -> None:
        whose, last_day = list(map(self.person, people)), self.day(days)
        await self.both(
            actions_vouchers.ask_gifts, lambda: self.oracle.ask_gifts(whose, points, percent, last_day),
            **self.community, person_ids=[self.place.persons[one] for one in whose], points=points,
            match_percent=percent, expires_on=last_day, note="节日",
        )  # fmt: skip

    def batch(self, back: int) -> int | None:
        batches = self.oracle.batches()
        at = self.latest(len(batches), back)
        return None if at is None else batches[at]

    async def agree_gifts(self, back: int, by_maker: bool, has_seen: bool) -> None:
        batch = self.batch(back)
        if batch is not None:
            batch_id = self.place.vouchers[batch]
            asked = [one.facts for one in await queries_flows.batch_in(None, batch_id) if one.state == "asked"]
            given = await self.decide(
                actions_batches.give_gifts, lambda: self.oracle.give_gifts(batch, is_maker=by_maker, has_seen=has_seen),
                by_maker, batch_id=batch_id, seen=facts_hash(asked) if has_seen else "what stood there before",
            )  # fmt: skip
            if given is not None:
                self.same("gifts given", *given)

    async def refuse_gifts(self, back: int, by_maker: bool) -> None:
        batch = self.batch(back)
        if batch is not None:
            await self.decide(
                actions_batches.refuse_gifts, lambda: self.oracle.refuse_gifts(batch, is_maker=by_maker), by_maker,
                batch_id=self.place.vouchers[batch], reason="不清楚",
            )  # fmt: skip

    async def withdraw_gifts(self, back: int, by_maker: bool) -> None:
        batch = self.batch(back)
        if batch is not None:
            await self.decide(
                actions_batches.withdraw_gifts, lambda: self.oracle.withdraw_gifts(batch, is_maker=by_maker), by_maker,
                batch_id=self.place.vouchers[batch],
            )  # fmt: skip

    # What waits for a second person.

    async def agree(self, back: int, by_maker: bool, has_seen: bool) -> None:
        at = self.latest(len(self.place.vouchers), back)
        if at is None:
            return
        voucher = await queries_flows.voucher((self.place.community_id,), self.place.vouchers[at])
        facts = {
            "voucher_id": voucher.id,
            "seen": facts_hash(voucher.facts) if has_seen else "what stood there before",
        }
        if voucher.what is What.ESTATE:
            give, expected = actions_estates.agree, self.oracle.give_estate
        else:
            back_id = voucher.reverses_id
            room = "ledger" if back_id is None else (await queries_flows.entry(None, back_id)).source_room
            give, expected, facts["room"] = actions_vouchers.give, self.oracle.give, room
        await self.decide(give, lambda: expected(at, is_maker=by_maker, has_seen=has_seen), by_maker, **facts)

    async def turn_down(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.place.vouchers), back)
        if at is not None:
            await self.decide(
                actions_vouchers.refuse, lambda: self.oracle.refuse(at, is_maker=by_maker), by_maker,
                voucher_id=self.place.vouchers[at], reason="不清楚",
            )  # fmt: skip

    async def withdraw(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.place.vouchers), back)
        if at is not None:
            await self.decide(
                actions_vouchers.withdraw, lambda: self.oracle.withdraw(at, is_maker=by_maker), by_maker,
                voucher_id=self.place.vouchers[at],
            )  # fmt: skip

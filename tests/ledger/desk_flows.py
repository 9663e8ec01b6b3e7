"""What a desk does from hand to hand, and what a second person agrees to."""

from dataclasses import dataclass

from pointsbank.approvals.rules import facts_hash
from pointsbank.governance import actions_estates
from pointsbank.ledger import actions_vouchers, queries_flows
from pointsbank.ledger.rules_flows import What
from tests.ledger.desk_asking import Asking


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

    async def ask_reversal(self, back: int) -> None:
        at = self.entry(back)
        room = (await queries_flows.entry(None, self.ids[at])).source_room
        await self.both(
            actions_vouchers.take_back, lambda: self.oracle.ask_reversal(at), **self.community,
            entry_id=self.ids[at], way=What.REVERSAL, reason="twice", note="", room=room,
        )  # fmt: skip

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

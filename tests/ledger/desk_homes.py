"""Who comes, moves, turns out to be somebody else or goes; and points of paper passbooks."""

from dataclasses import dataclass

from pointsbank.approvals.rules import facts_hash
from pointsbank.governance import actions as governance
from pointsbank.governance import actions_estates, actions_merging, actions_people, queries
from pointsbank.ledger import actions_kinds, actions_opening, queries_opening
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.people import actions as people
from tests.ledger.desk_asking import Asking
from tests.ledger.oracle_openings import Line


@dataclass
class Moving(Asking):
    async def open_book(self, person: int, kind: str) -> None:
        person = self.person(person)
        await self.both(
            actions_kinds.open_for, lambda: self.oracle.book_of(person, kind), **self.community,
            person_id=self.person_id(person), kind=kind,
        )  # fmt: skip

    async def register(self, name: str, person: int | None) -> None:
        """Somebody new, alone or where another lives: nobody finds a household that nobody lives in any more."""
        home = None if person is None else self.oracle.people[self.person(person)].home
        home = home if home is not None and self.oracle.members(home) else None
        await self.both(
            people.make_person, lambda: self.oracle.register(name, home), **self.community,
            household_id=None if home is None else self.place.homes[home], name=name, phone=None,
        )  # fmt: skip

    async def move(self, person: int, with_others: bool, door: int, share: int) -> None:
        """One alone, or with all of the household."""
        person = self.person(person)
        home = self.oracle.people[person].home
        whole = self.oracle.members(home) if with_others and home is not None else []
        moving = sorted({person, *whole})
        await self.both(
            actions_people.move, lambda: self.oracle.move(moving, door, share), **self.community,
            person_ids=[self.place.persons[one] for one in moving], building_id=self.place.building_id,
            door=str(door), reason="moved", share=share,
        )  # fmt: skip

    async def leave(self, person: int, tells: bool) -> None:
        """The balance was told, or is not what somebody thought."""
        person = self.person(person)
        human = self.oracle.human(person)
        told = sum(map(self.oracle.balance, self.oracle.books_that_end(human))) if tells else 7
        await self.both(
            actions_people.leave, lambda: self.oracle.leave(person, told), person_id=self.person_id(person),
            how="paper", points_given_up=told, answer="已办",
        )  # fmt: skip

    async def pass_on(self, person: int, heir: int | None) -> None:
        person, heir = self.person(person), None if heir is None else self.person(heir)
        before = len(self.oracle.vouchers)
        told = await self.both(
            actions_estates.pass_on, lambda: self.oracle.pass_on(person, heir), person_id=self.person_id(person),
            heir_id=self.person_id(heir), reason="death", note="",
        )  # fmt: skip
        if told is not None:
            self.same("whether all is passed on", told[0].is_done, told[1])
            self.same("vouchers", len(told[0].voucher_ids), len(self.oracle.vouchers) - before)

    # Two records of one human being.

    async def ask_merge(self, person: int, into: int) -> None:
        person, into = self.person(person), self.person(into)
        made = await self.both(
            actions_merging.ask, lambda: self.oracle.ask_merge(person, into), person_id=self.person_id(person),
            same_as=self.person_id(into),
        )  # fmt: skip
        if made is not None:
            self.merge_ids.append(made[0])

    async def agree_merge(self, back: int, by_maker: bool, has_seen: bool) -> None:
        at = self.latest(len(self.merge_ids), back)
        if at is not None:
            request = await queries.merge_request((self.place.community_id,), self.merge_ids[at])
            seen = facts_hash(await queries.merge_facts(None, request)) if has_seen else "something else"
            await self.decide(
                actions_merging.agree, lambda: self.oracle.give_merge(at, is_maker=by_maker, has_seen=has_seen),
                by_maker, request_id=request.id, seen=seen,
            )  # fmt: skip

    async def refuse_merge(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.merge_ids), back)
        if at is not None:
            await self.decide(
                actions_merging.refuse, lambda: self.oracle.refuse_merge(at, is_maker=by_maker), by_maker,
                request_id=self.merge_ids[at], reason="不清楚",
            )  # fmt: skip

    async def part(self, back: int, has_merged: bool) -> None:
        """By one of those who merged them, or by somebody else."""
        at = self.latest(len(self.oracle.aliases), back)
        if at is not None:
            await self.both(
                actions_people.separate, lambda: self.oracle.part(at, has_merged=has_merged),
                by=None if has_merged else self.place.other[0], merge_id=self.place.aliases[at], reason="不是同一个人",
            )  # fmt: skip

    async def settle_again(self, back: int, into: int | None) -> None:
        """Of those who wait the latest, or, where nobody waits, somebody who is settled."""
        waiting = [at for at, one in enumerate(self.oracle.people) if one.state == "provisional"] or [0]
        person, into = waiting[-1 - back % len(waiting)], None if into is None else self.person(into)
        await self.both(
            governance.settle_provisional, lambda: self.oracle.settle_again(person, into),
            person_id=self.place.persons[person], same_as=None if into is None else self.place.persons[into],
        )  # fmt: skip

    async def withdraw_merge(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.merge_ids), back)
        if at is not None:
            await self.decide(
                actions_merging.withdraw, lambda: self.oracle.withdraw_merge(at, is_maker=by_maker), by_maker,
                request_id=self.merge_ids[at],
            )  # fmt: skip

    # Lists of opening balances.

    async def make_list(self, people: tuple[int, ...], points: int, days: int, back_days: int) -> None:
        """Of whoever of these is a member, each with a few points more than the one before."""
        whose = dict.fromkeys(map(self.person, people))
        lines = [
            Line(one, self.oracle.whose(one)[1], points + at)
            for at, one in enumerate(whose)
            if self.oracle.people[one].state == "member"
        ]
        if not lines:
            return
        day, last_day = self.day(-back_days), self.day(days)
        made = await self.both(
            actions_opening.make_list, lambda: self.oracle.make_list(lines, day, last_day), **self.community, day=day,
            expires_on=last_day, lines=[self._new_line(line) for line in lines],
        )  # fmt: skip
        if made is not None:
            self.list_ids.append(made[0])

    def _new_line(self, line: Line) -> NewLine:
        home = None if line.home is None else self.place.homes[line.home]
        return NewLine(self.place.persons[line.person], home, line.points, "")

    async def ask_list(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.list_ids), back)
        if at is not None:
            await self.decide(
                actions_opening.ask, lambda: self.oracle.ask_list(at, is_maker=by_maker), by_maker,
                list_id=self.list_ids[at],
            )  # fmt: skip

    async def agree_list(self, back: int, by_maker: bool, has_seen: bool) -> None:
        at = self.latest(len(self.list_ids), back)
        if at is not None:
            made = await queries_opening.opening_list((self.place.community_id,), self.list_ids[at])
            seen = await queries_opening.facts_of(None, made) if has_seen else "something else"
            await self.decide(
                actions_opening.give, lambda: self.oracle.give_list(at, is_maker=by_maker, has_seen=has_seen),
                by_maker, list_id=made.id, seen=seen,
            )  # fmt: skip

    async def withdraw_list(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.list_ids), back)
        if at is not None:
            await self.decide(
                actions_opening.withdraw, lambda: self.oracle.withdraw_list(at, is_maker=by_maker), by_maker,
                list_id=self.list_ids[at],
            )  # fmt: skip

    async def refuse_list(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.list_ids), back)
        if at is not None:
            await self.decide(
                actions_opening.refuse, lambda: self.oracle.refuse_list(at, is_maker=by_maker), by_maker,
                list_id=self.list_ids[at], reason="不清楚",
            )  # fmt: skip

    async def reverse_line(self, back: int, line: int, by_maker: bool) -> None:
        at = self.latest(len(self.list_ids), back)
        if at is not None:
            place = line % len(self.oracle.openings[at].lines)
            await self.decide(
                actions_opening.reverse, lambda: self.oracle.reverse_line(at, place, is_maker=by_maker), by_maker,
                list_id=self.list_ids[at], position=place + 1, reason="opening_points",
            )  # fmt: skip

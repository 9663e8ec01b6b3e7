"""The ledger beside an oracle in plain Python: any operations in any order, compared after each step.

PB_MACHINE_STEPS sets how many steps, PB_MACHINE_SEED repeats a run.
"""

import asyncio
import os
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor, Tx
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions, actions_expiry, actions_holds, actions_kinds, actions_reversal
from tests.conftest import NOON
from tests.ledger.conftest import add_person, found_community
from tests.ledger.oracle import No, Oracle

pytestmark = pytest.mark.both
STEPS = {"sqlite": 3_000, "postgres": 1_000}
STEPS_A_TURN, TURNS = 50, 20
MEMBERS = 3

ACCOUNTS = """
SELECT passbook_id, balance, held FROM ledger_account
 WHERE community_id = ? AND passbook_id IS NOT NULL ORDER BY passbook_id
"""
SYSTEMS = "SELECT system, balance FROM ledger_account WHERE community_id = ? AND system IS NOT NULL"
LOTS = """
SELECT account.passbook_id, lot.expires_on, lot.kind, lot.remaining, lot.held
  FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id WHERE account.community_id = ?
"""
HOLDS = """
SELECT hold.hold_key, hold.state FROM ledger_hold hold JOIN ledger_account account ON account.id = hold.account_id
 WHERE account.community_id = ?
"""
ENTRIES = "SELECT COUNT(*) AS count FROM ledger_entry WHERE community_id = ?"
FIRST = "SELECT MIN(id) AS id FROM ledger_account WHERE community_id = ? AND passbook_id = ?"

earned, spent = st.integers(5, 60), st.integers(1, 25)
unfit = st.sampled_from([0, -1, 1_000_001, 2**63])
members = st.integers(0, MEMBERS - 1)
outlets = st.integers(1, 2)


async def found(tx: Tx, *, number: int) -> tuple[int, list[tuple[int, int, int]]]:
    """A community; of each member the person, the passbook and the account."""
    community_id = await found_community(tx)
    await actions_kinds.make_main_kind(tx, community_id=community_id)
    made = []
    for place in range(MEMBERS):
        person_id = await add_person(tx, community_id=community_id, number=f"{number:06d}{place:03d}")
        passbook_id = await actions.open_passbook(tx, community_id=community_id, person_id=person_id)
        account = await tx.row(FIRST, community_id, passbook_id)
        assert account is not None
        made.append((person_id, passbook_id, account["id"]))
    return community_id, made


class Machine(RuleBasedStateMachine):
    """The test gives it the loop on which the database is open, and its clock."""

    loop: asyncio.AbstractEventLoop
    clock: Any
    communities = 0
    steps = 0

    entries = Bundle("entries")
    keys = Bundle("keys")
    asked = Bundle("asked")

    def run(self, awaited: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(awaited, self.loop).result()

    @initialize()
    def begin(self) -> None:
        Machine.communities += 1
        self.clock.set(NOON)
        self.number = Machine.communities
        self.community_id, self.members = self.run(db.write(found, number=self.number))
        self.oracle = Oracle(local_day(NOON), MEMBERS)
        self.ids: list[int] = []  # of the oracle's entries, in the ledger
        self.made = 0
        for member in range(MEMBERS):
            self.award(member, 40, 40 * member)

    def key(self) -> str:
        self.made += 1
        return f"model-{self.number}-{self.made}"

    def tell(self, action: Callable[..., Any], **facts: Any) -> tuple[str, Any]:
        """A request that will be repeated, perhaps: its key, and the answer or the code of the refusal."""
        request_key = self.key()
        return request_key, self.ask(action, request_key, facts)

    def ask(self, action: Callable[..., Any], request_key: str, facts: dict[str, Any]) -> Any:
        clerk = Actor(person_id=self.members[0][0])

        async def write() -> Any:
            try:
                return await db.write(action, actor=clerk, request_key=request_key, **facts)
            except Refusal as refused:
                return refused.code

        return self.run(write())

    def both(self, action: Callable[..., Any], expected: Callable[[], Any], **facts: Any) -> Any:
        """Ask the ledger and the oracle; answers what may be repeated, and the entry's number if there is one."""
        request_key, answer = self.tell(action, **facts)
        number, refusal = None, None
        try:
            number = expected()
        except No as no:
            refusal = no.code
        assert (answer if isinstance(answer, str) else None) == refusal, action.__name__
        if number is not None:
            self.ids.append(answer.entry_id)
        self.look()
        return (action, request_key, facts, answer), number

    def told(self, outcome: tuple[Any, int | None]) -> Any:
        return multiple() if outcome[1] is None else outcome[1]

    @rule(
        target=entries,
        member=members,
        points=st.one_of(earned, earned, st.just(1_000_000)),
        days=st.sampled_from([0, 1, 2, 5, 40, 400]),
    )
    def award(self, member: int, points: int, days: int) -> Any:
        person_id, passbook_id, _ = self.members[member]
        last_day = self.oracle.today + timedelta(days=days)
        made = self.both(
            actions.post_award, lambda: self.oracle.award(member, points, last_day), community_id=self.community_id,
            passbook_id=passbook_id, points=points, posting_key=self.key(), effective_at=self.clock.now(),
            expires_on=last_day, member_id=person_id, version_id=1, source=("awards", "award", 1), summary="楼道清洁",
        )  # fmt: skip
        self.last = made[0]
        return self.told(made)

    @rule(target=entries, member=members, points=spent, outlet=outlets)
    def order(self, member: int, points: int, outlet: int) -> Any:
        person_id, _, account_id = self.members[member]
        made = self.both(
            actions.spend, lambda: self.oracle.order(member, points, outlet), community_id=self.community_id,
            account_id=account_id, points=points, outlet_id=outlet, posting_key=self.key(), member_id=person_id,
            source=("redemption", "order", 1), summary="食用盐",
        )  # fmt: skip
        self.last = made[0]
        return self.told(made)

    @rule(target=keys, member=members, points=spent, hours=st.sampled_from([1, 30]))
    def hold(self, member: int, points: int, hours: int) -> Any:
        key = self.key()
        self._hold(key, member, points, hours)
        return key if key in self.oracle.holds else multiple()

    @rule(member=members, points=unfit, what=st.integers(0, 3))
    def ask_for_what_nobody_could_mean(self, member: int, points: int, what: int) -> None:
        if what == 0:
            self.award(member, points, 1)
        elif what == 1:
            self.order(member, points, 1)
        elif what == 2:
            self._hold(self.key(), member, points, 1)
        else:
            self.release(self.key())

    @rule(key=keys, member=members, points=st.integers(1, 3))
    def hold_again(self, key: str, member: int, points: int) -> None:
        self._hold(key, member, points, 1)

    def _hold(self, key: str, member: int, points: int, hours: int) -> None:
        person_id, _, account_id = self.members[member]
        self.last, _ = self.both(
            actions_holds.hold, lambda: self.oracle.hold(key, member, points, hours), account_id=account_id,
            points=points, hold_key=key, overdue_at=self.clock.now() + timedelta(hours=hours), member_id=person_id,
            source=("redemption", "order", 1),
        )  # fmt: skip

    @rule(target=entries, key=keys, outlet=outlets)
    def capture(self, key: str, outlet: int) -> Any:
        made = self.both(
            actions_holds.capture, lambda: self.oracle.capture(key, outlet), hold_key=key, outlet_id=outlet,
            posting_key=self.key(), summary="食用盐",
        )  # fmt: skip
        self.last = made[0]
        return self.told(made)

    @rule(key=keys)
    def release(self, key: str) -> None:
        self.last, _ = self.both(actions_holds.release, lambda: self.oracle.release(key), hold_key=key)

    @rule(key=keys)
    def lapse(self, key: str) -> None:
        self.last, _ = self.both(actions_holds.lapse, lambda: self.oracle.lapse(key), hold_key=key)

    @rule(target=entries, entry=entries)
    def reverse(self, entry: int) -> Any:
        made = self.both(
            actions_reversal.reverse, lambda: self.oracle.reverse(entry), entry_id=self.ids[entry], reason="mistake"
        )
        self.last = made[0]
        return self.told(made)

    @rule(target=entries, entry=entries)
    def claw_back(self, entry: int) -> Any:
        short = []

        def expected() -> int:
            number, missing = self.oracle.clawback(entry)
            short.append(missing)
            return number

        made = self.both(actions_reversal.clawback, expected, entry_id=self.ids[entry], reason="mistake")
        assert not short or made[0][3].shortfall == short[0]
        self.last = made[0]
        return self.told(made)

    @rule(hours=st.sampled_from([1, 13, 24, 48, 24 * 41]))
    def live_on(self, hours: int) -> None:
        self.clock.advance(hours=hours)
        self.oracle.live_through(hours, local_day(self.clock.now()))

    @rule()
    def expire(self) -> None:
        while self.run(db.write(actions_expiry.expire_due)):
            pass
        before = len(self.oracle.entries)
        self.oracle.expire()
        # No later step looks at an expiry, but each has its place among the oracle's entries.
        self.ids += [0] * (len(self.oracle.entries) - before)
        self.look()

    @rule()
    def ask_again(self) -> None:
        """The last request of all comes once more: the same answer, and nothing else."""
        if getattr(self, "last", None) is not None:
            action, request_key, facts, answer = self.last
            if answer != "ledger.wrong_amount":  # what is malformed is not remembered, and refused anew
                assert self.ask(action, request_key, facts) == answer
                self.look()

    def look(self) -> None:
        """All that the ledger says now, against the oracle."""
        Machine.steps += 1
        oracle, place = self.oracle, {book: at for at, (_, book, _) in enumerate(self.members)}
        accounts, systems, lots, holds, count = self.run(read(self.community_id))
        assert accounts == {book: (oracle.balance(at), oracle.held(at)) for book, at in place.items()}
        assert systems == dict(oracle.systems)
        assert sum(balance for balance, _ in accounts.values()) + sum(systems.values()) == 0
        assert lots == {
            (book, *bucket): (lot.remaining, lot.held)
            for book, at in place.items()
            for bucket, lot in oracle.lots[at].items()
        }
        assert holds == {key: hold.state for key, hold in oracle.holds.items()}
        assert count == len(oracle.entries)


async def read(community_id: int) -> Any:
    return (
        {book: (balance, held) for book, balance, held in await db.rows(ACCOUNTS, community_id)},
        dict([tuple(row) for row in await db.rows(SYSTEMS, community_id)]),
        {(book, day, kind): (left, held) for book, day, kind, left, held in await db.rows(LOTS, community_id)},
        dict([tuple(row) for row in await db.rows(HOLDS, community_id)]),
        (await db.rows(ENTRIES, community_id))[0]["count"],
    )


async def test_the_ledger_and_its_oracle_never_differ(database, clock, engine):
    Machine.loop, Machine.clock = asyncio.get_running_loop(), clock
    Machine.communities = Machine.steps = 0
    chosen = int(os.environ.get("PB_MACHINE_SEED") or random.SystemRandom().randrange(10**9))
    wanted = int(os.environ.get("PB_MACHINE_STEPS") or STEPS[engine])
    print(f"PB_MACHINE_SEED={chosen}")  # noqa: T201  shown with a failure
    turn = settings(
        max_examples=TURNS, stateful_step_count=STEPS_A_TURN, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    while Machine.steps < wanted:
        await asyncio.to_thread(run_state_machine_as_test, seed(chosen)(Machine), settings=turn)
        chosen += 1
    assert Machine.steps >= wanted

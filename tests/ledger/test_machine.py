"""The ledger beside an oracle in plain Python: any operations in any order, compared after each step.

PB_MACHINE_STEPS sets how many steps, PB_MACHINE_SEED repeats a run. A database is new after every thousand or so.
"""

import asyncio
import os
import random
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.ledger.desk import Desk
from tests.ledger.operations import NAMES, facts_of

pytestmark = pytest.mark.both
STEPS = 3_000
STEPS_A_TURN, TURNS = 100, 10
STEPS_A_REPORT = 10_000


class Machine(RuleBasedStateMachine):
    """The test gives it the loop on which the database is open, and its clock."""

    loop: asyncio.AbstractEventLoop
    clock: Any
    communities = 0
    steps = 0

    def run(self, awaited: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(awaited, self.loop).result()

    @initialize()
    def begin(self) -> None:
        Machine.communities += 1
        self.desk = self.run(Desk.opened(self.clock, Machine.communities))

    # Facts hang on one number: drawn one by one they would take longer than the ledger and its oracle together.
    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2**24 - 1))
    def ask(self, name: str, number: int) -> None:
        Machine.steps += 1
        facts = facts_of(name, random.Random(number))
        note(f"{name} {facts}")
        self.run(getattr(self.desk, name)(**facts))

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.run(self.desk.retire())


async def test_the_ledger_and_its_oracle_never_differ(fresh, clock, engine, capsys):
    Machine.loop, Machine.clock = asyncio.get_running_loop(), clock
    Machine.communities = Machine.steps = 0
    chosen = int(os.environ.get("PB_MACHINE_SEED") or random.SystemRandom().randrange(10**9))
    wanted = int(os.environ.get("PB_MACHINE_STEPS") or STEPS)
    began, told = time.monotonic(), 0
    turn = settings(
        max_examples=min(TURNS, -(-wanted // STEPS_A_TURN)), stateful_step_count=STEPS_A_TURN, deadline=None,
        database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    print(f"PB_MACHINE_SEED={chosen}")  # noqa: T201  shown with a failure
    while Machine.steps < wanted:
        if Machine.steps >= told + STEPS_A_REPORT:
            told = Machine.steps
            with capsys.disabled():
                rate = told / (time.monotonic() - began)
                print(f"\n{engine}, PB_MACHINE_SEED={chosen}: {told} steps, {rate:.0f} a second", end="")  # noqa: T201
        async with fresh(engine):
            await asyncio.to_thread(run_state_machine_as_test, seed(chosen)(Machine), settings=turn)
        chosen += 1
    assert Machine.steps >= wanted


async def test_what_is_left_of_an_estate_is_asked_for_by_whoever_agreed_to_the_first_million(fresh, clock, engine):
    """Found after 110,000 steps: the oracle took one person for the maker of all. There was something before them."""
    async with fresh(engine):
        desk = await Desk.opened(clock, 1)
        for _ in "ab":
            await desk.award(book=1, points=1_000_000, days=5)
        await desk.pass_on(person=1, heir=4)
        for by_maker in (True, False, False, True):
            await desk.agree(0, by_maker=by_maker, has_seen=True)
        told = [voucher.state for voucher in desk.oracle.vouchers]
        await desk.retire()
    assert told == ["booked", "booked", "asked"]

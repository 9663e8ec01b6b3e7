"""The ledger beside an oracle in plain Python: any operations in any order, compared after each step.

PB_MACHINE_STEPS sets how many steps, PB_MACHINE_SEED repeats a run. A database is new after every thousand or so.
"""

import asyncio
import os
import random
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.ledger.desk import Desk
from tests.ledger.operations import OPERATIONS, Facts

pytestmark = pytest.mark.both
STEPS = {"sqlite": 1_000, "postgres": 250}
STEPS_A_TURN, TURNS = 50, 20


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

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.run(self.desk.retire())


def _asks(name: str, facts: Facts) -> Any:
    def ask(machine: Machine, **drawn: Any) -> None:
        Machine.steps += 1
        machine.run(getattr(machine.desk, name)(**drawn))

    ask.__name__ = name
    return rule(**{fact: st.sampled_from(among) for fact, among in facts.items()})(ask)


for _name, (_, _facts) in OPERATIONS.items():
    setattr(Machine, _name, _asks(_name, _facts))


async def test_the_ledger_and_its_oracle_never_differ(fresh, clock, engine):
    Machine.loop, Machine.clock = asyncio.get_running_loop(), clock
    Machine.communities = Machine.steps = 0
    chosen = int(os.environ.get("PB_MACHINE_SEED") or random.SystemRandom().randrange(10**9))
    wanted = int(os.environ.get("PB_MACHINE_STEPS") or STEPS[engine])
    print(f"PB_MACHINE_SEED={chosen}")  # noqa: T201  shown with a failure
    turn = settings(
        max_examples=min(TURNS, -(-wanted // STEPS_A_TURN)), stateful_step_count=STEPS_A_TURN, deadline=None,
        database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    while Machine.steps < wanted:
        async with fresh(engine):
            await asyncio.to_thread(run_state_machine_as_test, seed(chosen)(Machine), settings=turn)
        chosen += 1
    assert Machine.steps >= wanted

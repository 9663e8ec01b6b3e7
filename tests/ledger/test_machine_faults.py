"""The oracle sees what goes wrong: each fault, put into the ledger, makes the two differ within a short history."""

from collections.abc import Sequence

import pytest
from tortoise.exceptions import IntegrityError

from tests.ledger import faults_goods, faults_people, faults_points
from tests.ledger.desk import Desk
from tests.ledger.operations import history, perform
from tests.proofs.listed import PROOFS

LENGTH, SEEDS = 120, range(1, 9)
FAULTS = faults_points.FAULTS | faults_people.FAULTS | faults_goods.FAULTS


@pytest.mark.tampers
@pytest.mark.parametrize("name", FAULTS)
async def test_the_oracle_sees_that(name, database, clock, monkeypatch):
    only, put = FAULTS[name]
    with monkeypatch.context() as patch:
        put(patch)
        with pytest.raises((AssertionError, IntegrityError)):
            await compare(clock, only)


async def compare(clock, only: Sequence[str]) -> None:
    for seed in SEEDS:
        await perform(await Desk.opened(clock, seed), history(seed, LENGTH, only))


async def test_without_a_fault_they_agree_on_the_same_histories(database, clock):
    for seed, only in enumerate(sorted({only for only, _ in FAULTS.values()}), start=1):
        desk = await Desk.opened(clock, seed)
        await perform(desk, history(seed, LENGTH // 3, only))  # the machine goes on for longer
        await desk.retire()
        assert desk.ids, only  # something was done, and whatever differs raises where it is done


def test_the_list_of_proofs_says_how_many():
    (listed,) = [proof for proof in PROOFS if proof.tests == ("tests/ledger/test_machine_faults.py",)]
    assert listed.often == listed.quick == f"{len(FAULTS)} faults"

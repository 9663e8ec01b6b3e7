"""The oracle sees what goes wrong: each fault, put into the ledger, makes the two differ within a short history."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from tortoise.exceptions import IntegrityError

from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions_settle
from pointsbank.ledger import (
    actions,
    actions_budgets,
    actions_flows,
    actions_periods,
    actions_reset,
    actions_reversal,
    rules,
    rules_kinds,
    rules_lots,
    rules_periods,
)
from pointsbank.ledger.rules import Bucket
from tests.ledger.desk import Desk
from tests.ledger.operations import history, perform

Patch = pytest.MonkeyPatch
LENGTH, SEEDS = 120, range(1, 9)
LIVED = ("award", "live_on")
FLOWS = ("award", "settle", "hand_over", "grant", "adjust", "agree")
KINDS = ("award", "order", "settle", "give_base", "live_on")
YEARS = ("act", "make_budget", "settle_due", "reverse", "settle")
FAULTS: dict[str, tuple[Sequence[str], Callable[[Patch], None]]] = {}


def fault(*only: str) -> Callable[[Callable[[Patch], None]], None]:
    """Found in a history of these operations alone."""

    def noted(put: Callable[[Patch], None]) -> None:
        FAULTS[put.__name__] = only, put

    return noted


def amend(patch: Patch, module, name: str, old: str, new: str) -> None:
    statement = getattr(module, name)
    assert old in statement
    patch.setattr(module, name, statement.replace(old, new))


async def nothing(*_args, **_facts) -> int:
    return 0


@fault(*FLOWS)
def a_transfer_makes_points_live_longer(patch):
    take_lots = actions_flows._take_lots

    async def take(*args, **facts):
        return Counter({Bucket(rules.EARNED, rules.NEVER): (await take_lots(*args, **facts)).total()})

    patch.setattr(actions_flows, "_take_lots", take)


@fault(*FLOWS)
def a_passbook_takes_more_than_its_limit(patch):
    put = actions_flows._put

    async def put_all(tx, voucher, target, **facts):
        return await put(tx, voucher, rules.msgspec.structs.replace(target, balance_max=None), **facts)

    patch.setattr(actions_flows, "_put", put_all)


@fault(*FLOWS)
def points_are_given_where_the_kind_forbids_it(patch):
    patch.setattr(actions_flows, "_check_kinds", lambda *_: None)


@fault(*FLOWS)
def the_pot_keeps_what_it_grants(patch):
    patch.setattr(actions_flows, "_take_from_system", nothing)


@fault(*FLOWS)
def whoever_asks_agrees(patch):
    async def fit(*_):
        return None

    patch.setattr(approvals, "unfit", fit)


@fault("award", "gift", "order", "hold")
def gifts_pay_alone(patch):
    patch.setattr(rules_lots, "_room", lambda *_: 1_000)
    patch.setattr(rules_lots, "_gifts_beside", lambda lots, _: sum(lot.points for lot in lots if lot.kind == "gift"))


@fault(*KINDS)
def base_points_come_every_day(patch):
    patch.setattr(rules_kinds, "base_period", lambda _every, day: day.isoformat())


@fault("settle", "reset", "live_on")
def a_reset_clears_nothing(patch):
    patch.setattr(actions_reset, "_clear", nothing)


@fault("order", "settle")
def what_has_to_stay_is_spent(patch):
    amend(patch, actions, "SPEND", "kind.spend_above", "0")


@fault(*KINDS)
def a_surplus_stays_in_the_passbook(patch):
    amend(patch, actions, "ADD_TO_PASSBOOK", "SELECT kind.balance_max", "SELECT CAST(NULL AS BIGINT)")


@fault(*YEARS)
def a_refused_surplus_is_lost_to_its_budget(patch):
    amend(patch, actions, "GIVE_BACK", "issued - ?", "issued - 0 * ?")


@fault(*YEARS)
def a_budget_has_no_ceiling(patch):
    amend(patch, actions_budgets, "FIND", "year = ?", "year = -?")


@fault(*YEARS, "raise_budget")
def what_waits_for_a_budget_is_forgotten(patch):
    patch.setattr(actions_settle, "_settle_waiting", nothing)


@fault(*LIVED, "close_month")
def a_month_is_closed_before_it_is_over(patch):
    patch.setattr(rules_periods, "check_next", lambda *_: None)


@fault(*LIVED, "close_month")
def a_month_is_not_counted_whole(patch):
    amend(patch, actions_periods, "COUNT", "WHERE 1 = 1", "WHERE side.points_in < 40")


@fault(*LIVED, "order", "reverse")
def what_expired_comes_back_for_ever(patch):
    patch.setattr(rules, "comes_back_as", lambda bucket, _: bucket)


@fault(*FLOWS, "reverse")
def a_gift_that_is_taken_back_goes_to_nobody(patch):
    amend(patch, actions_reversal, "TAKEN_FROM", "used.points > 0", "used.points > 10")


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
        await perform(desk, history(seed, LENGTH, only))
        await desk.retire()
        assert desk.ids, only  # something was done, and whatever differs raises where it is done

"""The oracle sees what goes wrong: each fault, put into the ledger, makes the two differ within a short history."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from tortoise.exceptions import IntegrityError

from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_settle
from pointsbank.governance import actions_estates, actions_people, actions_points
from pointsbank.governance import queries as governance
from pointsbank.ledger import (
    actions,
    actions_budgets,
    actions_flows,
    actions_joining,
    actions_periods,
    actions_reset,
    actions_reversal,
    queries_opening,
    rules,
    rules_kinds,
    rules_lots,
    rules_periods,
)
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger.rules import Bucket
from pointsbank.people import actions_homes
from tests.ledger.desk import Desk
from tests.ledger.operations import history, perform

Patch = pytest.MonkeyPatch
LENGTH, SEEDS = 120, range(1, 9)
LIVED = ("award", "live_on")
FLOWS = ("award", "settle", "hand_over", "grant", "adjust", "agree")
KINDS = ("award", "order", "settle", "give_base", "live_on")
HOMES = ("award", "act", "move", "register", "adjust")
MERGES = ("award", "ask_merge", "agree_merge", "open_book")
ENDS = ("award", "settle", "hold", "pass_on", "leave", "agree", "live_on")
OPENINGS = ("make_list", "ask_list", "agree_list", "reverse_line", "reverse")
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


@fault(*HOMES)
def points_stay_behind_with_whoever_moves(patch):
    async def follow(_tx, *, left, **_facts):
        return list(left)

    patch.setattr(actions_points, "follow", follow)
    patch.setattr(actions_points, "close", nothing)


@fault("act", "move", "make_budget", "raise_budget", "settle_due")
def what_is_on_its_way_stays_behind(patch):
    patch.setattr(awards, "redirect", nothing)


@fault(*HOMES)
def a_share_is_rounded_to_tens(patch):
    take_share = actions_people._take_share

    async def take(tx, holder, left_id, share):
        await take_share(tx, holder, left_id, -(-share // 10) * 10)

    patch.setattr(actions_people, "_take_share", take)


@fault(*HOMES)
def a_household_that_moves_whole_loses_its_passbook(patch):
    readdress = actions_homes._readdress

    async def forget(tx, household_id, building_id, door):
        await readdress(tx, household_id, building_id, door)
        await tx.run("UPDATE people_household SET door = NULL WHERE id = ?", household_id)

    patch.setattr(actions_homes, "_readdress", forget)


@fault(*ENDS, *HOMES)
def a_closed_passbook_still_takes(patch):
    amend(patch, actions, "ADD_TO_PASSBOOK", " AND closed_at IS NULL", "")


@fault(*ENDS, "order", "reverse")
def a_closed_passbook_is_given_back_to(patch):
    for module in (actions, actions_reversal):
        amend(patch, module, "PUT", " AND closed_at IS NULL", "")
    amend(patch, actions_reversal, "MOVES", "COALESCE(source.closed_at, target.closed_at)", "NULL")


@fault(*ENDS)
def an_estate_goes_to_the_pot_instead_of_the_heir(patch):
    draw_estate = vouchers.draw_estate

    async def draw(tx, **facts):
        return await draw_estate(tx, **facts | {"to_id": None})

    patch.setattr(vouchers, "draw_estate", draw)


@fault("award", "live_on", "pass_on", "agree")
def an_estate_leaves_what_has_expired(patch):
    take_lots = actions_flows._take_lots

    async def take(*args, left):
        return await take_lots(*args, left=left + 1)

    patch.setattr(actions_flows, "_take_lots", take)


@fault(*ENDS)
def a_member_goes_before_the_estate_is_agreed(patch):
    async def none(*_args, **_facts):
        return []

    patch.setattr(actions_estates.ledger, "open_estates", none)


@fault(*ENDS)
def a_passbook_of_somebody_who_left_stays_open(patch):
    patch.setattr(actions_flows, "close", nothing)


@fault(*MERGES)
def an_alias_leaves_an_entry_behind(patch):
    books_that_end = governance.books_that_end

    async def but_one(*args):
        return (await books_that_end(*args))[1:]

    patch.setattr(governance, "books_that_end", but_one)


@fault(*MERGES)
def a_merge_counts_twice(patch):
    carry_over = actions_joining.carry_over

    async def again(tx, **facts):
        await carry_over(tx, **facts)
        await carry_over(tx, **facts | {"agreed": None, "reason": "moved", "points": 1} | {
            "from_id": facts["to_id"], "to_id": facts["from_id"]
        })  # fmt: skip

    patch.setattr(actions_joining, "carry_over", again)


@fault(*FLOWS, "order", "open_book")
def the_limit_of_one_kind_is_another_s(patch):
    amend(patch, actions, "ADD_TO_PASSBOOK", "kind.id = book.kind_id", "kind.code = 'points'")


@fault(*FLOWS)
def points_of_all_kinds_go_to_one_pot(patch):
    patch.setattr(rules, "pot_of", lambda _kind: rules.POT)


@fault(*KINDS, "open_book")
def what_one_kind_keeps_back_is_another_s(patch):
    kept = "kind.id = book.kind_id\n WHERE book.id = ledger_account.passbook_id"
    amend(patch, actions, "SPEND", kept, kept.replace("kind.id = book.kind_id", "kind.code = 'points'"))


@fault(*OPENINGS)
def an_opening_is_booked_without_its_last_line(patch):
    lines = queries_opening.lines

    async def but_last(tx, list_id, **facts):
        found = await lines(tx, list_id, **facts)
        return found[:-1] if "limit" in facts else found

    patch.setattr(queries_opening, "lines", but_last)


@fault(*OPENINGS)
def a_line_that_was_reversed_still_stands(patch):
    amend(patch, actions_reversal, "END_LINE", "live = FALSE", "live = live")


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

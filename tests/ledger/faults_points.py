"""Faults in how points come, go and stay."""

from collections import Counter

import msgspec

from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions_settle
from pointsbank.ledger import (
    actions,
    actions_batches,
    actions_budgets,
    actions_deduction,
    actions_flows,
    actions_gifts,
    actions_kinds,
    actions_lots,
    actions_opening,
    actions_periods,
    actions_reset,
    actions_reversal,
    rules,
    rules_flows,
    rules_kinds,
    rules_lots,
    rules_periods,
)
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger.rules import Bucket
from tests.ledger.faults import Faults, amend, nothing

LIVED = ("award", "live_on")
FLOWS = ("award", "settle", "hand_over", "grant", "adjust", "agree")
KINDS = ("award", "order", "settle", "give_base", "live_on")
YEARS = ("act", "make_budget", "settle_due", "reverse", "settle")
GIFTS = ("award", "ask_gifts", "agree_gifts", "order")
FAULTS = Faults()
fault = FAULTS.seen_in


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
    patch.setattr(actions_flows, "check_allowed", lambda *_: None)


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
    patch.setattr(rules, "comes_back_as", lambda bucket, _day, **_: bucket)


@fault(*FLOWS, "reverse")
def a_gift_that_is_taken_back_goes_to_nobody(patch):
    amend(patch, actions_reversal, "TAKEN_FROM", "used.points > 0", "used.points > 10")


@fault("award", "live_on", "pass_on", "agree")
def an_estate_leaves_what_has_expired(patch):
    take_lots = actions_flows._take_lots

    async def take(tx, entry_id, voucher, source, *, left):
        what = rules_flows.What.ADJUSTMENT if voucher.what is rules_flows.What.ESTATE else voucher.what
        return await take_lots(tx, entry_id, msgspec.structs.replace(voucher, what=what), source, left=left)

    patch.setattr(actions_flows, "_take_lots", take)


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


@fault("award", "deduct", "settle")
def a_deduction_takes_what_has_to_stay(patch):
    amend(patch, actions_deduction, "HOLD", "kind.spend_above", "0")


@fault(*LIVED, "deduct")
def a_deduction_takes_what_expired(patch):
    amend(patch, actions_deduction, "FREE_LOTS", "expires_on >= ?", "(expires_on >= ? OR kind IS NOT NULL)")


@fault("award", "hold", "deduct")
def a_deduction_takes_what_is_held(patch):
    amend(patch, actions_deduction, "FREE_LOTS", "remaining - held", "remaining")


@fault("order", "take_back", "agree")
def a_clawback_needs_nobody_else(patch):
    patch.setattr(rules_flows, "ABOVE_A_LIMIT", frozenset({rules_flows.What.REVERSAL}))


@fault("award", "order", "take_back")
def a_clawback_stands_in_where_a_reversal_would_do(patch):
    patch.setattr(vouchers, "_check_short", nothing)


@fault(*GIFTS)
def a_batch_is_given_but_for_its_last(patch):
    asked_together = actions_batches._asked_together

    async def but_last(tx, batch_id):
        asked = await asked_together(tx, batch_id)
        return asked[:-1] or asked

    patch.setattr(actions_batches, "_asked_together", but_last)


@fault(*GIFTS)
def gifts_of_a_batch_go_with_as_many_points(patch):
    give_gift = actions_gifts.give_gift

    async def give(tx, **facts):
        return await give_gift(tx, **facts | {"match_percent": 100})

    patch.setattr(actions_gifts, "give_gift", give)


@fault(*GIFTS, "withdraw_gifts", "refuse_gifts")
def a_batch_that_was_refused_still_waits(patch):
    patch.setattr(actions_batches, "refuse", nothing)


@fault("award", "settle", "deduct", "claw_back")
def what_the_pot_still_holds_is_lost(patch):
    amend(patch, actions_reversal, "SURPLUS_ENTRY", "account.balance >= move.points", "entry.reason = 'refused'")


@fault("award", "settle", "reset", "live_on")
def what_comes_after_a_reset_day_goes_with_the_old(patch):
    amend(patch, actions_reset, "OLD_LOTS", "entry.booked_at >= ?", "entry.booked_at >= ? AND 1 = 0")


@fault("settle", "live_on")
def a_change_drops_a_reset_that_is_due(patch):
    patch.setattr(actions_kinds, "_check_reset", nothing)


@fault("make_list", "ask_list", "agree_list", "close_month", "live_on")
def a_list_opens_a_month_that_was_closed(patch):
    patch.setattr(actions_opening.actions_periods, "require_open", nothing)


@fault("award", "order", "settle", "live_on")
def what_has_expired_stands_in_for_what_has_to_stay(patch):
    amend(patch, actions, "SPEND", "lot.expires_on < ?", "lot.expires_on < ? AND 1 = 0")


@fault("award", "order", "adjust", "agree", "live_on")
def of_several_lots_the_last_is_forgotten(patch):
    amend(patch, actions_lots, "USE_LOTS", "ledger_lot.remaining - used.points FROM", "ledger_lot.remaining FROM")


@fault("award", "order", "reverse", "live_on")
def what_several_lots_paid_is_given_back_to_none(patch):
    patch.setattr(actions_reversal, "put_back_into_lots", nothing)


@fault(*FLOWS, "live_on")
def what_is_over_before_it_is_agreed_to_is_booked(patch):
    patch.setattr(actions_flows, "check_last_day", lambda *_: None)


@fault("make_list", "ask_list", "agree_list", "live_on")
def a_list_that_is_over_is_booked(patch):
    patch.setattr(actions_opening, "check_last_day", lambda *_: None)

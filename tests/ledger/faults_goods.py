"""Faults in what counters give out and take back, and in what that uses up."""

from collections import Counter
from datetime import timedelta

import msgspec

from pointsbank.kit.clock import local_day
from pointsbank.ledger import rules as ledger
from pointsbank.people import actions_cards as cards
from pointsbank.people import queries as people
from pointsbank.redemption import actions_limits as limits
from pointsbank.redemption import rules
from pointsbank.stock import actions as stock
from tests.ledger.faults import Faults, amend, nothing

SHOP = ("buy", "undo", "deliver")
MOVED = ("award", "buy", "undo", "undo", "move")
MERGED = ("buy", "ask_merge", "agree_merge", "part")
FAULTS = Faults()
fault = FAULTS.seen_in


def let_pass(*_args, **_facts):
    return None


@fault(*SHOP)
def goods_of_an_undone_order_come_to_no_delivery(patch):
    amend(patch, stock, "GIVE_LOT", "remaining + ?", "remaining + 0 * ?")


@fault(*SHOP)
def an_undone_order_leaves_the_shelf_as_it_is(patch):
    patch.setattr(stock, "put_back", nothing)


@fault(*SHOP)
def what_keeps_longest_goes_first(patch):
    amend(patch, stock, "LIVE_LOTS", "ORDER BY best_before", "ORDER BY best_before DESC")


@fault(*SHOP, "live_on")
def what_is_past_its_day_is_given_out(patch):
    amend(patch, stock, "LIVE_LOTS", "best_before >= ?", "(best_before >= ? OR remaining > 0)")


@fault(*SHOP)
def pieces_of_a_month_are_not_counted(patch):
    use = limits._use

    async def use_day(tx, limit, amount, most):
        return limit[1] != limits.WHOLE_BASKET or await use(tx, limit, amount, most)

    patch.setattr(limits, "_use", use_day)


@fault("award", *SHOP)
def points_of_a_day_have_no_end(patch):
    use = limits._use

    async def use_any(tx, limit, amount, most):
        return await use(tx, limit, amount, rules.UNLIMITED if limit[1] == limits.WHOLE_BASKET else most)

    patch.setattr(limits, "_use", use_any)


@fault(*SHOP)
def points_of_a_day_are_not_given_back(patch):
    amend(patch, limits, "GIVE_BACK", "good_id = ?", "good_id = ? AND good_id > 0")


@fault("buy", "undo", "linger")
def what_an_order_used_is_given_back_to_another_day(patch):
    uses = limits._uses

    async def uses_today(tx, counted):
        today: Counter[limits.Limit] = Counter()
        for (account_id, good_id, day), amount in (await uses(tx, counted)).items():
            today[account_id, good_id, day if good_id else local_day(tx.now)] += amount
        return today

    patch.setattr(limits, "_uses", uses_today)


@fault(*SHOP)
def points_of_an_undone_order_go_to_another_lot(patch):
    def a_day_later(bucket, *_args, **_facts):
        return msgspec.structs.replace(bucket, expires_on=bucket.expires_on + timedelta(days=1))

    patch.setattr(ledger, "comes_back_as", a_day_later)


@fault("buy", "undo", "linger")
def any_order_is_undone_whenever_asked(patch):
    patch.setattr(rules, "check_undo", let_pass)


@fault("buy", "register")
def a_clerk_serves_the_own_household(patch):
    async def is_another(*_args):
        return False

    patch.setattr(people, "same_household", is_another)


@fault("buy", "lose_card")
def a_lost_card_is_as_good_as_ever(patch):
    patch.setattr(cards, "check_card_state", let_pass)


@fault(*MOVED)
def what_was_used_stays_behind_with_whoever_moves(patch):
    patch.setattr(limits, "follow", nothing)


@fault(*MOVED)
def what_followed_somebody_is_not_given_back(patch):
    amend(patch, limits, "ACCOUNTS", "redemption_carried WHERE order_id = ?", "redemption_carried WHERE order_id = -?")


@fault(*MERGED)
def whoever_was_parted_has_used_for_both(patch):
    patch.setattr(limits, "part", nothing)

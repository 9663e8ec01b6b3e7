"""Faults in what becomes of points when people come, move, turn out to be somebody else, or go."""

from pointsbank.awards import actions as awards
from pointsbank.governance import actions as settling
from pointsbank.governance import actions_estates, actions_merging, actions_people, actions_points
from pointsbank.governance import queries as governance
from pointsbank.ledger import actions, actions_flows, actions_joining, actions_reversal, queries_flows, queries_opening
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.people import actions as people
from pointsbank.people import actions_homes, queries_homes
from pointsbank.people import queries as people_queries
from tests.ledger.faults import Faults, amend, nothing

HOMES = ("award", "act", "move", "register", "adjust")
MERGES = ("award", "ask_merge", "agree_merge", "open_book")
PARTED = ("ask_merge", "agree_merge", "part", "settle_again", "reverse")
ENDS = ("award", "settle", "hold", "pass_on", "leave", "agree", "live_on")
OPENINGS = ("make_list", "ask_list", "agree_list", "reverse_line", "reverse")
FAULTS = Faults()
fault = FAULTS.seen_in


@fault(*HOMES)
def points_stay_behind_with_whoever_moves(patch):
    async def follow(_tx, *, left, **_facts):
        return list(left)

    patch.setattr(actions_points, "follow", follow)
    patch.setattr(actions_points, "close", nothing)


@fault("act", "move", "make_budget", "raise_budget", "settle_due")
def what_is_on_its_way_stays_behind(patch):
    patch.setattr(awards, "redirect", nothing)


@fault(*HOMES, "live_on")
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


@fault(*MERGES, "refuse_merge")
def a_merge_that_was_refused_is_carried_out(patch):
    merge, waiting = actions_merging._merge, actions_merging._waiting

    async def carry_out(tx, *, request_id, **_):
        request = await waiting(tx, request_id)
        await merge(tx, await actions_merging._member(tx, request.person_id), request)

    patch.setattr(actions_merging, "refuse", carry_out)


@fault(*PARTED)
def whoever_was_parted_keeps_the_household(patch):
    amend(patch, people, "SEPARATE", "household_id = NULL", "household_id = household_id")


@fault(*PARTED)
def whoever_merged_parts(patch):
    patch.setattr(actions_people.queries, "who_asked", nothing)


@fault(*PARTED)
def points_of_whoever_was_parted_stay_behind(patch):
    patch.setattr(actions_people, "settle_into_household", nothing)


@fault(*PARTED)
def points_of_whoever_is_an_alias_again_are_lost(patch):
    patch.setattr(settling, "_check_nothing_left", nothing)


@fault("award", "settle", "register", "move", "hand_over")
def whoever_was_just_brought_in_is_a_housemate(patch):
    patch.setattr(queries_homes, "COMES", ("nothing",))


async def none(*_args, **_facts):
    return []


@fault("settle", "give_base", "move", "live_on")
def whoever_moves_out_has_base_points_again(patch):
    patch.setattr(queries_homes, "left_lately", none)


@fault("award", "move")
def whoever_was_brought_with_points_may_leave_them_behind(patch):
    patch.setattr(queries_flows, "followed", none)


@fault(*PARTED)
def whoever_is_parted_leaves_the_own_aliases_behind(patch):
    patch.setattr(people_queries, "came_along", none)


@fault("open_book", "move", "ask_merge", "agree_merge", "part", "settle_again")
def what_was_closed_stays_closed_to_whoever_lives_alone_again(patch):
    patch.setattr(actions_flows, "open_again", nothing)

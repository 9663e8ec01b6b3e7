"""Decisions that reach into several rooms: objections and rulings on them, who somebody is, and who moves or goes.

Words: objection (recorded for a neighbour by staff), ruling (upheld: the award is sent back; dismissed: it goes on),
settling a provisional person (a new resident, or the same as somebody on the roster), merging (two records of one
person), parting (undoing a merge), moving (to another household), leaving, estate (what somebody who died, or leaves,
passes on).
Invariants:
  1. Nobody rules on a line of their own or of their household, nor on an objection that they recorded, or
     somebody on whom they depend (see approvals).
  2. Nobody settles themselves or their household.
     Two records of members become one when a second person has agreed to exactly that, who is neither of them nor
     lives with one.
  3. Whoever asked for a merge or agreed to it does not part, and parting books nothing anew. What was found of either
     is that one's again, and bars nobody else.
  4. An objection holds back the one line it names, in the transaction that records it.
  5. No points stay where nobody can reach them: with whoever moves house all or an agreed share go along, to the
     record that stays all go, and whoever leaves passes them on or gives them up. Passbooks that nobody holds any more
     are closed. Nobody lets points come to a household with somebody, and moves that one out without, within days.
  6. A member whose estate waits for a second person stays one until the last of its vouchers is booked.
"""

"""Points owned. Double entry: a move takes points from one account to another.

Words: kind of passbook (every community has a main one, `points`), passbook (存折: a person's or a household's),
account (of a passbook, or of the system: issued, redeemed:<outlet>, expired, pot), move, entry (moves posted together
under one key), lot (a bucket: an account's points of one sort with one last day; `actions_lots` says how many live at
once), lot use (what an entry took out of a lot, or, below zero, put in), hold (points kept for what is not decided
yet), reversal, opening (points of a paper passbook, taken over by a list), change (what a row that is no entry said
when it was opened or changed), seal (an entry or a change in the chain of its community), head (where a chain ends),
budget (what a year's awards may issue, from an account issued:<year>:<programme>), rate (what 100 points are worth),
period (a month that is shut, counted, closed), voucher (凭证: what somebody asks for, who agreed, and the entry it
became), pot (points donated to the community), proposal (settings that somebody asks for, and that stand when another
one agreed).
Invariants:
  1. All balances of a community sum to zero.
  2. A balance equals its moves; a passbook's balance equals its unspent lots.
  3. Only `issued` is below zero.
  4. A key is posted once.
  5. Entries, moves and lot uses never change.
  6. An entry is reversed or clawed back at most once. A reversal gives back the same lots, and what expired in them
     meanwhile for thirty more days; a clawback makes no debt.
  7. What expires soonest is spent first; what has expired is not spent.
  8. Amounts are whole numbers of the passbook's smallest unit.
  9. Opening points stand on a line of a list that a second person confirmed; a passbook is opened once, unless that
     was reversed.
  10. A passbook is of a kind of its own community. What the kind says holds in the ledger, whoever asks: what stays,
      what is not for spending, what comes in above the limit, and gifts only beside earned points.
  11. What is held lies in open holds; a hold is resolved once, whole, and a capture takes the lots that were held.
  12. Every entry and every change is sealed within seconds, and every column of the ledger's tables follows from what
     is sealed: what is changed behind the program's back is found, in the books or in any export.
  13. A budget has issued what its account did, and never more than its ceiling.
  14. A closed month takes no entry, and nobody names a day in one; its closing balances, and what it tells of each
      kind, are what was booked in it and before.
  15. Points go from hand to hand, and with whoever moves, by a voucher, with their last days. Grants, gifts,
      adjustments, large estates, and what staff hand on to another home, or within one that they filled lately, are
      booked only for exactly what a second person agreed to, who neither asked nor gains. From a passbook that is kept
      from redeeming nothing is handed on.
  16. A closed passbook is empty: nothing comes into it, not even by a reversal. None is closed while points are held
      in it, and one is opened again only when its holder belongs to no household any more.
  17. Each kind of entry is of one room, and what it names there is there and knows it: awards and deductions of
      awards, orders of redemption, all others of the ledger; what is given up is of a person of governance's.
  18. What a kind says, and how much one person may do alone, changes as a second person agreed to, who did not ask; at
      once stands only what lowers, and words. No day has base points given for it twice, however periods change.
"""

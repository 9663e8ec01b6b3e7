"""An approved act on its way to points.

Words: act (who did what, when, how much, on what evidence), award (the points of an act under one version of the
table, with the explanation of each step), chain (the roles that review it, one after the other), counter (what a
holder has used of a cap in a period), question (疑问: somebody asks why an award is what it is),
fact (what a table counts beside the time: metres, a level, conditions …), row (acts one after the other, for a streak),
panel (评议小组: people named for it, of whom some have a seat for each award, and a vote),
finding (case: the other sign of an act: who found what, under which deduction or veto of the table), gate (so much
service before the first redemption), bar (the last day on which a passbook redeems nothing).
States: pending 待审核 → noticed 公示中 → settled 已入账; disputed 被异议 from noticed, and back by a ruling;
rejected 已退回 from any of them but settled.
Invariants:
  1. An act is awarded once per version of the table; the version is that of the local day on which it began.
  2. A counter never passes its cap: its row is taken before the points are worked out. What was used under a record
     that was merged counts with it.
  3. A pending award counts against its caps; a rejected one gives back what it took, one that is taken back as much
     as was taken; nothing else is worked out anew.
  4. Nobody reviews an act of their own household, and nobody takes two steps of one chain.
  5. One entry is posted per settled award. An award of no points settles without notice and entry, but no sooner: what
     later acts or a gate count on, a rest, a place in a row, times or minutes, is reviewed as points are. Only where
     nothing is left behind is nothing reviewed.
  6. An award with a notice settles only when its notice is closed and nobody disputes its line.
  7. An award that its budget has no room for stays as it is, with the reason, and is booked once there is room.
  8. A question changes no points; one at a time stands open for an award, and nobody answers their own household.
  9. A finding counts once another person, who gains nothing by it, has confirmed it and its letter has come; only
     those that were told before a finding make it a warning or a deduction.
  10. A deduction is booked once, when its days are over: never while an objection or what was made good waits, never
     below the floor, and what is not there is no debt. Who wrote a finding down, confirmed or told it does not rule.
  11. A finding is told to its holder alone: a public list of what was done wrong would punish more than its points,
     and could not be taken back where an objection is upheld.
 12. A household's deed, and its share of what its building achieved, counts for the household once for an occasion;
     again only once that was sent back.
 13. An act keeps the facts that its table counts, all that are wanted and none that the table does not know.
 14. A row is counted when an act is recorded, on from what then stands in the day (week, month) before it. A late act
     counts by its own day; one that is sent back, or wholly taken back, is no longer there for those to come, and its
     day only counts while another act of that day stands. Neither changes an award that is there.
  15. A passbook is barred up to the last day of the vetoes that were carried out and not made good, and by nothing
     else.
  16. A gate that was passed stays passed; minutes go with whoever served them.
 17. A panel's step is taken by its votes alone: once as many agree as the table says, or cannot agree any more. One
     vote each, of people with a seat: named by an admin, not of the doer's household, without another hand in the act.
     Nobody learns another's vote before. Where too few may sit, the award waits for more to be named.
"""

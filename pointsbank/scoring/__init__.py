"""How service becomes points: scoring tables that residents adopt, in versions.

Words: scoring table (积分标准), version (draft, in discussion, noticed, scheduled, in force, retired; dropped),
meeting (residents discuss a version and vote), item, cap, explanation.
Invariants:
  1. A version that residents discuss or that is on notice does not change, nor one that is set, in force or retired.
     Back to a draft is a step of its own, for the first two alone; meeting and notice then count no longer.
  2. A version comes into force on a day that has not begun, after more than half of a meeting agreed to it, its notice
     ended and every objection was answered; never retroactively, and not before the day that residents were told.
  3. Same facts, same version and same use of the caps give the same points.
  4. An act is scored by the version in force on the local day on which it began.
  5. A table with faults is never published. What its source leaves open, or nobody can carry out yet, is such a fault,
     though a draft may hold it.
  6. While a version waits for its day nothing else is begun, handed over or published: no later day displaces it.
  7. A notice ends only when everybody who objected has an answer. It lasts as long as the community says; only
     somebody else than who drafted makes that shorter, and never shorter than a week.
  8. Whoever ever wrote on a version neither shows, answers for nor publishes it, nor does anybody who depends
     on them (see approvals).
  9. A code whose item was ended is never used again in the same community.
"""

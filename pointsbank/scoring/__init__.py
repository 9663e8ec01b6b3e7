"""How service becomes points: scoring tables that residents adopt, in versions.

Words: scoring table (积分标准), version (draft, scheduled, in force, retired), item, cap, explanation.
Invariants:
  1. A version in force never changes, nor one that is scheduled or retired.
  2. A version comes into force on a day that has not begun; never retroactively.
  3. Same facts, same version and same use of the caps give the same points.
  4. An act is scored by the version in force on the local day on which it began.
  5. A table with faults is never published.
"""

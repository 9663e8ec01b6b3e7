"""A second pair of eyes: what one person prepared happens when another one, who gains nothing by it, has agreed.

Words: approval (asked for by a room about a subject of its own), maker (who prepared it), checker (who gives or refuses
it), beneficiary (a person or household that gains by it), facts (what the checker is shown, as one hash),
dependent (of each other are two of whom one may have signed in as the other, or a third one as both).
Invariants:
  1. The checker is not the maker, under whatever id either is known.
  2. The checker is no beneficiary and lives with none.
  3. It is decided once.
  4. It is given for exactly the facts that were shown: the checker hands back the hash of what was on the screen.
  5. It is used once, by the room that asked, in the transaction in which that room acts, for the same facts.
  6. One subject has one live approval at a time; what was refused, withdrawn or used never changes.
  7. Maker and checker have been independent for seven whole days: neither gave the other a login, a password or a
     role, by whatever way round, and nobody gave them to both.
"""

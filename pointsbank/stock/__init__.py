"""Goods on shelves: what there is, where it came from, where it went.

Words: good (what a label stands for; has a price in points), stock (pieces on the shelf), lot (one receipt: its
source, donor, value and best-before day), move (pieces into or out of a lot), own label (an EAN-13 from 200…, for
goods that came without a bar code), count (盘点: what lies there, compared with the books afterwards), loss (报损).
Invariants:
  1. Stock is never below zero, whoever takes at the same time.
  2. A good's stock equals what is left in its lots.
  3. A lot's rest equals its moves; every piece's whereabouts can be told.
  4. Moves never change. What keeps least long goes first, and comes back to the lot it was taken from.
  5. Nothing is given out of a good that is ended, nor of a lot that is past its day.
  6. What a count or a loss changes is a move with a reason and somebody who answers for it.
"""

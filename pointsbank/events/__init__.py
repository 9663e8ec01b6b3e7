"""Activities, who was there, and for how long.

Words: activity, plan (its hours), attendance (one human being at one activity), way (how somebody was checked in:
screen, poster, card, phone, picked), ticket (proof that a phone saw a code, good for five minutes), line (an attendance
on the confirmation page).
Invariants:
  1. One attendance per activity and human being; whoever is in elsewhere in the same hours is not let in.
  2. Times are the server's. A check-in counts as of the time at which the code was seen.
  3. No more people are in than there are seats.
  4. Confirmed minutes are never more than the time between in and out, nor than the plan.
  5. Nobody confirms themselves or their household, and nobody who is not settled yet is confirmed.
  6. Opening an address that was scanned changes nothing.
  7. A confirmed line has become one act, of its minutes and of all else that its item counts; no other line has.
"""

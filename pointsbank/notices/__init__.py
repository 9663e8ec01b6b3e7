"""Public notice: what is about to be booked is shown to the neighbours first, and anybody may object to a line.

Words: notice (number, basis, from–to), line (masked name, building, what, points), objection (names one line, on one
of a few grounds), ruling.
Invariants:
  1. A line holds a masked name, or a number where publication was not agreed to; never a door, phone or ID number.
  2. Lines never change; a notice is closed once, after its last day.
  3. An objection is recorded while the notice is shown, and ruled on once.
  4. An objection is left unanswered only where its notice was withdrawn.
  5. Nobody here knows who waits for a notice: the room that opened it comes back for it.
"""

"""Read-only views across rooms: a resident's home, what is to be done, how the communities do, one person.

Words: home (a resident's first page), to-do (what waits for staff today), overview (numbers by community).
Invariants:
  1. Nothing here writes.
  2. An overview shows numbers, never a person; a group under five people is not shown.
"""

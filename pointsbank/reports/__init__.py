"""Read-only views across rooms: a resident's home and passbook, what is to be done, communities, people, trial runs.

Words: home (a resident's first page), to-do (what waits for staff today), overview (numbers by community),
trial run (试算: past acts scored again by a draft, in a process of its own; its files lie in the data folder).
Invariants:
  1. Nothing here writes to the database; cells of a draft are kept by their own room.
  2. An overview shows numbers, never a person; a group under five people is not shown.
  3. A trial run scores the same acts by the rules of their days and by the draft; names in it are masked.
"""

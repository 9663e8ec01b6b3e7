"""What happened and who did it.

Words: record (verb, subject, facts, answerable person), subject (kind, id).
Invariants:
  1. Rows never change and never go.
  2. A record holds ids, codes and numbers; no name, phone or ID number.
  3. What changed points, goods or attendance, and was done at a page or with a token, has its answer under a key of
     whoever did it: keys are kept for ever.
"""

"""What happened and who did it.

Words: record (verb, subject, facts, answerable person), subject (kind, id).
Invariants:
  1. Rows never change and never go.
  2. A record holds ids, codes and numbers; no name, phone or ID number.
"""

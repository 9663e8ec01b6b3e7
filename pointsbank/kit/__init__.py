"""Tools that know nothing about points, people or HTTP.

Words: command (an action with its facts, caller and request key), action, tx, refusal, clock, code, key.
Invariants:
  1. A command is in the database whole or not at all, and is answered only after its commit has returned.
  2. A command sent again under the same (caller, request key) gets the first answer and changes nothing.
  3. An action awaits nothing but its own statements.
  4. Un-routed ORM queries cannot write.
"""

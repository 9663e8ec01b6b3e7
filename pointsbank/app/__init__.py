"""Wiring: settings, database, routes, jobs, commands. The only room that knows all others.

Words: wiring (what is joined to what at start), job (recurring work), command (what the shell offers),
first run (founding in the browser).
Invariants:
  1. A route without a declared permission stops the start.
  2. One process writes to a SQLite database at a time.
  3. Demo facts are told of a demo database only.
  4. Nothing of the first run is shown or taken without the setup code; a bank is founded once, whole, by one of many.
"""

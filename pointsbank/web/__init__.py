"""HTTP, pages, language, problems and print; knows `kit` only.

Words: scope (the ASGI scope of the request being answered), view (what every template may read),
shelf (assets in memory).
Invariants:
  1. Every answer leaves through `security.Security`, with its headers.
  2. An unsafe request that acts by cookie came from one of our own pages; a bearer token acts under /api/ alone.
  3. A caller never learns the inside of an error: only `problems` maps exceptions to answers.
  4. Templates get plain values, escape everything, and never trigger a query.
"""

"""Free words of residents, and about one, sealed in the column where they stand: whoever has the file alone reads none.

Under a key of the installation and not of a person: an objection is answered also after who made it has left.
"""

from base64 import b64decode, b64encode

from pointsbank.kit import crypto

MARK = "sealed/1:"
"""How sealed words begin. What does not was written before words were sealed, and is as good until a job comes by."""


def seal(text: str, place: str) -> str:
    """`place` names the row and the column: moved elsewhere, it does not open."""
    return MARK + b64encode(crypto.seal(crypto.held().derive("words/1"), text, f"{place}/1")).decode()


def opened(stored: str, place: str) -> str:
    if not stored.startswith(MARK):
        return stored
    return crypto.unseal(crypto.held().derive("words/1"), b64decode(stored.removeprefix(MARK)), f"{place}/1")

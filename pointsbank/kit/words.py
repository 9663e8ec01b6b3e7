"""Free words of residents, and about one, sealed in the column where they stand: whoever has the file alone reads none.

Papers with names on them likewise. Under a key of the installation and not of a person: an objection is answered also
after who made it has left.
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


def seal_paper(content: bytes, place: str) -> bytes:
    return MARK.encode() + crypto.seal_file(crypto.held().derive("papers/1"), content, f"{place}/1")


def opened_paper(stored: bytes, place: str) -> bytes:
    """No paper of any kind begins like the mark."""
    mark = MARK.encode()
    if not stored.startswith(mark):
        return stored
    return crypto.unseal_file(crypto.held().derive("papers/1"), stored.removeprefix(mark), f"{place}/1")

"""Passwords are slow on purpose: two at a time, in threads, and never inside a transaction."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pointsbank.kit import crypto
from pointsbank.kit.errors import Busy

AT_ONCE = 2
WAITING_MAX = 64
ONE_TIME_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # read out and copied by hand: nothing that looks like another
ONE_TIME_GROUPS = 3

_threads = ThreadPoolExecutor(AT_ONCE, "password")
_waiting: set[object] = set()


@cache
def _decoy() -> str:
    return crypto.hash_password(secrets.token_urlsafe(16))


def _fits(password_hash: str | None, password: str) -> bool:
    # Somebody who does not exist takes as long as somebody who does.
    decoy = _decoy()
    fits = crypto.password_matches(password_hash or decoy, password)
    return fits and password_hash is not None


async def fits(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; with no hash it is not, and takes as long to say so."""
    ticket = object()
    if len(_waiting) >= WAITING_MAX:
        raise Busy
    _waiting.add(ticket)
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, _fits, password_hash, password)
    finally:
        _waiting.discard(ticket)


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, crypto.hash_password, password)


def new_one_time() -> str:
    """Some 58 random bits, as people copy them from a screen: `7KQ2-M9XD-…`."""
    letters = [secrets.choice(ONE_TIME_LETTERS) for _ in range(4 * ONE_TIME_GROUPS)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, len(letters), 4))

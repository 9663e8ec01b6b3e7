"""One-time codes of authenticator apps (RFC 6238), as every such app understands them: SHA-1, 6 digits, 30 seconds."""

import base64
import hmac
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
STEPS_OFF = 1  # clocks of phones go wrong by less
ACCOUNT_LENGTH_MAX = 20  # the picture stays coarse enough for old cameras


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as people type it into an app, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, account: str, issuer: str) -> str:
    """What an app reads from the picture."""
    return _totp(secret).get_provisioning_uri(account[:ACCOUNT_LENGTH_MAX], issuer)


def step_of(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def code(secret: bytes, step: int) -> str:
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def matching_step(secret: bytes, given: str, moment: datetime, last_step: int) -> int | None:
    """The step whose code this is, later than `last_step`: a code is good once, and none before it any more."""
    now = step_of(moment)
    found = None
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if (
            hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "surrogatepass"))
            and step > last_step
        ):
            found = step
    return found


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  RFC 6238; apps know no other reliably

"""What this installation is: real or demo, and whose keys its data was sealed with."""

import msgspec

from pointsbank.kit import crypto, db
from pointsbank.kit.crypto import Keys
from pointsbank.kit.db import Tx
from pointsbank.kit.settings import Settings

FIND = "SELECT kind, key_fingerprint FROM installation WHERE id = 1"
FOUND = "INSERT INTO installation (id, kind, key_fingerprint, made_at) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING"


class WrongKey(Exception):
    def __init__(self) -> None:
        super().__init__("密钥文件与这个数据库不配套。请放回建库时的密钥文件，或设置 POINTSBANK_KEY_FILE。")


class NotFounded(Exception):
    def __init__(self) -> None:
        super().__init__("数据库还是空的。请先运行 pointsbank init。")


class Installation(msgspec.Struct, frozen=True):
    is_demo: bool


async def found(tx: Tx, *, kind: str, key_fingerprint: str) -> bool:
    """Say what this database is; False if it was said before."""
    return await tx.run(FOUND, kind, key_fingerprint, tx.now) == 1


async def check(settings: Settings) -> Installation:
    """Load the keys that fit the open database, and hold them for the process."""
    row = await db.row(FIND)
    if row is None:
        raise NotFounded
    keys = Keys.load(settings.key_path)
    if keys.fingerprint != row["key_fingerprint"]:
        raise WrongKey
    crypto.hold(keys)
    return Installation(is_demo=row["kind"] == "demo")

"""Keys, sealed fields, blind indexes, passwords.

One root key lies outside the database and outside its backups. Every other key is derived from it by a label, or is
random and wrapped by such a key: deleting a wrapped key deletes what it sealed.
"""

import hashlib
import hmac
import os
import secrets
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
PASSWORD_LENGTH_MIN = 8

_LABELS_CACHED = 1024
_NONCE_BYTES = 12
_TAG_BYTES = 16
_INDEX_BYTES = 16
_SEALED_VERSION = b"\x01"  # AES-256-GCM; another suite gets another version
_WRAPPED_VERSION = b"\x01"


class KeyFileBroken(ValueError):
    """One line for the person who starts the program; never says what was in the file."""


class Unreadable(Exception):
    """Sealed with another key, for another place, or damaged. Which of these is nobody's business."""


class Keys:
    """All keys of an installation, by label."""

    def __init__(self, root: bytes) -> None:
        assert len(root) == KEY_BYTES
        self._root = root
        self.derive = lru_cache(maxsize=_LABELS_CACHED)(self._derive)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The file holds the key in hexadecimal; blanks do not matter, so a key typed from paper works."""
        try:
            root = bytes.fromhex("".join(path.read_text("ascii").split()))
        except OSError as error:
            raise KeyFileBroken(f"密钥文件 {path} 打不开：{error.strerror}。请检查路径和权限。") from error
        except ValueError:
            raise KeyFileBroken(f"密钥文件 {path} 的内容不是密钥。请放回正确的密钥文件。") from None
        if len(root) != KEY_BYTES:
            raise KeyFileBroken(f"密钥文件 {path} 的长度不对。请放回正确的密钥文件。")
        return cls(root)

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """A new key is made only where there is no file; a broken file is never replaced."""
        try:
            if not path.exists():
                _create_key_file(path)
        except OSError as error:
            raise KeyFileBroken(f"密钥文件 {path} 写不进去：{error.strerror}。请检查路径和权限。") from error
        return cls.load(path)

    @property
    def fingerprint(self) -> str:
        """Tells one root from another and nothing about either."""
        return self.derive("fingerprint")[:6].hex()

    def for_the_safe(self) -> str:
        """The root key as people print it, in groups; `load` reads it back."""
        return self._root.hex(" ", -4)

    def _derive(self, label: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label.encode()).derive(self._root)


def _create_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        _link_unless_there(draft, path)
    finally:
        draft.unlink()
    if os.name == "posix":  # the name must survive a power cut too; Windows cannot open a folder
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _link_unless_there(draft: Path, path: Path) -> None:
    """A link appears whole or not at all, and of two processes that start at once one key stands."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return


@lru_cache(maxsize=_LABELS_CACHED)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256. A copy of one that has taken its key: `hmac.digest` looks its hash up by name every time."""
    begun = _keyed(key).copy()
    begun.update(message)
    return begun.digest()


def look_up_mac(key: bytes, text: str) -> bytes:
    """For columns that find a secret by its value, in the midst of an order: keyed BLAKE2b, a MAC by its own design."""
    return hashlib.blake2b(text.encode(), key=key, digest_size=32).digest()


# Sealed fields: a random data key for each owner, wrapped; fields sealed with the data key


def new_wrapped_key(keys: Keys, owner: str) -> bytes:
    """A fresh data key, wrapped for this owner: it does not open for another."""
    return _seal(_WRAPPED_VERSION, keys.derive("wrap/1"), secrets.token_bytes(KEY_BYTES), owner)


def unwrap(keys: Keys, wrapped: bytes, owner: str) -> bytes:
    return _unseal(_WRAPPED_VERSION, keys.derive("wrap/1"), wrapped, owner)


def seal(data_key: bytes, text: str, aad: str) -> bytes:
    """`aad` names the place of the value (row, field, version): moved elsewhere, it does not open."""
    return seal_file(data_key, text.encode(), aad)


def unseal(data_key: bytes, blob: bytes, aad: str) -> str:
    return unseal_file(data_key, blob, aad).decode()


def seal_file(data_key: bytes, content: bytes, aad: str) -> bytes:
    return _seal(_SEALED_VERSION, data_key, content, aad)


def unseal_file(data_key: bytes, blob: bytes, aad: str) -> bytes:
    return _unseal(_SEALED_VERSION, data_key, blob, aad)


def _seal(version: bytes, key: bytes, content: bytes, aad: str) -> bytes:
    assert len(key) == KEY_BYTES
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return version + nonce + AESGCM(key).encrypt(nonce, content, version + aad.encode())


def _unseal(version: bytes, key: bytes, blob: bytes, aad: str) -> bytes:
    if len(key) != KEY_BYTES or len(blob) < 1 + _NONCE_BYTES + _TAG_BYTES or blob[:1] != version:
        raise Unreadable
    nonce, content = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, content, version + aad.encode())
    except InvalidTag:
        raise Unreadable from None


def blind_index(keys: Keys, field: str, community_id: int, value: str) -> bytes:
    """Finds equal values without showing them. Give it the value in its one normal form."""
    assert "/" not in field
    key = keys.derive(f"bidx/{field}/1/{community_id}")
    return mac(key, value.encode("utf-8", "surrogatepass"))[:_INDEX_BYTES]


# Tokens and passwords


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Only for tokens too random to guess; whatever has fewer than 112 random bits needs a key or argon2."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class PasswordCost:
    memory_kib: int = 64 * 1024
    rounds: int = 3
    lanes: int = 1


PASSWORD_COST = PasswordCost()


def hash_password(password: str, cost: PasswordCost = PASSWORD_COST) -> str:
    """Takes a tenth of a second and 64 MiB on purpose: call it in a thread, outside any transaction."""
    return _hasher(cost).hash(_password_bytes(password))


def password_matches(password_hash: str, password: str) -> bool:
    """As slow as hashing. A hash that cannot be read matches nothing."""
    try:
        return _hasher(PASSWORD_COST).verify(password_hash, _password_bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str, cost: PasswordCost = PASSWORD_COST) -> bool:
    return _hasher(cost).check_needs_rehash(password_hash)


def weak_password(password: str, login: str) -> bool:
    """Too short, the login itself, one character repeated, or digits that count up or down."""
    plain, name = (unicodedata.normalize("NFKC", text).casefold() for text in (password, login))
    if len(plain) < PASSWORD_LENGTH_MIN or plain in (name, name[::-1]) or len(set(plain)) == 1:
        return True
    if not (plain.isascii() and plain.isdigit()):
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(plain)}
    return steps in ({1}, {9})


@lru_cache(maxsize=8)
def _hasher(cost: PasswordCost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=cost.lanes)


def _password_bytes(password: str) -> bytes:
    """Full-width and half-width letters are the same password: input methods switch between them by themselves."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


_held: Keys | None = None


def hold(keys: Keys) -> None:
    """Make these the process's keys; actions and queries ask `held()` for them."""
    global _held  # noqa: PLW0603  one installation is open per process
    _held = keys


def held() -> Keys:
    assert _held is not None, "no keys are held"
    return _held

"""The sign-ins of a demo: kept beside its database, since passwords are stored hashed. Only a demo has such a file."""

import os
from pathlib import Path
from typing import Self

import msgspec

SIGN_INS_NAME = "demo-sign-ins.json"


class Login(msgspec.Struct, frozen=True):
    role: str
    login: str
    password: str
    place: str
    place_id: int


class Token(msgspec.Struct, frozen=True):
    role: str
    login: str
    token: str
    place: str
    place_id: int


class SignIns(msgspec.Struct, frozen=True):
    logins: list[Login]
    tokens: list[Token]

    @classmethod
    def read(cls, folder: Path) -> Self:
        return msgspec.json.decode((folder / SIGN_INS_NAME).read_bytes(), type=cls)

    def write(self, folder: Path) -> None:
        text = msgspec.json.format(msgspec.json.encode(self))
        descriptor = os.open(folder / SIGN_INS_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)

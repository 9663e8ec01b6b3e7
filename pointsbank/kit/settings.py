"""Everything that is set from outside, read once at start from POINTSBANK_*. README documents each; a test compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import platformdirs

PREFIX = "POINTSBANK_"
_YES_NO = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class BadSettings(ValueError):
    """One line for the person who starts the program. Never shows a value that may hold a password."""


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("要写一个路径；~ 后面的用户不存在") from None


def _database_url(text: str) -> str:
    return _url(text, ("postgres", "postgresql"), "要写成 postgresql://用户:密码@主机/数据库；用 SQLite 就不要设置")


def _url(text: str, schemes: tuple[str, ...], hint: str) -> str:
    # What the standard library says of a bad address may quote it, password and all: only the hint goes out.
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 reading it is what checks it
    except ValueError:
        raise ValueError(hint) from None
    if parts.scheme not in schemes or any(map(str.isspace, text)):
        raise ValueError(hint)
    return text


def _host(text: str) -> str:
    if any(letter.isspace() or letter == "/" for letter in text):
        raise ValueError("要写一个主机名或 IP 地址")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError("要写 1 到 65535 之间的整数")
    return int(text)


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise ValueError("要写 1 或 0")
    return _YES_NO[text.lower()]


def _public_url(text: str) -> str:
    hint = "要写成 https://主机 或 http://主机:端口"
    parts = urlsplit(_url(text, ("http", "https"), hint))
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(hint)
    return text.rstrip("/")


def _proxies(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("要写 IP 地址或网段，用逗号分开") from None


def _log_level(text: str) -> str:
    if text.upper() not in _LOG_LEVELS:
        raise ValueError("要写 debug、info、warning 或 error")
    return text.upper()


def _about(read: Callable[[str], Any], doc: str, shown_default: str) -> dict[str, Any]:
    return {"read": read, "doc": doc, "shown_default": shown_default}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    data: Path = field(
        default_factory=lambda: platformdirs.user_data_path("pointsbank", appauthor=False),
        metadata=_about(_path, "数据文件夹：数据库、密钥和备份都在里面", "系统的用户数据文件夹"),
    )
    database_url: str | None = field(
        default=None,
        metadata=_about(_database_url, "PostgreSQL 的地址；不设就用数据文件夹里的 SQLite 文件", "SQLite"),
    )
    host: str = field(default="127.0.0.1", metadata=_about(_host, "监听的地址", "127.0.0.1"))
    port: int = field(default=8000, metadata=_about(_port, "监听的端口", "8000"))
    key_file: Path | None = field(
        default=None, metadata=_about(_path, "根密钥文件；建议不与数据放在一起", "数据文件夹里的 root.key")
    )
    backups: Path | None = field(
        default=None, metadata=_about(_path, "每天的备份放在哪里；最好是另一个磁盘", "数据文件夹里的 backups")
    )
    allow_http: bool = field(default=False, metadata=_about(_yes_no, "1 表示允许本机以外用不加密的 http", "0"))
    public_url: str | None = field(default=None, metadata=_about(_public_url, "印在二维码里的网址开头", "监听的地址"))
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_about(_proxies, "可信的反向代理：IP 或网段，逗号分开；只信它们转来的来访地址", "没有"),
    )
    log_level: str = field(
        default="INFO", metadata=_about(_log_level, "日志详细程度：debug、info、warning、error", "info")
    )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Refuses names it does not know: a mistyped setting must not silently be none. Empty means not set."""
        known = {PREFIX + each.name.upper(): each for each in fields(cls)}
        unknown = sorted(name for name in env if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise BadSettings(f"没有这个设置：{unknown[0]}。可用的有：{'、'.join(known)}。")
        given = {}
        for name, each in known.items():
            text = env.get(name, "").strip()
            if not text:
                continue
            try:
                given[each.name] = each.metadata["read"](text)
            except ValueError as error:
                raise BadSettings(f"设置 {name} 不对：{error}。") from None
        return cls(**given)

    @property
    def database_file(self) -> Path:
        """Where SQLite keeps the data; of no meaning with a `database_url`."""
        return self.data / "pointsbank.db"

    @property
    def key_path(self) -> Path:
        return self.key_file or self.data / "root.key"

    @property
    def backups_folder(self) -> Path:
        return self.backups or self.data / "backups"


@dataclass(frozen=True, slots=True)
class SettingDoc:
    name: str
    shown_default: str
    doc: str


def documentation() -> list[SettingDoc]:
    """A line for each setting, as README's table and `--help` show it."""
    return [
        SettingDoc(PREFIX + each.name.upper(), each.metadata["shown_default"], each.metadata["doc"])
        for each in fields(Settings)
    ]

"""Static files, read once, named by their content and answered from memory: they are immutable for a year."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pointsbank.kit import paths

TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/x-icon",
}
PREFIX = "/static/"
SQUEEZED = {".css", ".js", ".svg"}

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asset:
    url: str
    etag: bytes
    body: bytes
    squeezed: bytes | None
    headers: Headers

    @classmethod
    def read(cls, file: Path) -> "Asset":
        body = file.read_bytes()
        mark = hashlib.sha256(body).hexdigest()[:12]
        headers: Headers = [
            (b"content-type", TYPES[file.suffix]),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"etag", b'"%s"' % mark.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"vary", b"accept-encoding"),
        ]
        squeezed = gzip.compress(body, 9, mtime=0) if file.suffix in SQUEEZED else None
        return cls(f"{PREFIX}{file.stem}.{mark}{file.suffix}", headers[2][1], body, squeezed, headers)

    def answer(self, asked: dict[bytes, bytes]) -> tuple[int, Headers, bytes]:
        """Status, headers and body for a request with these headers."""
        if self.etag in asked.get(b"if-none-match", b""):
            return 304, self.headers, b""
        if self.squeezed is not None and b"gzip" in asked.get(b"accept-encoding", b""):
            length = (b"content-length", b"%d" % len(self.squeezed))
            return 200, [*self.headers, (b"content-encoding", b"gzip"), length], self.squeezed
        return 200, [*self.headers, (b"content-length", b"%d" % len(self.body))], self.body


class Shelf:
    """The assets of one folder, by file name and by address."""

    def __init__(self, folder: Path) -> None:
        self.by_name = {file.name: Asset.read(file) for file in sorted(folder.iterdir()) if file.suffix in TYPES}
        self.by_url = {asset.url: asset for asset in self.by_name.values()}

    def url(self, name: str) -> str:
        return self.by_name[name].url


@cache
def shelf() -> Shelf:
    return Shelf(paths.static_dir())

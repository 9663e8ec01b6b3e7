"""Check an export or a statement of a points bank. Needs Python 3.8 or newer and nothing else.

    python verify.py [FOLDER] [--head 3-1024-9f2c1a2b3c4d5e6f] [--statement] [--chain chain.csv]

FOLDER is the export, unpacked, or this file's. `--head` was printed or deposited: community, position, first digits of
the hash. `--statement`: one member's, which shows only that it agrees with itself, unless `--chain` names the whole's.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from itertools import chain
from pathlib import Path
from typing import Any

CHAIN = ["position", "what", "previous", "digest", "hash"]
PARTS = {
    "entries.csv": "posting_key community_id kind effective_at booked_at actor_id member_id source_room source_kind"
    " source_id summary reason version_id shortfall reverses",
    "moves.csv": "source target points source_after target_after",
    "lot_uses.csv": "account kind expires_on match_percent points",
    "changes.csv": "community_id what name actor_id changed_at content",
}
STATE = {
    "state.csv": "what name content",
    "accounts.csv": "name balance",
    "lots.csv": "account kind expires_on match_percent remaining",
}


class Rows:
    r"""The rows of a file, one looked at beforehand. NULL stands as \N; what begins with a backslash has one more."""

    def __init__(self, path: Path, columns: list[str]) -> None:
        self.name, self.columns = path.name, columns
        self.rows = csv.reader(path.open(encoding="utf-8-sig", newline=""))
        self.next: list[Any] | None = None
        self.take()
        if self.take() != columns:
            raise ValueError(f"{path.name}：第一行不是 {','.join(columns)}")

    def take(self) -> list[Any] | None:
        taken, row = self.next, next(self.rows, None)
        if row is not None and len(row) != len(self.columns):
            raise ValueError(f"{self.name}：有一行不是 {len(self.columns)} 格：{row[:2]}")
        self.next = None if row is None else [None if one == r"\N" else one[one.startswith("\\") :] for one in row]
        return taken

    def at(self, position: str) -> list[list[Any]]:
        found = []
        while self.next is not None and self.next[0] == position:
            found.append((self.take() or [])[1:])
        return found


def form(*fields: str | None) -> bytes:
    raw = [None if field is None else field.encode() for field in fields]
    return b"".join(b"-," if one is None else b"%d:%s," % (len(one), one) for one in raw)


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def digest_of(entries: list[Any], moves: list[Any], uses: list[Any], changes: list[Any]) -> str | None:
    """The digest of what stands at one position: an entry with its moves, or a change; None if it is neither."""
    if len(changes) == 1 and not (entries or moves or uses):
        return sha256(form("change/1", *changes[0]))
    if len(entries) != 1 or not moves or changes:
        return None
    lists = [cell for rows in (moves, uses) for cell in (str(len(rows)), *chain.from_iterable(rows))]
    return sha256(form("entry/1", *entries[0], *lists))


def link(community: str, position: str, previous: str, digest: str) -> str:
    return sha256(form("seal/1", community, position), bytes.fromhex(previous), bytes.fromhex(digest))


class Community:
    def __init__(self, folder: Path, *, is_whole: bool) -> None:
        self.folder, self.number, self.is_whole = folder, folder.name.rpartition("-")[2], is_whole
        if odd := {"chain.csv", *PARTS, *(STATE if is_whole else ())} ^ {one.name for one in folder.iterdir()}:
            raise ValueError(f"社区 {self.number}：少了或多了 {' '.join(sorted(odd))}（核对对账单要写 --statement）")
        self.seals, self.last, self.deposited = {0: "0" * 64}, 0, 0
        self.sums: dict[str, dict[Any, Any]] = {name: {} for name in STATE}

    def check(self) -> str:
        parts = [Rows(self.folder / name, ["position", *columns.split()]) for name, columns in PARTS.items()]
        for position, what, previous, digest, sealed in iter(Rows(self.folder / "chain.csv", CHAIN).take, None):
            where = f"社区 {self.number} 第 {position} 位"
            if int(position) <= self.last or (self.is_whole and int(position) != self.last + 1):
                raise ValueError(f"社区 {self.number} 第 {self.last + 1} 位：少了，链上接着的是第 {position} 位")
            if self.seals.get(int(position) - 1, previous) != previous:
                raise ValueError(f"{where}：没有接在前一位后面")
            found = [part.at(position) for part in parts]
            is_closed = what == "closed" and not self.is_whole and not any(found)
            if not is_closed and (digest_of(*found) != digest or what != ("change" if found[3] else "entry")):
                raise ValueError(f"{where}：内容和封存时不一样，或者少了、多了")
            if link(self.number, position, previous, digest) != sealed:
                raise ValueError(f"{where}：封存的值算出来不一样")
            self.add(*found)
            self.last = int(position)
            self.seals[self.last] = sealed
        for part in parts:
            if part.next is not None:
                raise ValueError(f"社区 {self.number} 第 {part.next[0]} 位：{part.name} 里多出一行，或不在它的位置上")
        for name, columns in STATE.items() if self.is_whole else ():
            self.compare(name, columns.split(), dict(self.sums[name]))
        return f"社区 {self.number}：{len(self.seals) - 1} 位，到 {self.number}-{self.last}-{self.seals[self.last]:.32}"

    def add(self, _entries: list[Any], moves: list[Any], uses: list[Any], changes: list[Any]) -> None:
        latest, balances, lots = self.sums.values()
        for source, target, points, _source_after, _target_after in moves:
            balances[source,] = balances.get((source,), 0) - int(points)
            balances[target,] = balances.get((target,), 0) + int(points)
        for *lot, points in uses:
            lots[tuple(lot)] = lots.get(tuple(lot), 0) - int(points)
        for _community, what, name, _actor, _at, content in changes:
            latest[what, name] = content
            if what == "account":
                balances.setdefault((name,), 0)

    def compare(self, name: str, columns: list[str], left: dict[Any, Any]) -> None:
        """What the file says is what the chain adds up to, in order."""
        last: tuple[str, ...] = ()
        for *names, value in iter(Rows(self.folder / name, columns).take, None):
            order = tuple(one or "" for one in names)
            if order <= last or tuple(names) not in left or str(left.pop(tuple(names))) != value:
                raise ValueError(f"社区 {self.number} {name}：{' '.join(order)} 和链上的不一样")
            last = order
        if left:
            raise ValueError(f"社区 {self.number} {name}：少了 {min(map(str, left))}")

    def check_chain(self, path: Path) -> None:
        """The chain of the whole holds together, and each position of this statement is in it."""
        last, ours = self.seals[0], dict(self.seals)
        for position, _what, previous, digest, sealed in iter(Rows(path, CHAIN).take, None):
            if previous != last or link(self.number, position, previous, digest) != sealed:
                raise ValueError(f"{path} 第 {position} 位：没有接在前一位后面")
            if ours.pop(int(position), sealed) != sealed:
                raise ValueError(f"第 {position} 位：和整本账的链不一样")
            self.seals[int(position)] = last = sealed
        if len(ours) > 1:
            raise ValueError(f"第 {max(ours)} 位：整本账的链里没有")

    def check_head(self, position: int, digits: str) -> None:
        is_ours = position <= self.last or not self.is_whole
        if len(digits) < 16 or not is_ours or not self.seals.get(position, "").startswith(digits):
            raise ValueError(f"社区 {self.number} 第 {position} 位：和留存的链头不一样，或者没有（至少要写 16 个字）")
        self.deposited = max(self.deposited, position)


def check_sums(folder: Path) -> None:
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        total = hashlib.sha256()
        with (folder / line[66:]).open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                total.update(block)
        if total.hexdigest() != line[:64]:
            raise ValueError(f"{line[66:]}：文件改过")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    options.add_argument("--head", action="append", default=[])
    options.add_argument("--statement", action="store_true")
    options.add_argument("--chain", type=Path)
    given = options.parse_args()
    csv.field_size_limit(1 << 27)
    try:
        if given.statement and given.head and not given.chain:
            raise ValueError("对账单只有链上的几位，要和链头核对，请加 --chain 整本账的 chain.csv")
        communities = [Community(one, is_whole=not given.statement) for one in sorted(given.folder.glob("community-*"))]
        for one in communities:
            print(one.check())
            if given.chain:
                one.check_chain(given.chain)
        for number, position, digits in (head.replace(" ", "").lower().split("-") for head in given.head):
            if not (named := [one for one in communities if one.number == number]):
                raise ValueError(f"社区 {number}：这里没有它的账")
            named[0].check_head(int(position), digits)
        check_sums(given.folder)
        if not communities:
            raise ValueError("这里没有积分银行导出的账")
    except (ValueError, TypeError, OSError, csv.Error) as error:
        sys.exit(f"不对：{error}")
    ends = "，".join(f"社区 {it.number} 第 {it.deposited + 1} 位起" for it in communities if it.last > it.deposited)
    told = "列出的都没有改过。" if given.statement else "没有改过、少过、多过或换过位置。"
    if given.statement and not given.chain:
        told, ends = "列出的和封存的值相符；有没有改过，要加 --chain 核对。", ""
    print(told + (f"{ends}，有没有整个重做、剪掉结尾，要加更晚的 --head 核对。" if ends else ""))


if __name__ == "__main__":
    main()

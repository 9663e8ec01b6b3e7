"""The load: prepared bytes over raw sockets, in a process of its own, so that it takes nothing from the server's.

    python -m tests.bench.load PORT PID FILE [--seconds S]

FILE holds the requests, as a msgpack list of byte strings. Each is sent once; with --seconds the list is begun anew
until the time is over. PID is the server's: how busy it was meanwhile is part of the answer, one line of JSON.
"""

import os
import selectors
import socket
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import msgspec

CONNECTIONS = 64
SILENCE_SECONDS = 30
TICK = os.sysconf("SC_CLK_TCK")


class Round(msgspec.Struct, frozen=True):
    """`busy` is the server's processor time over the time that passed; two threads can make it more than 1."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    busy: float
    statuses: dict[str, int]
    refused: str = ""


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.needed = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.needed = 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Whether the answer is complete."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("the server closed a connection")
        self.received += part
        if not self.needed:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self.received[:end].lower()
            start = head.index(b"content-length:") + 15
            self.needed = end + 4 + int(head[start:].partition(b"\r\n")[0])
        return len(self.received) >= self.needed


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def run(port: int, pid: int, requests: list[bytes], seconds: float | None) -> Round:
    waiting: Iterator[bytes] = iter(requests) if seconds is None else cycle(requests)
    selector = selectors.DefaultSelector()
    connections = [Connection(port) for _ in range(min(CONNECTIONS, len(requests)) if seconds is None else CONNECTIONS)]
    waits: list[float] = []
    statuses: Counter[bytes] = Counter()
    refused = b""
    used, began = processor_seconds(pid), time.perf_counter()
    until = began + seconds if seconds is not None else float("inf")
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(waiting))
    active = len(connections)
    while active:
        ready = selector.select(SILENCE_SECONDS)
        if not ready:
            raise TimeoutError("the server is silent")
        for key, _ in ready:
            connection = key.data
            if not connection.receive():
                continue
            now = time.perf_counter()
            waits.append(now - connection.sent_at)
            status = connection.received[9:12]
            statuses[status] += 1
            if status[:1] != b"2":
                refused = connection.received
            request = next(waiting, None) if now < until else None
            if request is None:
                active -= 1
                selector.unregister(connection.socket)
            else:
                connection.send(request)
    passed = time.perf_counter() - began
    busy = (processor_seconds(pid) - used) / passed
    waits.sort()
    return Round(
        requests=len(waits),
        rate=len(waits) / passed,
        p50_ms=statistics.median(waits) * 1e3,
        p99_ms=waits[int(len(waits) * 0.99)] * 1e3,
        busy=busy,
        statuses={status.decode(): count for status, count in statuses.items()},
        refused=refused.decode("utf-8", "replace")[:600],
    )


if __name__ == "__main__":
    port, pid, file, *rest = sys.argv[1:]
    prepared = msgspec.msgpack.decode(Path(file).read_bytes(), type=list[bytes])
    measured = run(int(port), int(pid), prepared, float(rest[1]) if rest else None)
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")

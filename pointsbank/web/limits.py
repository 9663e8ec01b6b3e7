"""How often somebody may ask: a token bucket a caller, O(1) in time and bounded in space."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import ip_address

BUCKETS_MAX = 20_000
NETWORK_6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_minute` for ever, `burst` at once."""

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        assert self.per_minute > 0
        assert self.burst > 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Generous: a counter scans fast, and a whole community may stand behind one address when an event begins."""

    session: Limit = field(default_factory=lambda: Limit(per_minute=600, burst=120))
    bearer: Limit = field(default_factory=lambda: Limit(per_minute=1200, burst=200))
    address: Limit = field(default_factory=lambda: Limit(per_minute=600, burst=300))


class Buckets:
    """Buckets of one limit. A bucket is one number: the time at which it will be full again.

    Two generations: when the young one is full or old enough that every bucket of the old one has filled up again,
    the old one is dropped. So eviction costs nothing, and forgets a caller early only under a flood of others.
    """

    def __init__(self, limit: Limit, buckets_max: int = BUCKETS_MAX) -> None:
        self.pause = 60.0 / limit.per_minute
        self.slack = self.pause * (limit.burst - 1) + 1e-9
        self.half = max(1, buckets_max // 2)
        self.young: dict[Hashable, float] = {}
        self.old: dict[Hashable, float] = {}
        self.turn_at = 0.0

    def take(self, who: Hashable, now: float) -> float:
        """0.0, or the seconds to wait; who has to wait is not charged."""
        young = self.young
        full_at = young.get(who)
        if full_at is None:
            if now >= self.turn_at or len(young) >= self.half:
                self.old, self.young, self.turn_at = young, {}, now + self.slack + self.pause
                young = self.young
            full_at = self.old.get(who, now)
        full_at = max(full_at, now)
        if full_at - now > self.slack:
            young[who] = full_at
            return full_at - now - self.slack
        young[who] = full_at + self.pause
        return 0.0

    def __len__(self) -> int:
        return len(self.young) + len(self.old)


def network(address: str) -> str:
    """The part of an address that one household cannot change at will: an IPv6 line gets a whole /64."""
    if ":" not in address:
        return address
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    mapped = getattr(known, "ipv4_mapped", None)
    return str(mapped) if mapped is not None else f"{int(known) >> (128 - NETWORK_6_PREFIX):x}"

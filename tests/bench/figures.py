"""What is measured, against which floor or ceiling, and how it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from tests.bench.load import Round
from tests.bench.sizes import Grown

FLOORS = {
    "order-writer/plain": 0.75,
    "order-post/bound": 0.70,
    "check-in-post/bound": 0.70,
    "order-post/null-post": 0.18,
    "passbook-get/null-get": 0.35,
    "null-get-with-layer/without": 0.75,
    "acts-scored-a-second": 20_000.0,
}
CEILINGS = {
    "order-p99/p50": 4.0,
    "order-statements": 28.0,
    "resident-mb-after-orders": 250.0,
    "longest-unsealed-seconds": 5.0,
    "ledger-bytes-an-entry": 330.0,
    "command-bytes-a-key": 160.0,
    "trail-bytes-a-line": 110.0,
}


def judged(values: Mapping[str, float], floors: Mapping[str, float], ceilings: Mapping[str, float]) -> list[str]:
    """Each figure beside what it should be; one that could not be measured is left out."""
    told, held = [], 0
    for name, floor in floors.items():
        if name in values:
            told.append(f"{name} {values[name]:.2f} >= {floor:.2f}")
            held += values[name] >= floor
    for name, ceiling in ceilings.items():
        if name in values:
            told.append(f"{name} {values[name]:.1f} <= {ceiling:g}")
            held += values[name] <= ceiling
    return [*told, f"{held} of {len(told)} figures hold"]


def bound(null: float, plain: float) -> float:
    """The rate of a program that did nothing but HTTP and these statements, one after the other."""
    return 1 / (1 / null + 1 / plain)


@dataclass
class Rates:
    """One round: commands or requests a second."""

    writer_order: float
    plain_order: float
    plain_check_in: float
    null_order: Round
    order: Round
    null_check_in: Round
    check_in: Round
    null_get: Round
    bare_get: Round
    passbook: Round
    acts_scored: float

    def figures(self) -> dict[str, float]:
        return {
            "order-writer/plain": self.writer_order / self.plain_order,
            "order-post/bound": self.order.rate / bound(self.null_order.rate, self.plain_order),
            "check-in-post/bound": self.check_in.rate / bound(self.null_check_in.rate, self.plain_check_in),
            "order-post/null-post": self.order.rate / self.null_order.rate,
            "passbook-get/null-get": self.passbook.rate / self.null_get.rate,
            "null-get-with-layer/without": self.null_get.rate / self.bare_get.rate,
            "acts-scored-a-second": self.acts_scored,
            "order-p99/p50": self.order.p99_ms / self.order.p50_ms,
        }


@dataclass
class Findings:
    rounds: list[Rates] = field(default_factory=list)
    statements: float = 0.0
    resident_mb: float = 0.0
    unsealed_seconds: float = 0.0
    grown: Grown | None = None

    def lines(self) -> list[str]:
        each = [found.figures() for found in self.rounds]
        values = {name: median(round_[name] for round_ in each) for name in each[0]}
        values["order-statements"] = self.statements
        values["resident-mb-after-orders"] = self.resident_mb
        values["longest-unsealed-seconds"] = self.unsealed_seconds
        if self.grown is not None:
            values |= self.grown.figures()
        return judged(values, FLOORS, CEILINGS)

"""Charts as plain numbers; `templates/_charts.html` draws them. Every chart says its values in words too."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 56, 540, 36, 216
LABEL_GAP = 18  # labels of lines that end close together are moved apart
STEPS = 3
NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Series:
    """One line; None where there is no value yet."""

    name: str
    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    last: int
    points: str
    label_y: int


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """`lines` in their order of dash (c1, c2, c3), `rows` the heights of the grid, `columns` the months below."""

    label: str
    lines: Sequence[Line]
    rows: Sequence[Tick]
    columns: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class Bar:
    """`shown` stands beside the bar; `second` is the paler bar below, if any."""

    name: str
    value: int
    shown: str
    second: int | None = None


def top_of(highest: int) -> int:
    """The first round number that the grid can carry in whole steps."""
    unit = 1
    while True:
        for nice in NICE:
            if nice * unit * STEPS >= highest:
                return nice * unit * STEPS
        unit *= 10


def line_chart(label: str, columns: Sequence[str], series: Sequence[Series]) -> LineChart:
    """Up to three lines over the same columns."""
    assert 0 < len(series) <= 3
    assert columns
    assert all(len(one.values) == len(columns) for one in series)
    top = top_of(max((value for one in series for value in one.values if value is not None), default=1) or 1)
    across = [LEFT + (RIGHT - LEFT) * at / max(1, len(columns) - 1) for at in range(len(columns))]

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / top

    drawn = []
    for one in series:
        known = [(x, value) for x, value in zip(across, one.values, strict=True) if value is not None]
        last = known[-1][1] if known else 0
        points = " ".join(f"{x:.0f},{height(value):.0f}" for x, value in known)
        drawn.append(Line(one.name, last, points, round(height(last)) + 5))
    rows = [Tick(height(top * step / STEPS), f"{top * step // STEPS:,}") for step in range(STEPS + 1)]
    every = max(1, (len(columns) + 3) // 4)
    below = [Tick(x, text) for at, (x, text) in enumerate(zip(across, columns, strict=True)) if at % every == 0]
    return LineChart(label, _apart(drawn), rows, below)


def _apart(lines: Sequence[Line]) -> list[Line]:
    """Move the labels at the right end apart, from the top down, keeping the order of the lines."""
    at: dict[str, int] = {}
    floor = -LABEL_GAP
    for line in sorted(lines, key=lambda one: one.label_y):
        floor = max(line.label_y, floor + LABEL_GAP)
        at[line.name] = floor
    return [Line(one.name, one.last, one.points, at[one.name]) for one in lines]

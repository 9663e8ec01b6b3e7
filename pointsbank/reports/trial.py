"""The process of a trial run: what is asked as a line of JSON on stdin, how far it has come in a file.

It ends when stdin does, since nobody waits for it then, and when the order that it works on is gone. It writes
nothing to the database.
"""

import asyncio
import contextlib
import io
import os
import sys
import threading

import msgspec
from msgspec.structs import asdict, replace

from pointsbank.awards.rules import Holders
from pointsbank.kit import db
from pointsbank.kit.clock import ZONE, Clock
from pointsbank.kit.errors import Refusal
from pointsbank.kit.paths import migrations_module
from pointsbank.reports import queries_trial as queries
from pointsbank.reports.queries_trial import Recorded, Span
from pointsbank.reports.rules_trial import Did, Outcome, Scored, Tally, counted_from, first_day, reaching_back
from pointsbank.reports.trial_files import Answer, Asked, Order, answer_file, order_file, put, read
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.queries import Version
from pointsbank.scoring.rules import Facts, Item, PastAct, Replay, Scope, Table


class Withdrawn(Exception):
    """The order is gone, or is another one."""


class Trial:
    """One run: both sides with counters of their own."""

    def __init__(self, asked: Asked) -> None:
        self.order = asked.order
        self.draft = asked.table
        self.items = {item.code: item for item in asked.table.items}
        self.order_file = order_file(asked.settings, self.order.community_id)
        self.answer_file = answer_file(asked.settings, self.order.community_id)
        self.first = first_day(self.order.today, self.order.months)
        self.tally = Tally(self.first, self.order.today)
        self.before, self.after = Replay(), Replay()
        self.done = self.total = 0
        self.versions: dict[int, Version] = {}

    async def run(self) -> Outcome:
        place = self.order.community_id
        span = await self._span()
        async with db.snapshot() as rows:
            self.total = await queries.count(rows, place, span)
            self.tell()
            async for some in queries.slices(rows, place, span):
                for act in some:
                    self.take(act, await self._scored_by(act.version_id))
                self.done += len(some)
                self.tell()
        return self.tally.outcome()

    async def _span(self) -> Span:
        """The acts to score again; before the first year only those of which something still counts."""
        known = await scoring.versions(self.order.community_id)
        adopted = [await self._scored_by(line.version_id) for line in known if line.in_force_from is not None]
        codes = reaching_back([self.draft, *(version.table for version in adopted)], self.order.today)
        return Span(counted_from(self.first), self.order.today, codes)

    def tell(self, outcome: Outcome | None = None) -> None:
        """Say how far it has come, as long as somebody wants to know."""
        if read(self.order_file, Order) != self.order:
            raise Withdrawn
        put(self.answer_file, Answer(self.order.key, self.done, self.total, outcome))

    async def _scored_by(self, version_id: int) -> Version:
        """What was in force on the day of an act."""
        if (known := self.versions.get(version_id)) is None:
            known = await scoring.version((self.order.community_id,), version_id)
            self.versions[version_id] = known
        return known

    def take(self, act: Recorded, in_force: Version) -> None:
        """Score an act on both sides; what lies before the months that were asked for only uses up caps."""
        began = act.began_at.astimezone(ZONE)
        day = began.date()
        if not act.counts:
            self.tally.left_out += day >= self.first
            return
        whose = Holders(act.person_id, act.household_id, act.building_id)
        holders = act.person_id, whose.of(Scope.HOUSEHOLD), whose.of(Scope.BUILDING)
        facts = Facts(
            day, act.minutes, act.planned_minutes, act.quantity, began_minute=began.hour * 60 + began.minute,
            occasion=act.occasion, **asdict(act.noted),
        )  # fmt: skip
        past = PastAct(act.item_code, facts, *holders)
        old = _scored(self.before, in_force.table, in_force.items[act.item_code], past)
        item = self.items.get(act.item_code)
        new = None if item is None else _scored(self.after, self.draft, item, past)
        if day >= self.first:
            self.tally.add(Did(act.person_id, day, act.awarded, act.birth_year, act.sex), old, new)


def _scored(again: Replay, table: Table, item: Item, past: PastAct) -> Scored:
    """A value that was fixed is one only where this table leaves it open too."""
    if past.facts.fixed_points is not None and item.points is not None and item.range_max is None:
        past = replace(past, facts=replace(past.facts, fixed_points=None))
    try:
        return Scored(item, again.score(table, item, past))
    except Refusal:  # something is wanted that nobody ever wrote down
        return Scored(item, None)


async def _run(asked: Asked) -> None:
    models = ["pointsbank.scoring.models"]  # Tortoise wants some, though all that is read here is SQL
    if asked.database_url:
        wanted = db.config(models, migrations_module(), postgres_url=asked.database_url)
    else:
        wanted = db.config(models, migrations_module(), path=str(asked.settings.database_file), reads_only=True)
    database = await db.open_database(wanted, Clock())
    try:
        trial = Trial(asked)
        trial.tell(await trial.run())
    finally:
        await database.close()


def work() -> None:
    """Do what stdin asks for, as long as it is open."""
    # Unbuffered: whoever still reads at the end holds no lock that Python wants then.
    stdin = io.FileIO(sys.stdin.fileno(), closefd=False)
    asked = msgspec.json.decode(stdin.readline(), type=Asked)

    def end_with_parent() -> None:
        stdin.read()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    with contextlib.suppress(Withdrawn):
        asyncio.run(_run(asked))

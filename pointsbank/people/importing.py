"""The long part of a roster import: checking a file, entering its people, forgetting what it brought.

Run by the jobs of the server, and taken up by the next start where one was cut off. Everything here may be done twice:
each slice says how far it believes the import to be, and of two workers the slower one stops.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from pointsbank.kit import codes, db
from pointsbank.kit.db import Actor
from pointsbank.people import actions_import as actions
from pointsbank.people import queries_import as queries
from pointsbank.people import sealed
from pointsbank.people.actions_import import SLICE, STALE, Ready
from pointsbank.people.queries_import import ImportView, Judged, Summary
from pointsbank.people.rules_import import KEPT_FOR, NOTES, Cell, Field
from pointsbank.people.rules_import import ImportMovedOn as Overtaken
from pointsbank.people.rules_import_check import Entry, Town, Verdict, check, renewed, unknown_buildings

UPLOAD_SLICE = 200
CHECK_SLICE = 200
WAITING = {"uploading", "mapping", "checked"}  # for somebody to come back
NUMBER_TRIES = 8

__all__ = ["STALE", "left", "take_in", "work_on"]

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


async def take_in(import_id: int, key: bytes, rows: Sequence[tuple[int, list[Cell]]]) -> None:
    """Seal the rows of a file and lay them down."""
    for some in _slices(rows, UPLOAD_SLICE):
        laid = await asyncio.to_thread(_sealed_cells, key, import_id, some)
        await db.write(actions.add_rows, import_id=import_id, rows=laid)


def _sealed_cells(key: bytes, import_id: int, rows: Sequence[tuple[int, list[Cell]]]) -> list[tuple[int, bytes]]:
    return [
        (number, sealed.seal_row(key, import_id, number, "cells", _encode(cells).decode())) for number, cells in rows
    ]


def _slices(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))


async def left() -> list[tuple[int, int]]:
    """The imports in which there is something to do or to forget, with their communities."""
    found = await queries.unfinished()
    now = db.current().writer.clock.now()
    if any(one["state"] in WAITING and one["made_at"] < now - KEPT_FOR for one in found):
        await db.write(actions.expire)
    return [(one["id"], one["community_id"]) for one in found]


async def work_on(import_id: int, community_id: int) -> int:
    """Do all there is to do in one import; answers how many rows that were."""
    now = db.current().writer.clock.now()
    shown = await queries.view([community_id], import_id)
    try:
        if shown.state == "checking":
            return await _check(shown, now)
        if shown.state == "importing":
            done = await _enter(shown, now)
            return done + await _forget(await queries.view([community_id], import_id), now)
    except Overtaken:  # stopped by somebody, or in better hands
        shown = await queries.view([community_id], import_id)
    return await _forget(shown, now) if shown.state in {"done", "stopped", "expired"} else 0


# Checking


async def _check(shown: ImportView, now: datetime) -> int:
    assert shown.plan is not None
    rows = await queries.raw_rows(shown)
    town = await queries.town(shown.community_id, now)
    verdicts = await asyncio.to_thread(check, rows, shown.plan, town)
    done = shown.done
    for some in _slices(verdicts[done:], CHECK_SLICE):
        laid = await asyncio.to_thread(_sealed_verdicts, shown, some)
        await db.write(actions.judge, import_id=shown.id, done=done, verdicts=laid)
        done += len(some)
    summary = _encode(_summary(verdicts)).decode()
    await db.write(actions.end_check, import_id=shown.id, summary=summary)
    return len(verdicts)


def _sealed_verdicts(shown: ImportView, verdicts: Sequence[Verdict]) -> list[tuple[int, str, bytes]]:
    assert shown.key is not None
    laid: list[tuple[int, str, bytes]] = []
    for verdict in verdicts:
        content = _encode(Judged(verdict.problems, verdict.entry)).decode()
        blob = sealed.seal_row(shown.key, shown.id, verdict.number, "verdict", content)
        laid.append((verdict.number, verdict.state, blob))
    return laid


def _summary(verdicts: Sequence[Verdict]) -> Summary:
    summary = Summary()
    unknown: list[tuple[str, int]] = []
    for verdict in verdicts:
        if verdict.state == "known":
            continue
        for problem in verdict.problems:
            if problem.key in NOTES:
                summary.notes[problem.key] = summary.notes.get(problem.key, 0) + 1
            if problem.key == "building_unknown":
                unknown.append((str(problem.facts["building"]), 1))
    summary.buildings = sorted(unknown_buildings(unknown).values())
    return summary


# Entering


async def _enter(shown: ImportView, now: datetime) -> int:
    """Look once more who has come into the roster meanwhile; lay everybody ready; make all members at once."""
    assert shown.plan is not None
    first_is_head = Field.RELATION.value not in shown.plan.columns
    is_finished = False
    while not is_finished:
        town = await queries.town(shown.community_id, now)
        homes = await queries.homes_made(shown)
        for some in _slices(await queries.good_rows(shown), SLICE):
            entries = await asyncio.to_thread(_renewed, shown, some, town)
            await _lay_ready(shown, entries, homes, first_is_head=first_is_head)
            shown = msgspec.structs.replace(shown, done=shown.done + len(some))
        is_finished = await db.write(
            actions.finish, actor=Actor(shown.made_by), import_id=shown.id, community_id=shown.community_id
        )
        shown = await queries.view([shown.community_id], shown.id)
    return shown.entered


def _renewed(shown: ImportView, rows: Sequence[db.Row], town: Town) -> list[tuple[int, Entry | None]]:
    found = []
    for row in rows:
        entry = queries.judged_of(shown, row).entry
        assert entry is not None
        found.append((int(row["number"]), renewed(entry, town)))
    return found


async def _lay_ready(
    shown: ImportView, entries: Sequence[tuple[int, Entry | None]], homes: dict[str, int], *, first_is_head: bool
) -> None:
    new = [(number, entry) for number, entry in entries if entry is not None]
    numbers = await _member_numbers(len(new))
    homes |= await db.write(
        actions.make_ready,
        import_id=shown.id,
        community_id=shown.community_id,
        done=shown.done,
        rows=await asyncio.to_thread(_ready, shown.community_id, new, numbers, homes),
        known=[number for number, entry in entries if entry is None],
        first_is_head=first_is_head,
    )


async def _member_numbers(count: int) -> list[str]:
    """Numbers that nobody has yet. Whether it stays so, the last command asks again."""
    numbers: set[str] = set()
    for _ in range(NUMBER_TRIES):
        if len(numbers) == count:
            break
        drawn = {codes.new_member_number() for _ in range(count - len(numbers))} - numbers
        numbers |= drawn - await queries.numbers_taken(sorted(drawn))
    assert len(numbers) == count, "member numbers have run out"
    return sorted(numbers)


def _ready(
    community_id: int, entries: Sequence[tuple[int, Entry]], numbers: Sequence[str], homes: dict[str, int]
) -> list[Ready]:
    rows = []
    for (number, entry), member_number in zip(entries, numbers, strict=True):
        key = sealed.new_person_key(member_number)
        phone = entry.phone
        rows.append(
            Ready(
                number=number,
                member_number=member_number,
                wrapped_key=key,
                name=sealed.seal_person(key, member_number, "name", entry.name),
                phone=sealed.seal_person(key, member_number, "phone", phone) if phone else None,
                phone_index=sealed.phone_index(community_id, phone) if phone else None,
                id_last4=entry.id_number[-4:] or None,
                id_index=sealed.id_index(community_id, entry.id_number) if entry.id_number else None,
                birth_year=entry.birth_year,
                sex=entry.sex,
                publication=entry.publication,
                tags="".join(f",{tag_id}" for tag_id in entry.tag_ids) + ("," if entry.tag_ids else ""),
                is_head=entry.is_head,
                home=entry.home,
                household_id=entry.household_id or homes.get(entry.home),
                building_id=entry.building_id,
                door=entry.door,
            )
        )
    return rows


# Forgetting


async def _forget(shown: ImportView, now: datetime) -> int:
    """What was entered goes at once; what was left out stays a day, so that it can be downloaded and mended."""
    keeps_failed = shown.state == "done" and shown.made_at > now - KEPT_FOR
    done = 0
    while not shown.cleared:
        part = await db.write(actions.clear, actor=Actor(shown.made_by), import_id=shown.id, keeps_failed=keeps_failed)
        if part == 0:
            break
        done += part
    return done

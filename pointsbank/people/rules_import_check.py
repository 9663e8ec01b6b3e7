"""A whole roster against itself and against who is there already. Pure: indexes come in as functions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from pointsbank.kit import text
from pointsbank.people.rules_import import (
    FAULTS,
    NOTES,
    QUESTIONS,
    Cell,
    Field,
    Plan,
    Problem,
    building_key,
    door_key,
)
from pointsbank.people.rules_import_cells import Draft, folded, read_row

State = Literal["good", "known", "faulty", "asked"]
Index = Callable[[str], bytes]


class Home(msgspec.Struct):
    """A household that is in the roster already."""

    household_id: int
    head: str  # masked; empty when there is none
    names: set[str]


class Town(msgspec.Struct):
    """What of the roster a check needs; opened for it and dropped after it."""

    holder: str
    year: int
    buildings: dict[str, list[tuple[int, str]]]  # by building_key
    tags: dict[str, int]
    ids: dict[bytes, str]  # names by the index of the ID number
    phones: dict[bytes, set[str]]
    homes: dict[tuple[int, str], Home]  # by building and door_key
    index_id: Index
    index_phone: Index


class Entry(msgspec.Struct):
    """What is entered of a row."""

    name: str
    phone: str
    id_number: str
    birth_year: int | None
    sex: str | None
    tag_ids: list[int]
    publication: bool
    building_id: int | None
    door: str
    home: str  # rows of one household share it; empty: the person has none
    household_id: int | None  # of the roster, where it is there already
    is_head: bool  # as the file says; where it says nothing, the first of a household is


class Verdict(msgspec.Struct):
    number: int
    state: State
    problems: list[Problem]
    entry: Entry | None


class Row(msgspec.Struct):
    number: int
    cells: list[Cell]
    accepted: bool


class _Group(msgspec.Struct):
    """The rows of one household so far."""

    key: str
    row: int
    building: str = ""
    door: str = ""
    home: Home | None = None
    head_row: int = 0
    members: list[tuple[int, str, str]] = []  # row, name, phone


def who_is(town: Town, one: Draft | Entry, building_id: int | None) -> str | None:
    """The name of this person in the roster, by ID number, by phone and name, or by name, building and door.

    Only an ID number can bring up another name.
    """
    name, phone, door = one.name, one.phone, one.door
    if one.id_number and (other := town.ids.get(town.index_id(one.id_number))) is not None:
        return other
    if phone and name in town.phones.get(town.index_phone(phone), ()):
        return name
    if building_id is None or (not door and (phone or one.id_number)):
        return None  # behind no door in particular there may be two of one name
    home = town.homes.get((building_id, door_key(door)))
    return name if home is not None and name in home.names else None


def renewed(entry: Entry, town: Town) -> Entry | None:
    """What was checked a while ago, against the roster as it is now; None if the person has come into it meanwhile.

    Whoever lived behind the door at the check may have left: the household of then is nobody's home any more.
    """
    if who_is(town, entry, entry.building_id) is not None:
        return None
    home = town.homes.get((entry.building_id, door_key(entry.door))) if entry.building_id and entry.door else None
    is_joining = entry.household_id is not None or entry.home.startswith("d")
    return msgspec.structs.replace(entry, household_id=home.household_id if home and is_joining else None)


def check(rows: Iterable[Row], plan: Plan, town: Town) -> list[Verdict]:
    drafts = [read_row(row.number, row.cells, plan, accepted=row.accepted, this_year=town.year) for row in rows]
    return _Check(plan, town).verdicts(drafts)


class _Check:
    def __init__(self, plan: Plan, town: Town) -> None:
        self.plan, self.town = plan, town
        self.by_number: dict[str, _Group] = {}
        self.by_door: dict[tuple[str, str], _Group] = {}
        self.ids: dict[str, tuple[int, str]] = {}
        self.seen: dict[tuple[str, ...], int] = {}

    def verdicts(self, drafts: list[Draft]) -> list[Verdict]:
        for draft in drafts:
            self._note_address(draft)
        placed = [self._placed(draft) for draft in drafts]
        if Field.RELATION.value in self.plan.columns:
            self._ask_for_heads({draft.number: draft for draft in drafts})
        return [_verdict(one) for one in placed]

    def _note_address(self, draft: Draft) -> None:
        """An explicit household has the address of its first row that names one."""
        if not draft.household:
            return
        group = self.by_number.setdefault(_number_key(draft), _Group(f"n{_number_key(draft)}", draft.number))
        if draft.building and not group.building:
            group.row, group.building, group.door = draft.number, draft.building, draft.door

    def _placed(self, draft: Draft) -> "_Placed":
        group = self._group(draft)
        building_id = self._building(draft)
        tag_ids = self._tags(draft)
        is_known = self._is_known(draft, building_id)
        if draft.name and not is_known:
            self._twice(draft, building_id)
            if group is not None:
                self._in_group(draft, group)
        if not any(draft.has_fault(field) for field in (Field.BUILDING, Field.DOOR)):
            if self.town.holder == "household" and group is None:
                draft.say(Field.DOOR if draft.building else Field.BUILDING, "home_missing")
            elif draft.name and not any((draft.phone, draft.id_number, building_id)):
                self._ask_for_more(draft)
        return _Placed(draft, group, building_id, tag_ids, is_known)

    def _ask_for_more(self, draft: Draft) -> None:
        """Somebody of whom there is only a name would be entered again by every later file."""
        if not draft.has_fault(Field.PHONE) and not draft.has_fault(Field.ID_NUMBER):
            draft.say(Field.NAME, "not_enough")

    def _building(self, draft: Draft) -> int | None:
        if not draft.building:
            return None
        found = self.town.buildings.get(building_key(draft.building), [])
        exact = [one for one in found if one[1] == draft.building]
        if len(exact) == 1 or len(found) == 1:
            return (exact or found)[0][0]
        draft.say(Field.BUILDING, "building_ambiguous" if found else "building_unknown", building=draft.building)
        return None

    def _tags(self, draft: Draft) -> list[int]:
        for tag in draft.tags:
            if tag not in self.town.tags and not any(problem.facts.get("tag") == tag for problem in draft.problems):
                draft.say(Field.TAGS, "tag_unknown", tag=tag)
        return sorted(self.town.tags[tag] for tag in draft.tags if tag in self.town.tags)

    def _group(self, draft: Draft) -> _Group | None:
        """The household of this row: by its number, or by building and door."""
        if not draft.household:
            if not (draft.building and draft.door):
                return None
            address = _address(draft.building, draft.door)
            new = _Group("d" + "/".join(address), draft.number, draft.building, draft.door)
            group = self.by_door.setdefault(address, new)
        else:
            group = self.by_number[_number_key(draft)]
            address = _address(group.building, group.door)
            if draft.building and _address(draft.building, draft.door) != address:
                draft.say(Field.HOUSEHOLD, "home_differs", row=group.row)
            draft.building, draft.door = group.building, group.door
            if not (group.building and group.door):
                return group
            first = self.by_door.setdefault(address, group)
            if first is not group:
                if not group.members:
                    draft.say(Field.HOUSEHOLD, "door_shared", row=first.row)
                return group
        found = self.town.buildings.get(address[0], [])
        if len(found) == 1:
            group.home = self.town.homes.get((found[0][0], address[1]))
        return group

    def _is_known(self, draft: Draft, building_id: int | None) -> bool:
        if not draft.name:
            return False
        found = who_is(self.town, draft, building_id)
        if found is not None and folded(found) != folded(draft.name):
            draft.say(Field.ID_NUMBER, "id_other_name", other=text.mask_name(found))
            return False
        return found is not None

    def _twice(self, draft: Draft, building_id: int | None) -> None:
        """The same person above: by ID number, by phone and name, or by name, building and door."""
        name = folded(draft.name)
        if draft.id_number:
            row, other = self.ids.setdefault(draft.id_number, (draft.number, name))
            if row != draft.number:
                draft.say(Field.ID_NUMBER, "twice" if other == name else "id_twice", row=row)
                return
        keys: list[tuple[str, ...]] = []
        plain = draft.name
        if draft.phone:
            keys.append(("phone", draft.phone, plain))
        if building_id is not None and (draft.door or not (draft.phone or draft.id_number)):
            keys.append(("door", str(building_id), door_key(draft.door), plain))
        rows = [self.seen.setdefault(key, draft.number) for key in keys]
        above = next((row for row in rows if row != draft.number), None)
        if above is not None:
            draft.say(Field.NAME, "twice", row=above)

    def _in_group(self, draft: Draft, group: _Group) -> None:
        for row, name, phone in group.members:
            if differing := _one_apart(draft.name, name, is_same_phone=bool(phone) and phone == draft.phone):
                one, two = differing
                shown = text.mask_name(name)
                draft.say(Field.NAME, "near_names", row=row, other=shown, one=one, two=two)
                break
        for name in sorted(group.home.names) if group.home else ():
            if differing := _one_apart(draft.name, name, is_same_phone=False):
                one, two = differing
                draft.say(Field.NAME, "near_known", other=text.mask_name(name), one=one, two=two)
                break
        group.members = [*group.members, (draft.number, draft.name, draft.phone)]
        if not draft.is_head:
            return
        if group.head_row:
            draft.say(Field.RELATION, "head_twice", row=group.head_row)
        elif group.home is not None and group.home.head:
            draft.say(Field.RELATION, "head_taken", other=group.home.head)
        else:
            group.head_row = draft.number

    def _ask_for_heads(self, drafts: Mapping[int, Draft]) -> None:
        """Where a file says who is whose, it should say who is the head: asked once a household, at its first row."""
        for group in {id(one): one for one in (*self.by_number.values(), *self.by_door.values())}.values():
            if not group.head_row and group.home is None and len(group.members) > 1:
                drafts[group.members[0][0]].say(Field.RELATION, "head_missing")


class _Placed(msgspec.Struct):
    draft: Draft
    group: _Group | None
    building_id: int | None
    tag_ids: list[int]
    is_known: bool


def _verdict(placed: _Placed) -> Verdict:
    draft = placed.draft
    state = _state(draft, is_known=placed.is_known)
    return Verdict(draft.number, state, draft.problems, _entry(placed) if state in {"good", "asked"} else None)


def _entry(placed: _Placed) -> Entry:
    draft, group = placed.draft, placed.group
    alone = f"r{draft.number}" if placed.building_id is not None else ""
    return Entry(
        name=draft.name,
        phone=draft.phone,
        id_number=draft.id_number,
        birth_year=draft.birth_year,
        sex=draft.sex,
        tag_ids=placed.tag_ids,
        publication=draft.publication,
        building_id=placed.building_id,
        door=draft.door,
        home=group.key if group is not None else alone,
        household_id=group.home.household_id if group is not None and group.home is not None else None,
        is_head=draft.is_head,
    )


def _number_key(draft: Draft) -> str:
    return "".join(text.search_key(draft.household).split())


def _address(building: str, door: str) -> tuple[str, str]:
    return building_key(building), door_key(door)


def _one_apart(name: str, other: str, *, is_same_phone: bool) -> tuple[str, str] | None:
    """The characters in which two names differ, if they are one person's as far as one can tell."""
    if name == other or len(name) != len(other):
        return None
    differing = [(one, two) for one, two in zip(name, other, strict=True) if one != two]
    is_alike = folded(name) == folded(other)
    return differing[0] if (is_same_phone and len(differing) == 1 and len(name) > 1) or is_alike else None


def _state(draft: Draft, *, is_known: bool) -> State:
    keys = {problem.key for problem in draft.problems}
    if is_known:
        return "known"
    if keys & FAULTS.keys():
        return "faulty"
    return "asked" if keys & QUESTIONS.keys() and not draft.accepted else "good"


def grave(problems: Iterable[Problem]) -> list[Problem]:
    """What keeps a row out: faults, and questions that nobody has answered."""
    return [problem for problem in problems if problem.key not in NOTES]


def unknown_buildings(verdicts: Iterable[tuple[str, int]]) -> Mapping[str, tuple[str, int]]:
    """By normal form, how a building that is not there is first written, and how many rows name it."""
    found: dict[str, tuple[str, int]] = {}
    for written, rows in verdicts:
        first, so_far = found.get(building_key(written), (written, 0))
        found[building_key(written)] = (first, so_far + rows)
    return found

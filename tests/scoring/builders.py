"""Items, tables and facts for the tests of this room, and strategies that make tables without fault."""

from datetime import date

import msgspec
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Counts, Facts, Item, PastAct, Period, Rounding, Scope, Table, TableKind
from pointsbank.scoring.rules_table import Finding, Hours, Increment, Level, Multiplier, Streak

DAY = date(2025, 3, 12)  # a Wednesday


def an_item(**changes):
    usual = {
        "code": "A01",
        "category": "环境",
        "name": "打扫楼道",
        "basis": Basis.PER_MINUTES,
        "points": 1,
        "evidence": "现场签到",
    }
    return Item(**usual | changes)


def a_table(*items, **changes):
    usual = {
        "name": "测试积分表",
        "place": "测试社区",
        "document": "测试办法",
        "kind": TableKind.SERVICE_HOURS,
        "items": items or (an_item(),),
    }
    return Table(**usual | changes)


def some_facts(**changes):
    return Facts(**{"day": DAY, "minutes": 130, "planned_minutes": 150} | changes)


def evaluated(item, facts=None, used=None, **table):
    return rules.evaluate(a_table(item, **table), item, facts or some_facts(), used or {})


def in_words(result):
    return [rules.told(step, "{} 分".format) for step in result.steps]


days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
LEVELS = (Level("一星", 5), Level("二星", 10))
CONDITIONS = ("门前干净", "垃圾分类", "邻里和睦")
FINDINGS = (Finding("乱堆乱放", 5), Finding("乱倒垃圾", 30))
NIGHT = Multiplier("夜间", 150, "22:00", "06:00")
HARD = Multiplier("难度高", 120)


def _growing(found):
    """Caps in their order, none smaller than one before it of the same sort: then none is beyond reach."""
    order = [(scope, period) for scope in Scope for period in Period]
    caps, reached = [], {}
    for scope, period, counts, most in sorted(found, key=lambda cap: order.index(cap[:2])):
        reached[counts] = max(reached.get(counts, 0), most)
        if period is not Period.ACT or (scope is Scope.PERSON and counts is Counts.POINTS):
            caps.append(Cap(scope, period, **{counts: reached[counts]}))
    return tuple(caps)


def some_caps(*counted):
    cap = st.tuples(st.sampled_from(Scope), st.sampled_from(Period), st.sampled_from(counted), st.integers(1, 60))
    return st.lists(cap, max_size=5, unique_by=lambda cap: cap[:3]).map(_growing)


caps = some_caps(Counts.POINTS)
facts = st.builds(
    Facts,
    day=days,
    minutes=st.integers(0, 900),
    planned_minutes=st.integers(0, 900),
    quantity=st.integers(0, 30),
    began_minute=st.integers(0, 1439),
    metres=st.integers(0, 3000),
    level=st.sampled_from([level.name for level in LEVELS]),
    marks=st.sampled_from([(), ("难度高",)]),
    met=st.lists(st.sampled_from(CONDITIONS), unique=True).map(tuple),
    faults=st.lists(st.sampled_from([finding.name for finding in FINDINGS]), unique=True).map(tuple),
    streak=st.none() | st.integers(0, 15),
)
extras = st.fixed_dictionaries(
    {},
    optional={
        "multiplier_percent": st.sampled_from([80, 150, 200, 500]),
        "multipliers": st.sampled_from([(NIGHT,), (NIGHT, HARD)]),
        "multipliers_combine": st.sampled_from(["product", "highest", "sum"]),
        "increments": st.sampled_from([(Increment("metres", 500, 100, 1),), (Increment("quantity", 2, 3, 2),)]),
        "streak": st.sampled_from([Streak(7, 4), Streak(3, percent=200)]),
        "end_rounding": st.sampled_from(["down", "half_up", "up"]),
        "points_min_per_act": st.integers(1, 5),
        "minutes_min": st.sampled_from([1, 15]),
        "metres_min": st.just(500),
        "share_min_percent": st.just(60),
        "quantity_min": st.just(2),
        "hours": st.sampled_from([Hours("06:00", "22:00"), Hours("20:00", "04:00")]),
    },
)


COMMON = (Basis.PER_MINUTES, Basis.PER_TIME, Basis.PER_ITEM)


@st.composite
def items(draw, code="A01", bases=tuple(Basis), more=extras):
    basis, own_caps = draw(st.sampled_from(bases)), draw(caps if more is not extras else some_caps(*Counts))
    own = {"points": draw(st.integers(0, 30))}
    match basis:
        case Basis.PER_MINUTES:
            block = draw(st.sampled_from([1, 15, 60, 240]))
            most = draw(st.none() | st.integers(max(block, 15), 1440))
            own |= {"block_minutes": block, "rounding": draw(st.sampled_from(Rounding)), "minutes_max_per_act": most}
        case Basis.PER_DISTANCE:
            own |= {"block_metres": draw(st.sampled_from([1, 100])), "rounding": draw(st.sampled_from(Rounding))}
        case Basis.PER_LEVEL:
            own = {"points": None, "levels": LEVELS}
        case Basis.PER_CONDITIONS:
            own = {"points": None, "conditions": CONDITIONS, "points_by_met": (1, 2, 4)}
        case Basis.FULL_SCORE:
            own |= {"faults": FINDINGS}
    given = draw(more)
    if more is extras and own.get("rounding") is Rounding.EXACT and draw(st.booleans()):
        own["remainder"] = "carry"
        given.pop("end_rounding", None)
    if basis is not Basis.PER_MINUTES:  # nothing else counts minutes
        own_caps = tuple(cap for cap in own_caps if cap.counts is not Counts.MINUTES)
    return an_item(code=code, basis=basis, caps=own_caps, **own, **given)


def within_reach(caps_of_table, made):
    """Caps of a table below which lie all those of its items."""
    highest = max((cap.points or 0 for item in made for cap in item.caps), default=0)
    return tuple(msgspec.structs.replace(cap, points=max(cap.most, highest)) for cap in caps_of_table)


@st.composite
def tables(draw, **of_items):
    codes = draw(st.lists(st.sampled_from(["A01", "A02", "B01"]), min_size=1, unique=True))
    made = [draw(items(code, **of_items)) for code in codes]
    return a_table(*made, caps=within_reach(draw(caps), made))


def sheet_tables():
    """What a sheet carries whole."""
    return tables(bases=COMMON, more=st.just({}))


@st.composite
def histories(draw):
    table = draw(tables())
    codes = [item.code for item in table.items]
    ids = st.integers(1, 2)
    act = st.builds(
        PastAct,
        item_code=st.sampled_from(codes),
        facts=facts,
        person_id=ids,
        household_id=ids,
        building_id=ids,
    )
    return table, draw(st.lists(act, max_size=12))

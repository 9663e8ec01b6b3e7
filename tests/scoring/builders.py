"""Items, tables and facts for the tests of this room, and strategies that make tables without fault."""

from datetime import date

from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Facts, Item, PastAct, Period, Rounding, Scope, Table, TableKind

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
    told = []
    for step in result.steps:
        amounts = {name: f"{step.facts[name]} 分" for name in rules.POINT_FACTS & step.facts.keys()}
        told.append(rules.EXPLANATIONS[step.key].format(**{**step.facts, **amounts}))
    return told


days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
caps = st.lists(
    st.builds(Cap, scope=st.sampled_from(Scope), period=st.sampled_from(Period), points=st.integers(1, 60)),
    max_size=5,
    unique_by=lambda cap: (cap.scope, cap.period),
).map(lambda found: tuple(cap for cap in found if cap.period is not Period.ACT or cap.scope is Scope.PERSON))
facts = st.builds(
    Facts,
    day=days,
    minutes=st.integers(0, 900),
    planned_minutes=st.integers(0, 900),
    quantity=st.integers(0, 30),
)


@st.composite
def items(draw, code="A01"):
    basis = draw(st.sampled_from(Basis))
    timed = {}
    if basis is Basis.PER_MINUTES:
        block = draw(st.sampled_from([1, 15, 60, 240]))
        timed = {
            "block_minutes": block,
            "rounding": draw(st.sampled_from(Rounding)),
            "minutes_max_per_act": draw(st.none() | st.integers(max(block, 15), 1440)),
        }
    return an_item(
        code=code,
        basis=basis,
        points=draw(st.integers(1, 30)),
        multiplier_percent=draw(st.sampled_from([100, 200, 500])),
        minutes_min=draw(st.sampled_from([0, 0, 1, 15])),
        share_min_percent=draw(st.sampled_from([0, 0, 60])),
        quantity_min=draw(st.sampled_from([1, 1, 2])),
        caps=draw(caps),
        **timed,
    )


@st.composite
def tables(draw):
    codes = draw(st.lists(st.sampled_from(["A01", "A02", "B01"]), min_size=1, unique=True))
    return a_table(*[draw(items(code)) for code in codes], caps=draw(caps))


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

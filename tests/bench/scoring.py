"""How many acts the rules of scoring work out in a second of the processor, with caps and extras as schemes have."""

import time
from datetime import date

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Facts, Item, Period, Scope, Table, TableKind
from pointsbank.scoring.rules_table import Increment, Multiplier

ACTS = 20_000
BY_THE_HOUR = Item(
    code="A01",
    category="志愿服务",
    name="志愿服务时长",
    basis=Basis.PER_MINUTES,
    points=1,
    evidence="现场签到",
    caps=(Cap(Scope.PERSON, Period.DAY, 6), Cap(Scope.HOUSEHOLD, Period.MONTH, 60)),
)
RIVER_WALK = Item(
    code="B01",
    category="巡河",
    name="巡河",
    basis=Basis.PER_TIME,
    points=2,
    evidence="路线和照片",
    minutes_min=20,
    metres_min=500,
    increments=(Increment("metres", 500, 100, 1),),
    multipliers=(Multiplier("夜间", 150, "22:00", "06:00"),),
    caps=(Cap(Scope.PERSON, Period.DAY, 10), Cap(Scope.PERSON, Period.DAY, times=2)),
)
TABLE = Table(
    name="量速度的积分表",
    place="测试社区",
    document="测试办法",
    kind=TableKind.SERVICE_HOURS,
    items=(BY_THE_HOUR, RIVER_WALK),
    caps=(Cap(Scope.PERSON, Period.DAY, 45), Cap(Scope.PERSON, Period.MONTH, 1350)),
)


def acts_a_second() -> float:
    facts = Facts(date(2025, 3, 12), 130, 150, began_minute=1380, metres=1200)
    counted = [dict.fromkeys(rules.caps_of(TABLE, item, facts.day), 1) for item in TABLE.items]
    began = time.process_time()
    for _ in range(ACTS // 2):
        for item, used in zip(TABLE.items, counted, strict=True):
            rules.evaluate(TABLE, item, facts, used)
    return ACTS / (time.process_time() - began)

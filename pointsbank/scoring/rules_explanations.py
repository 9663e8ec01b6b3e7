"""What every step of the arithmetic says to a resident. A key outlives its use: awards keep their steps."""

from collections.abc import Callable

import msgspec

from pointsbank.scoring.rules_table import Counts, Period, Scope
from pointsbank.scoring.rules_words import WORDS, Say

Amount = Callable[[int], str]


class Step(msgspec.Struct, frozen=True):
    """One line of the explanation: EXPLANATIONS[key] and `facts`, of which POINT_FACTS are amounts; `told` joins them.

    `points` are those left after it, whole; a fraction on the way is rounded by a step of its own.
    """

    key: str
    facts: dict[str, str | int]
    points: int


KEYS = {Counts.POINTS: "cap", Counts.TIMES: "times", Counts.MINUTES: "minutes"}
_MOST = (
    (Counts.POINTS, "最多 {most}"),
    (Counts.TIMES, "最多 {most_times} 次"),
    (Counts.MINUTES, "最多算 {most_minutes} 分钟"),
)
_BY_BLOCKS = (
    ("none", "{time}，不满 {block}，还差 {missing}，不计分"),
    ("none_half", "{time}，不满 {block}的一半，不计分"),
    ("down", "{time}，每满 {block}记 {value}，满了 {blocks} 个"),
    ("half_up", "{time}，每 {block}记 {value}，剩下的满一半也算，一共 {blocks} 个"),
    ("up", "{time}，每 {block}记 {value}，剩下的不满也算，一共 {blocks} 个"),
    ("exact", "{time}，每 {block}记 {value}，按比例算"),
)

# How much was done, each in its own unit.
ONCE = "1 次"
PIECES = "{quantity} 个"
COUNTED = "{quantity} {counted}"
CONDITIONS_MET = "做到 {count} 条"

EXPLANATIONS: dict[str, str] = {
    "share_too_small": "参加了 {minutes} 分钟，不到整场 {planned} 分钟的 {percent}%，不计分",
    "too_short": "参加了 {minutes} 分钟，最少要 {least} 分钟才计分",
    "too_near": "走了 {metres}，最少要 {least}才计分",
    "too_few": "数量是 {quantity}，最少要 {least} 才计分",
    "household_has_it": "这件事一户只记 {most_times} 次",
    "outside_hours": "{began} 开始的，{start} 到 {end} 之间开始才计分",
    "advised": "{months} 个月里第 {count} 次发现，先劝导，不扣分",
    "warned": "{months} 个月里第 {count} 次发现，先警告，不扣分",
    "deducted": "{months} 个月里第 {count} 次发现，前面劝导、警告过了，这次扣分",
    "found_once": "发现 1 次，扣 {value}",
    "found": "发现 {quantity} 处，每处扣 {value}",
    "found_counted": "发现 {quantity} {counted}，每{counted}扣 {value}",
    "fixed": "这一项可以记 {low}到 {high}，评议定为 {value}",
    "fixed_above": "这一项最少记 {least_points}，评议定为 {value}",
    "multiplied": "按 {percent}% 算，{before}变成 {value}",
    "multiplied_parts": "按 {percent}% 算",
    "named": "“{name}”按 {percent}% 算",
    "named_none": "因为“{name}”，这次不计分",
    "named_highest": "几种情况同时有，只算最高的“{name}”，按 {percent}% 算",
    "named_sum": "“{name}”加在一起，按 {percent}% 算",
    **{f"{start}_{ending}": words for start in ("hours", "minutes", "metres") for ending, words in _BY_BLOCKS},
    "no_minutes": "没有可以算的时间",
    "per_time": f"做了 {ONCE}，记 {{value}}",
    "per_item": f"{PIECES}，每个记 {{value}}",
    "per_counted": f"{COUNTED}，每{{counted}}记 {{value}}",
    "per_level": "{level}，记 {value}",
    "per_conditions": f"{CONDITIONS_MET}（{{met}}），记 {{value}}",
    "per_conditions_most": f"{CONDITIONS_MET}（{{met}}），最多按 {{counts}} 条算，记 {{value}}",
    "met_too_few": f"{CONDITIONS_MET}（{{met}}），最少要做到 {{least_met}} 条才计分",
    "met_none": "一条也没有做到，不计分",
    "full_score": "满分 {value}",
    "faulted": "{name}，减 {less}",
    "faulted_to_zero": "{name}，减 {less}，减到 0 为止",
    "increment_minutes": "超过 {above} 分钟的部分，每满 {every} 分钟加 {each}，满了 {steps} 个，加 {added}",
    "increment_metres": "超过 {above}的部分，每满 {every}加 {each}，满了 {steps} 个，加 {added}",
    "increment_quantity": "超过 {above} 个的部分，每满 {every} 个加 {each}，加了 {steps} 次，共 {added}",
    "increment_minutes_none": "超过 {above} 分钟的部分只有 {over} 分钟，不满 {every} 分钟，不加分",
    "increment_metres_none": "超过 {above}的部分只有 {over}，不满 {every}，不加分",
    "increment_quantity_none": "超过 {above} 个的部分只有 {over} 个，不满 {every} 个，不加分",
    "streak_goes_on": "连着第 {count} 次，到第 {next} 次多记分",
    "streak_again": "连着做的次数，同一天（同一周、同一月）只算一次，这次不另算",
    "streak_too_little": "这次不满 {one}，不算连着的一次",
    "streak_points": "连着第 {count} 次，每连着 {length} 次加 {added}",
    "streak_percent": "连着第 {count} 次，每连着 {length} 次的那一次按 {percent}% 算",
    "rounded_down": "不满 {one}的零头（{rest}/{parts}）不算",
    "rounded_half_up": "不满 {one}的零头（{rest}/{parts}），满一半算 {one}，不满一半不算",
    "rounded_up": "不满 {one}的零头（{rest}/{parts}）也算 {one}",
    "brought": "加上以前留下的零头（{one}的 {rest}/{parts}）",
    "owed": "以前的一条记录退回了，先扣掉它的零头（{one}的 {rest}/{parts}）",
    "kept": "不满 {one}的零头（{rest}/{parts}）留到下次",
    "raised": "一次最少记 {least_points}，补上 {added}",
    "minutes_max": "一次最多算 {most_minutes} 分钟",
    "cap_item_act": "这一项一次最多 {most}",
    "cap_table_act": "一次最多 {most}",
    **{
        f"{KEYS[counts]}_{level}_{scope}_{period}": f"{what}{WORDS[scope]}{WORDS[period]}{most}"
        for counts, most in _MOST
        for level, what in (("item", "这一项"), ("table", "所有项目加起来，"))
        for scope in Scope
        for period in Period
        if period is not Period.ACT
    },
}
# How a cap goes on, by the fact that names its limit: what was counted before, where there was any, and what is over.
BEFORE = {"most": "前面已有 {used}", "most_times": "前面已有 {had} 次", "most_minutes": "前面已算 {had} 分钟"}
OVER = {
    "most": "超过的 {clipped}不算",
    "most_times": "这次的 {clipped}不算",
    "most_minutes": "超过的时间不算，少 {clipped}",
}
# How a limit of time goes on: how much of the time counts, and by how much less that is. Awards of before have OVER.
TIME_LEFT = "这次的 {came}只算 {left_minutes}"
NO_TIME_LEFT = "这次的 {came}都不算"
LESS = "少 {clipped}"
# How blocks and increments go on where something is left over that fills none.
LEFT = "剩下的 {left}不算"
LEFT_HALF = "剩下的 {left}不到一半，不算"
LENGTHS = {"km": "{n} 千米", "m": "{n} 米"}
METRES = ("metres", "block", "least", "above", "every", "over")
SPANS = {"both": "{hours} 小时 {minutes} 分钟", "hours": "{n} 小时", "minutes": "{n} 分钟"}
# Amounts, in the smallest unit.
POINT_FACTS = frozenset(
    (
        "low",
        "high",
        "value",
        "before",
        "most",
        "used",
        "clipped",
        "less",
        "each",
        "added",
        "one",
        "least_points",
    )
)


def told(step: Step, amount: Amount, say: Say = str.format) -> str:
    """A step in words, the same wherever it is read; `amount` writes points, `say` translates."""
    facts: dict[str, str | int] = dict(step.facts)
    facts |= {name: amount(int(facts[name])) for name in POINT_FACTS & facts.keys()}
    if {"minutes", "block"} <= facts.keys():
        minutes, block = int(facts.get("hours", 0)) * 60 + int(facts["minutes"]), int(facts["block"])
        facts |= {"time": span(minutes, say), "block": span(block, say), "missing": span(max(0, block - minutes), say)}
    if "metres" in facts or step.key.startswith("increment_metres"):
        missing = max(0, int(facts.get("block", 0)) - int(facts.get("metres", 0)))
        facts |= {name: length(int(facts[name]), say) for name in METRES if name in facts}
        facts |= {"time": facts.get("metres", ""), "missing": length(missing, say)}
    clauses = [EXPLANATIONS[step.key]]
    if "came" in facts:
        clauses += _time_left(step)
        facts |= {name: span(int(step.facts[name]), say) for name in ("came", "left_minutes")}
    elif "clipped" in facts:
        limit = next(name for name in OVER if name in facts)
        had_before = step.facts.get("used", 0) or step.facts.get("had", 0)
        clauses += [BEFORE[limit], OVER[limit]] if had_before else [OVER[limit]]
    if "left" in facts:
        facts["left"] = _left(step, say)
        clauses.append(LEFT_HALF if step.key.endswith("_half_up") else LEFT)
    return say("，").join(say(clause, **facts) for clause in clauses)


def _time_left(step: Step) -> list[str]:
    clauses = [BEFORE["most_minutes"]] if step.facts.get("had") else []
    clauses.append(TIME_LEFT if step.facts["left_minutes"] else NO_TIME_LEFT)
    return [*clauses, LESS] if "clipped" in step.facts else clauses


def _left(step: Step, say: Say) -> str:
    left = int(step.facts["left"])
    if step.key == "increment_quantity":
        return say(PIECES, quantity=left)
    return length(left, say) if "metres" in step.key else span(left, say)


def length(metres: int, say: Say = str.format) -> str:
    """As people say it: 800 米, 3 千米, 3.2 千米."""
    if metres < 1_000:
        return say(LENGTHS["m"], n=metres)
    return say(LENGTHS["km"], n=f"{metres // 1_000}.{metres % 1_000:03}".rstrip("0").rstrip("."))


def span(minutes: int, say: Say = str.format) -> str:
    """2 小时 16 分钟, 45 分钟."""
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return say(SPANS["both"], hours=hours, minutes=rest)
    return say(SPANS["hours"], n=hours) if hours else say(SPANS["minutes"], n=rest)

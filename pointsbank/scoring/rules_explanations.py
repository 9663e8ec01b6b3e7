"""What every step of the arithmetic says to a resident. A key outlives its use: awards keep their steps."""

from collections.abc import Callable

import msgspec

from pointsbank.scoring.rules_table import Counts, Period, Scope
from pointsbank.scoring.rules_words import WORDS

Amount = Callable[[int], str]


class Step(msgspec.Struct, frozen=True):
    """One line of the explanation: EXPLANATIONS[key] filled from `facts`, of which POINT_FACTS are written as amounts.

    `points` are those left after it, whole; a fraction on the way is rounded by a step of its own.
    """

    key: str
    facts: dict[str, str | int]
    points: int


_COUNTED = {
    Counts.POINTS: ("cap", "最多 {most}，此前已记 {used}，这次少记 {clipped}"),
    Counts.TIMES: ("times", "最多 {most_times} 次，此前已有 {had} 次，这次少记 {clipped}"),
    Counts.MINUTES: ("minutes", "最多计 {most_minutes} 分钟，此前已计 {had} 分钟，这次少记 {clipped}"),
}
KEYS = {counts: start for counts, (start, _) in _COUNTED.items()}

EXPLANATIONS: dict[str, str] = {
    "share_too_small": "参加 {minutes} 分钟，不满活动（{planned} 分钟）的 {percent}%，不计分",
    "too_short": "参加 {minutes} 分钟，不满最少的 {least} 分钟，不计分",
    "too_near": "走了 {metres} 米，不满最少的 {least} 米，不计分",
    "too_few": "数量 {quantity}，不到最少的 {least}，不计分",
    "household_has_it": "这件事一户只记 {most_times} 次，同一户已经记过 {had} 次，这次少记 {clipped}",
    "outside_hours": "{began} 开始，不在 {start} 到 {end} 之间，不计分",
    "advised": "{months} 个月内第 {count} 次，先劝导，不扣分",
    "warned": "{months} 个月内第 {count} 次，先警告，不扣分",
    "deducted": "{months} 个月内第 {count} 次，前面已经劝导、警告过，这次扣分",
    "fixed": "这一项 {low}到 {high}，评议定为 {value}",
    "fixed_above": "这一项最少 {least_points}，评议定为 {value}",
    "multiplied": "按 {percent}% 计，{before}变为 {value}",
    "multiplied_parts": "按 {percent}% 计",
    "named": "“{name}”按 {percent}% 计",
    "named_none": "因为“{name}”，这次不计分",
    "named_highest": "几个系数同时有，取最高的“{name}”，按 {percent}% 计",
    "named_sum": "“{name}”的系数加在一起，按 {percent}% 计",
    "hours_none": "{hours} 小时 {minutes} 分钟，不满 {block} 分钟，不计分",
    "minutes_none": "{minutes} 分钟，不满 {block} 分钟，不计分",
    "metres_none": "{metres} 米，不满 {block} 米，不计分",
    "hours_down": "{hours} 小时 {minutes} 分钟，每满 {block} 分钟记 {value}：满了 {blocks} 次",
    "minutes_down": "{minutes} 分钟，每满 {block} 分钟记 {value}：满了 {blocks} 次",
    "hours_half_up": "{hours} 小时 {minutes} 分钟，每 {block} 分钟记 {value}，满一半也算：{blocks} 次",
    "minutes_half_up": "{minutes} 分钟，每 {block} 分钟记 {value}，满一半也算：{blocks} 次",
    "hours_up": "{hours} 小时 {minutes} 分钟，每 {block} 分钟记 {value}，不满也算：{blocks} 次",
    "minutes_up": "{minutes} 分钟，每 {block} 分钟记 {value}，不满也算：{blocks} 次",
    "hours_exact": "{hours} 小时 {minutes} 分钟，每 {block} 分钟 {value}，按比例算",
    "minutes_exact": "{minutes} 分钟，每 {block} 分钟 {value}，按比例算",
    "metres_down": "{metres} 米，每满 {block} 米记 {value}：满了 {blocks} 次",
    "metres_half_up": "{metres} 米，每 {block} 米记 {value}，满一半也算：{blocks} 次",
    "metres_up": "{metres} 米，每 {block} 米记 {value}，不满也算：{blocks} 次",
    "metres_exact": "{metres} 米，每 {block} 米 {value}，按比例算",
    "per_time": "做完 1 次，{value}",
    "per_item": "数量 {quantity}，每个 {value}",
    "per_counted": "{quantity} {counted}，每{counted} {value}",
    "per_level": "{level}，{value}",
    "per_conditions": "做到 {count} 条（{met}），{value}",
    "met_none": "一条也没有做到，不计分",
    "full_score": "满分 {value}",
    "faulted": "{name}，减 {less}",
    "faulted_to_zero": "{name}，减 {less}，减到 0 为止",
    "increment_minutes": "超过 {above} 分钟的部分，每满 {every} 分钟加 {each}：{steps} 次，加 {added}",
    "increment_metres": "超过 {above} 米的部分，每满 {every} 米加 {each}：{steps} 次，加 {added}",
    "increment_quantity": "超过 {above} 个的部分，每满 {every} 个加 {each}：{steps} 次，加 {added}",
    "streak_points": "连续第 {count} 次，每连续 {length} 次加 {added}",
    "streak_percent": "连续第 {count} 次，每连续 {length} 次的那一次按 {percent}% 计",
    "rounded_down": "不满 {one}的零头（{rest}/{parts}）不算",
    "rounded_half_up": "不满 {one}的零头（{rest}/{parts}），满一半算 {one}，不满一半不算",
    "rounded_up": "不满 {one}的零头（{rest}/{parts}）也算 {one}",
    "brought": "加上以前留下的、不满 {one}的零头（{rest}/{parts}）",
    "owed": "以前的记录退回了，先扣去零头 {one}的 {rest}/{parts}",
    "kept": "不满 {one}的零头（{rest}/{parts}）留到下次",
    "raised": "一次最少记 {least_points}，补 {added}",
    "minutes_max": "一次最多计 {most_minutes} 分钟，这次少记 {clipped}",
    "cap_item_act": "这一项一次最多 {most}，这次少记 {clipped}",
    "cap_table_act": "一次最多 {most}，这次少记 {clipped}",
    **{
        f"{start}_{level}_{scope}_{period}": f"{what}{WORDS[scope]}{WORDS[period]}{words}"
        for start, words in _COUNTED.values()
        for level, what in (("item", "这一项"), ("table", "全部项目合计"))
        for scope in Scope
        for period in Period
        if period is not Period.ACT
    },
}
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


def told(step: Step, amount: Amount) -> str:
    """A step in Chinese; `amount` writes points."""
    amounts = {name: amount(int(step.facts[name])) for name in POINT_FACTS & step.facts.keys()}
    return EXPLANATIONS[step.key].format(**{**step.facts, **amounts})

"""The words of what is wrong with the file of a scoring table."""

from typing import Any

from pointsbank.scoring import rules_table as tables

# `name` is what people call a key; `path` says in which piece it stands, where it does in one.
WRONG = {
    "unknown": "{path}不认识“{key}”这个键。请对照说明检查拼写。",
    "missing": "缺少 {path}{key}（{name}）。请补上。",
    "items": "积分项要写成一段一段的 [[items]]。",
    "sort": "{path}{key}（{name}） 应是{sort}。",
    "too_large": "文件太大，最多 {most} 个字。",
    "too_long": "这一行太长，最多 {most} 个字。请分成几行。",
    "too_deep": "括号套得太深。请检查方括号和花括号。",
    "syntax": "写法不对。请检查引号、等号和括号。",
}
NTH_ITEM = "第 {number} 项"
IN_PIECE = "{path}{key}（{name}） 的 "
IN_ENTRY = "{path}{key}（{name}） 第 {number} 个的 "
NAMED = "第 {line} 行：{message}"
# What tomllib says, and what it means.
KNOWN = {
    "Cannot overwrite a value": "同一个键写了两次。请留一个。",
    "Unterminated string": "引号没有成对。请补上。",
    "Illegal character": "有看不见的字符，或文字没有写完引号就换行了。",
    "Invalid value": "等号后面的写法不对。文字要加英文引号，数字不加。",
    "Unclosed array": "方括号没有成对。请补上。",
    "Expected '=' after a key": "键的后面要有等号。",
}
# What a value has to be.
SIMPLE: dict[Any, str] = {
    str: "引号里的文字",
    int: "整数，不加引号",
    bool: "true 或 false",
    tuple[str, ...]: '一串引号里的文字：["…", "…"]',
    tuple[int, ...]: "一串整数：[1, 2, 4]",
}
ONE_OF = "下列之一：{names}"
EITHER = "{first} 或 {last}"
ROWS_LIKE = "这样的一串：[{example}]"
ROW_OF = '这样的一串：["{example}"]，可以写的有 {sort}'
LIKE = "这样：{example}"
# In no language, and never filled: braces stand in them.
EXAMPLES: dict[Any, str] = {
    tables.Validity: '{ kind = "never" } / { kind = "year_end" } / { kind = "months", months = 18 } '
    '/ { kind = "years", years = 3 }',
    tables.Cap: '{ scope = "person", period = "day", points = 45 }',
    tables.Level: '{ name = "…", points = 20 }',
    tables.Finding: '{ name = "…", points = 5 }',
    tables.Increment: '{ measure = "metres", above = 500, every = 100, points = 1 }',
    tables.Streak: '{ length = 7, points = 4, period = "day" }',
    tables.Hours: '{ from = "06:00", to = "22:00" }',
    tables.Multiplier: '{ name = "…", percent = 150, from = "22:00", to = "06:00" }',
    tables.Panel: "{ members = 5, agree = 3 }",
    tables.Process: "{ advice = 1, warnings = 1, within_months = 12 }",
    tables.Base: '{ points = 60, each = "once", spend_above = 60 }',
    tables.Veto: '{ code = "V01", name = "…", consequence = "no_redemption", bar_months = 3, '
    'ground = "…", make_good = "…" }',
    tables.Star: '{ name = "…", from_minutes = 6000, benefits = "…" }',
}

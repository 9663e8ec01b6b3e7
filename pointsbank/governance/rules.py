"""Who may not decide."""

from pointsbank.kit.errors import Kind, Refusal

RULING_LETTERS_MAX = 200


class OwnMatter(Refusal):
    kind = Kind.FORBIDDEN
    code = "governance.own_matter"
    message = "这是你自己或同一户家人的事，不能由你来定。请另一位管理员来做。"


class OwnRecord(Refusal):
    kind = Kind.FORBIDDEN
    code = "governance.own_record"
    message = "这件异议是你记下的，不能由你来答复。请另一位管理员来做。"

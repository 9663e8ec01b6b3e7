"""Tables of counters and orders."""

from tortoise import fields
from tortoise.models import Model


class Outlet(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    name = fields.TextField()
    hours = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "redemption_outlet"


class Counter(Model):
    id = fields.BigIntField(primary_key=True)
    outlet_id = fields.BigIntField()
    community_id = fields.BigIntField()
    name = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "redemption_counter"


class Visit(Model):
    id = fields.BigIntField(primary_key=True)
    counter_id = fields.BigIntField()
    staff_id = fields.BigIntField()
    person_id = fields.BigIntField()
    account_id = fields.BigIntField()
    code_kind = fields.TextField()
    card_id = fields.BigIntField(null=True)
    opened_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "redemption_visit"


class Order(Model):
    id = fields.BigIntField(primary_key=True)
    counter_id = fields.BigIntField()
    outlet_id = fields.BigIntField()
    community_id = fields.BigIntField()
    visit_id = fields.BigIntField()
    staff_id = fields.BigIntField()
    person_id = fields.BigIntField()
    account_id = fields.BigIntField()
    entry_id = fields.BigIntField(null=True)
    points = fields.BigIntField()
    balance_after = fields.BigIntField(null=True)
    day = fields.DateField()
    state = fields.TextField()
    made_at = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)
    undo_reason = fields.TextField(null=True)

    class Meta:
        table = "redemption_order"


class OrderLine(Model):
    id = fields.BigIntField(primary_key=True)
    order_id = fields.BigIntField()
    good_id = fields.BigIntField()
    quantity = fields.BigIntField()
    points = fields.BigIntField()

    class Meta:
        table = "redemption_order_line"

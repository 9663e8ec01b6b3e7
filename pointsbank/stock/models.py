"""Tables of goods."""

from tortoise import fields
from tortoise.models import Model


class Good(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    outlet_id = fields.BigIntField()
    name = fields.TextField()
    unit = fields.TextField()
    barcode = fields.TextField()
    points = fields.BigIntField()
    monthly_max = fields.BigIntField(null=True)
    low_at = fields.BigIntField()
    stock = fields.BigIntField()
    state = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "stock_good"


class StockLot(Model):
    id = fields.BigIntField(primary_key=True)
    good_id = fields.BigIntField()
    source = fields.TextField()
    donor = fields.TextField()
    unit_value_cents = fields.BigIntField()
    best_before = fields.DateField()
    quantity = fields.BigIntField()
    remaining = fields.BigIntField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "stock_lot"


class StockMove(Model):
    id = fields.BigIntField(primary_key=True)
    good_id = fields.BigIntField()
    lot_id = fields.BigIntField()
    quantity = fields.BigIntField()
    kind = fields.TextField()
    source_id = fields.BigIntField()
    moved_at = fields.DatetimeField()

    class Meta:
        table = "stock_move"

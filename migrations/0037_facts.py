"""An act carries what a table counts beside its time: metres, a level, conditions, faults, marks, a value."""

from ._lib import HandWritten, sql


class Migration(HandWritten):
    dependencies = [("models", "0036_panels")]
    operations = [sql("ALTER TABLE awards_act ADD COLUMN facts TEXT NOT NULL DEFAULT ''")]

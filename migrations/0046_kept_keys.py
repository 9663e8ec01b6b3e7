"""A key that was taken stays taken: a repeat of its command would be another command."""

from ._lib import HandWritten, forbid


class Migration(HandWritten):
    dependencies = [("models", "0045_sealed_limit")]
    operations = [forbid("command", "DELETE", "1 = 1", "kept")]

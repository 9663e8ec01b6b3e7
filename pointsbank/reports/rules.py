"""What holds for every view across rooms."""

GROUP_MIN = 5
"""Fewer people than this are not shown as a number: somebody could be told from it."""

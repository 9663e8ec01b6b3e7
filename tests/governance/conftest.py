"""Neighbours who earn points, and a counter where they spend them, for the tests of this room."""

from tests.awards.neighbours import families, neighbours, world
from tests.governance.limits import own_till, till

__all__ = ["families", "neighbours", "own_till", "till", "world"]

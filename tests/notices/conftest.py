"""Neighbours who earn points, for the tests of this room."""

from tests.awards.neighbours import families, neighbours, world

__all__ = ["families", "neighbours", "world"]

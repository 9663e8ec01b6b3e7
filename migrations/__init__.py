"""Schema history, one line of numbered files: hand-written SQL, and the models' state for the drift check.

After a change of a model and of its table's SQL, run `python -m migrations._state` (until the first release).
"""

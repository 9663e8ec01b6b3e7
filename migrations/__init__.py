"""Schema history, one line of numbered files: hand-written SQL, and the models' state for the drift check."""

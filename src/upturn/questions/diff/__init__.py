"""diff: what emerged, moved or vanished between two results."""

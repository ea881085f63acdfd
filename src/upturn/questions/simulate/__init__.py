"""simulate: tables whose truth is known."""

"""Speed: effective draws a second, and what they cost."""

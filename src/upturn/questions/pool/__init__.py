"""pool: tasks and families, partially pooled."""

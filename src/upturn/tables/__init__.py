"""Tables: files and data frames to checked results, curves and axes."""

"""Show: results as text, figures and reports."""

"""check: does the curve fit, and what does not?"""

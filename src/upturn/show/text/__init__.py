"""What people and programs read: tables for the terminal, Markdown, CSV, JSON.

Nothing here computes an answer; every module turns one that is there into text.
"""

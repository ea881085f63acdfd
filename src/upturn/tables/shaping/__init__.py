"""Shaping: tables as people keep them to one row a measurement under the schema's names.

`shape.shaped` is the way in; every step takes a frame of cells and gives one back with notes.
"""

"""What the commands of cli.py share: the edge of the program, options, saving and printing.

Nothing heavy is imported before a command runs, so that help is there at once.
"""

"""What the commands of cli.py share: options, input, output and errors.

Nothing heavy is imported before a command runs, so that help appears at once.
"""

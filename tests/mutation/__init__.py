"""Mutation testing: are there tests that notice when a number or an operator is wrong?"""

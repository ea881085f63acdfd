"""Accuracy: are answers right?"""

"""Experiments: many mixtures of one question tuned and measured alike, beside what the papers report.

Importing what runs from here needs the extra `tune`.
"""

"""Hypothesis without its per-example time limit: other work on the machine must fail no test."""

from hypothesis import settings

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

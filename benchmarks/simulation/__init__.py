"""Whole systems in a bad world: the real code on a virtual clock, seeded, by the thousand."""

"""How long warm state is worth keeping: gaps between its uses, and the lease that follows.

Pure. `gaps` learns how long resources lie idle; `keys` finds the history that speaks for a gap.
"""

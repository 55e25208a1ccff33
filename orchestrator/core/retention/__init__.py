"""How long warm state is worth keeping: gaps between its uses, and the lease that follows.

Pure. `gaps` learns how long resources lie idle, `keys` finds the history that speaks for a gap and
what a reload costs, `compose` derives a gap from predecessors that run; each gives a `curve`, that
says how long to keep. `uses` knows what the graph will use again; `warm_set` decides for a device.
"""

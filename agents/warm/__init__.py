"""What a device keeps warm between attempts: models, caches, servers, data sets.

`leases` and `pool` decide what is loaded and what is given up, `warming` which attempts wait for
it; all three are pure. `keeper` runs what loads and evicts: one of the `adapters` for each kind.
"""

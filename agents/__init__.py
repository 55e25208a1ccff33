"""The device side: skills, and the agent that runs them for orchestrators.

`skills` is what a device can do, `session` (pure) what it holds, `ledger` what outlives a crash,
`runtime` the shell that runs it all, `simulated` devices for tests and benchmarks.
"""

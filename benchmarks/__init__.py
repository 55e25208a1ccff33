"""Benchmarks in one form: seeded, with the commit, the machine and the goals beside every figure.

`frame` is the form, `cli` the command `muster bench`. A benchmark is a package or module that
holds one `Benchmark`; `cli.CATALOG` names it.
"""

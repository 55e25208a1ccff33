"""Many tasks over many kinds of devices: what comes of them, how fast, and under which faults.

A task is a folder that a person can read (`tasks/`): a request, the files, databases and pages it
is about, a reference playbook, and checkers that recompute the answer. `fleet` and `hardware` make
the devices, `stage` is where they run (processes around mosquitto, or one process on a virtual
clock), `play` plays one task there, and `benchmark` plays all of them. See `benchmarks/README.md`.
"""

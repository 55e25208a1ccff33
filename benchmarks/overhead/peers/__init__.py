"""Other systems on the graphs of `overhead`, beside ours over mosquitto, in turns.

Each system has one file that alone imports it, and only in a process of its own (`role`). `table`
lists them with what they promise; `measure` is the part of the benchmark.
"""

"""The shelf: baselines and special policies, one a file; settings choose one by name.

Each says its rule, where it comes from, what it promises, what a decision costs, and when to use
it; its test shows what it promises. All keep to the priority of a run first, place whatever there
is room for unless they say why not, and leave memory to the board.
"""

from orchestrator.planner.memory.outlines import clipped, outline
from orchestrator.planner.playbook import load

TEXT = """
name: n
description: d
tasks:
  - {id: a, skill: s, args: {x: 1, y: [b]}, device: nas}
  - {id: b, skill: t, for_each: {devices: {role: server}}, after: [a]}
  - {id: c, skill: t, for_each: {items: "${a.rows}"}, args: {i: "${item}"}, labels: {k: v}}
  - {id: e, skill: u, after: [{task: a, on: failure}, {task: b, when: {op: truthy}}]}
"""


def test_a_plan_is_told_in_one_line():
    assert outline(load(TEXT, "f").part) == (
        'a: s(x=1, y=["b"]) on nas;'
        " b: t() for each device with role=server after a;"
        ' c: t(i="${item}") with k=v for each item of ${a.rows};'
        " e: u() after a (on failure), b (if its output fits)"
    )


def test_what_is_long_is_cut():
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcd", 4) == "abcd"

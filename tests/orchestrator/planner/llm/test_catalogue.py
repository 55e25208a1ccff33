from orchestrator.planner import DeviceView
from orchestrator.planner.llm.catalogue import catalogue
from protocol.types import DeviceCard, Effect, SkillInfo

FLEET = [
    DeviceView(
        DeviceCard(
            f"d{n}",
            labels={"role": "edge"} if n % 2 else {},
            skills=(
                SkillInfo("everywhere.at_once"),
                *(
                    (SkillInfo("odd.one", "Say\nodd things.", effect=Effect.PURE),)
                    if n % 2
                    else ()
                ),
                *((SkillInfo("single.one"),) if n == 3 else ()),
            ),
        ),
        online=n != 1,
    )
    for n in range(20)
]


def lines(words="", fleet=FLEET):
    return [list(each.lines) for each in catalogue(fleet, words)]


def test_a_skill_says_where_it_is():
    skills, _ = lines()
    assert skills == [
        "- everywhere.at_once(anything) (once) → any: [everywhere]",
        "- odd.one(anything) → any: Say odd things. [on 10 devices: d1, d3, d5, d7, d9, d11, …]",
        "- single.one(anything) (once) → any: [on d3]",
    ]


def test_what_the_words_speak_of_comes_first_and_who_is_away_last():
    skills, devices = lines("the SINGLE one on d12")
    assert skills[0].startswith("- single.one")
    assert devices[0] == "- d12: no labels"
    assert devices[-1] == "- d1 (away): role=edge"


def test_a_crowd_is_also_told_by_its_labels():
    crowd = [DeviceView(DeviceCard(f"c{n}", labels={"role": f"r{n % 2}"})) for n in range(51)]
    _, devices = lines(fleet=crowd)
    assert devices[0] == "- 51 in all; most frequent labels: role=r0 (26), role=r1 (25)"
    assert len(devices) == 52


def test_one_device_and_none_have_their_words_too():
    assert lines(fleet=[DeviceView(DeviceCard("a", skills=(SkillInfo("s"),)))]) == [
        ["- s(anything) (once) → any: [on a]"],
        ["- a: no labels"],
    ]
    assert lines(fleet=[]) == [[], []]

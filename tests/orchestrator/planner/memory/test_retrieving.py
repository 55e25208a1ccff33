import pytest

from orchestrator.planner.memory.retrieving import THRESHOLD, Known, Source, ranked
from orchestrator.planner.memory.sampling import sample
from orchestrator.planner.memory.works import began
from orchestrator.planner.playbook import PlaybookPlanner, load
from tests.orchestrator.planner.memory.runs import finished, plan, task

SHIPPED = [Known.of_playbook(each) for each in PlaybookPlanner().playbooks.values()]
ASKED = {
    "please make a backup of my photos to the nas": "backup",
    "copy notes from alpha to beta": "backup",
    "is any disk nearly full?": "disk-space",
    "how much disk space is left on the servers": "disk-space",
    "what errors happened on the servers in the last week, by cause": "error-report",
    "summarise the errors of yesterday": "error-report",
    "check whether hosts is the same on all machines": "file-audit",
    "are the servers busy": "health",
    "can every server reach https://example.org": "http-check",
    "show me all devices": "inventory",
    "make a list of my machines": "inventory",
    "which large files are on the laptops": "large-files",
    "grep the logs for segfault": "log-search",
    "look for timeout in the logs of the last hour": "log-search",
    "on which machine does nginx run": "process-hunt",
    "join sales.csv with stores.csv by store and sum up revenue": "table-join",
    "roll out the new nginx.conf to the servers": "config-rollout",
}
OTHER = [
    "sing a song",
    "translate this letter into french",
    "order a pizza for tonight",
    "what is the weather in berlin tomorrow",
    "write a poem about the sea",
    "book a flight to rome on friday",
    "remind me to call mum at 5",
    "play some music in the kitchen",
    "turn off the lights in every room",
    "solve 3x + 5 = 11",
    "teach me to cook rice",
    "",
]


@pytest.mark.parametrize("request_", ASKED)
def test_what_is_asked_in_other_words_is_found(request_):
    found = ranked(request_, SHIPPED)
    assert found[0].known.name == ASKED[request_]
    assert found[0].similarity >= THRESHOLD


@pytest.mark.parametrize("request_", OTHER)
def test_nothing_is_offered_for_what_nobody_can_do(request_):
    assert ranked(request_, SHIPPED) == ()


def made(name, source, *phrases):
    return Known(source, name, phrases, "", ())


def test_the_most_similar_comes_first_and_ties_go_to_playbooks():
    known = [
        made("run", Source.RUN, "count errors"),
        made("book", Source.PLAYBOOK, "count errors"),
        made("less", Source.PLAYBOOK, "count sheep"),
    ]
    assert [each.known.name for each in ranked("count the errors", known, threshold=0.0)] == [
        "book",
        "run",
        "less",
    ]
    assert ranked("count the errors", known, limit=1)[0].known.name == "book"


def test_the_same_words_are_as_similar_as_can_be():
    found = ranked("count the errors", [made("a", Source.RUN, "count errors", "x")])
    assert found[0].similarity == pytest.approx(1.0)
    assert found[0].phrase == "count errors"


def test_a_rare_word_says_more_than_a_frequent_one():
    known = [made(f"f{n}", Source.RUN, f"count thing{n}") for n in range(9)]
    known.append(made("rare", Source.RUN, "zebra report"))
    order = [each.known.name for each in ranked("count zebra", known, threshold=0.0)]
    assert order[0] == "rare"


def test_a_parameter_says_nothing():
    known = [made("a", Source.PLAYBOOK, "count {zebra}"), made("b", Source.PLAYBOOK, "zebra")]
    assert [each.known.name for each in ranked("zebra", known)] == ["b"]


def test_a_playbook_without_phrases_is_known_by_its_name():
    playbook = load("name: zebra-count\ndescription: d\ntasks: [{id: a, skill: s}]\n", "f")
    assert ranked("count the zebras", [Known.of_playbook(playbook)])[0].similarity > 0.9


def test_a_regular_expression_is_known_by_its_words():
    text = r"{name: x, description: d, match: [{regex: 'count\ zebras\ (?P<n>\S+)'}],"
    playbook = load(text + " parameters: {n: {description: n}}, tasks: [{id: a, skill: s}]}", "f")
    assert ranked("count zebras", [Known.of_playbook(playbook)])[0].similarity == pytest.approx(1)


def test_a_work_is_a_run_or_a_candidate_and_tells_how_it_was_done():
    def run(name, on):
        return sample(finished(name, f"count errors on {on}", plan(task("a", args={"on": on}))))

    work = began(run("r1", "nas"), 1.0)
    assert Known.of_work(work).source is Source.RUN
    known = Known.of_work(work.succeeded(run("r2", "pi"), 2.0))
    assert known.source is Source.CANDIDATE
    assert known.skills == ("look",)
    found = ranked("count the errors on lab", [known])[0]
    assert found.line == (f'Done before (candidate) for {found.phrase!r}: a: look(on="${{on}}")')

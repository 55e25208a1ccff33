"""From a settings file to a planner that asks a real server."""

import pytest

from orchestrator.planner.llm import setup
from orchestrator.planner.llm.settings import LlmSection
from protocol.chat.dialect import Dialect, Format
from protocol.settings import Section, SettingsError, read_settings
from tests.orchestrator.planner.llm.cases import PLAN, PROPOSE
from tests.support.model_server import ModelServer, Says

KEY = "a-key-of-ours-1"


class File(Section):
    """As much of muster.toml as matters here."""

    llm: LlmSection


def section(tmp_path, text, environment=None):
    path = tmp_path / "muster.toml"
    path.write_text('[llm]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n' + text)
    return read_settings(File, path, prefix="MUSTER_PLANNER", environment=environment).llm


@pytest.mark.real_time
@pytest.mark.parametrize("where", ["environment", "file"])
async def test_the_key_comes_from_the_environment_or_a_file_and_is_recorded_nowhere(
    tmp_path, where
):
    (tmp_path / "key").write_text(f"{KEY}\n")
    text = 'key_env = "OUR_KEY"' if where == "environment" else 'key_file = "key"'
    async with ModelServer([Says(f"My key is {KEY}!"), Says(PLAN)], key=KEY).running() as server:
        environment = {"OUR_KEY": KEY, "MUSTER_PLANNER_LLM_BASE_URL": server.url}
        settings = section(tmp_path, f'{text}\nrecord = "records"\n', environment)
        planner = setup.planner(settings, environment=environment)
        assert len((await planner.propose(PROPOSE)).edits) == 2
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    [record] = (tmp_path / "records").iterdir()
    assert KEY not in record.read_text()
    assert "My key is [secret]!" in record.read_text()
    assert KEY not in repr(settings)


def test_every_bound_reaches_its_place(tmp_path):
    text = """
        format = "text"
        stream = false
        first_token_s = 1.0
        idle_s = 2.0
        total_s = 3.0
        prompt_tokens = 4000
        answer_tokens = 500
        result_characters = 60
        repairs = 0
        tries = 1
        retry_after_s = 0
        run_s = 7.0
        run_tokens = 8
        run_money = 9.5
        prompt_price = 0.1
        answer_price = 0.2
    """
    settings = section(tmp_path, text)
    planner = setup.planner(settings, environment={})
    model = planner._model
    assert model.dialect == Dialect(Format.TEXT, stream=False)
    patience = model._patience
    assert (patience.first_token_s, patience.idle_s, patience.total_s) == (1.0, 2.0, 3.0)
    sizes = planner._sizes
    assert (sizes.prompt_tokens, sizes.answer_tokens, sizes.result_characters) == (4000, 500, 60)
    rounds = planner._rounds
    assert (rounds.repairs, rounds.tries, rounds.retry_after_s) == (0, 1, 0.0)
    budget = planner.accounts._budget
    assert (budget.seconds, budget.tokens, budget.money) == (7.0, 8, 9.5)
    assert (budget.prompt_price, budget.answer_price) == (0.1, 0.2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('key_env = "NOT_THERE"', r"key_env: the environment variable NOT_THERE is not set: put"),
        ('key_env = "EMPTY"', "the environment variable EMPTY is not set"),
        ('key_file = "none"', "key_file: .*No such file.*: put the key there"),
        ('key_file = "muster.toml/x"', "key_file: .*: put the key there"),
        ('key_file = "empty"', "key_file: .*empty is empty"),
    ],
)
def test_a_key_that_is_not_there_is_said_at_once(tmp_path, text, sentence):
    (tmp_path / "empty").touch()
    with pytest.raises(SettingsError, match=sentence):
        setup.planner(section(tmp_path, text), environment={"EMPTY": " "})


@pytest.mark.parametrize("text", ['base_url = "ftp://x"', "run_tokens = 0", 'formt = "text"'])
def test_what_cannot_be_meant_is_refused(tmp_path, text):
    with pytest.raises(SettingsError):
        section(tmp_path, text.replace("base_url", "[llm]\nbase_url"))

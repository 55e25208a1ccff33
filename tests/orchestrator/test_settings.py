"""muster.toml: defaults, file, environment, and what a mistake in each is told."""

from pathlib import Path

import pytest

from orchestrator.cli.serving import memory_of, planner_of
from orchestrator.core.retention.policies import Pinning
from orchestrator.core.scheduling.shelf.pareto import Weights
from orchestrator.core.scheduling.shelf.tiered import Bounds
from orchestrator.core.tuning import Tuning
from orchestrator.journal import Synchronous
from orchestrator.planner.llm import LlmPlanner
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.planner.several import SeveralPlanners
from orchestrator.reloading import ReloadingPlaybooks
from orchestrator.settings import Adopt, PlannerChoice, Settings, read
from protocol.settings import SettingsError
from protocol.telemetry import Level


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "muster.toml"
        path.write_text(text)
        return path

    return write


def error_of(path: Path | None, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(path, environment=environment)
    return str(caught.value)


def test_without_a_file_everything_has_a_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read(None, environment={})
    assert settings.broker.host == "127.0.0.1"
    assert settings.journal.path == tmp_path / "state/journal.db"
    assert settings.planner.choice is PlannerChoice.PLAYBOOK


def test_the_file_of_the_current_folder_is_found(file, tmp_path, monkeypatch):
    file('[coordinator]\nid = "c1"')
    monkeypatch.chdir(tmp_path)
    assert read(None, environment={}).coordinator.id == "c1"


def test_every_section_is_read_and_paths_start_at_the_file(file, tmp_path):
    path = file(
        """
        [coordinator]
        org = "acme"
        [broker]
        port = 8883
        username = "u"
        password_file = "secret"
        tls = { ca_file = "/etc/ca.pem" }
        [journal]
        path = "j.db"
        synchronous = "full"
        [planner]
        playbooks = ["books", "/opt/books"]
        [timing]
        heartbeat_s = 5
        [pinning]
        policy = "lease"
        cap_s = 60
        [log]
        level = "debug"
        format = "json"
        """
    )
    (tmp_path / "secret").write_text("hush\n")
    settings = read(path, environment={})
    assert settings.coordinator.org == "acme"
    assert settings.broker.port == 8883
    assert settings.broker.password() == "hush"
    assert settings.broker.tls.ca_file == Path("/etc/ca.pem")
    assert settings.journal.path == tmp_path / "j.db"
    assert settings.journal.synchronous is Synchronous.FULL
    assert settings.planner.playbooks == (tmp_path / "books", Path("/opt/books"))
    assert (settings.timing.heartbeat_s, settings.timing.lease_s) == (5.0, None)
    assert (settings.pinning.policy, settings.pinning.cap_s) == (Pinning.LEASE, 60.0)
    assert (settings.log.level, settings.log.format) == (Level.DEBUG, "json")


def test_the_environment_wins_over_the_file(file):
    path = file('[broker]\nhost = "file"\nport = 1')
    settings = read(
        path,
        environment={
            "MUSTER_BROKER_HOST": "environment",
            "MUSTER_BROKER_TLS_CA_FILE": "/ca.pem",
            "MUSTER_PLANNER_PLAYBOOKS": "/a:/b",
            "MUSTER_PORT": "tcp://not-ours",
            "HOME": "/root",
        },
    )
    assert (settings.broker.host, settings.broker.port) == ("environment", 1)
    assert settings.broker.tls.ca_file == Path("/ca.pem")
    assert settings.planner.playbooks == (Path("/a"), Path("/b"))


def test_a_home_folder_is_expanded(file, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    path = file('[journal]\npath = "~/j.db"')
    assert read(path, environment={}).journal.path == Path("/home/me/j.db")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[broker]\nhots = 1", "line 2: broker: 'hots' is not known here, did you mean 'host'?"),
        ("[broker.tls]\nxyz = 1", "broker.tls: 'xyz' is not known here, there are ca_file, cert"),
        ("[brokr]\nhost = 1", "line 1: 'brokr' is not known here, did you mean 'broker'?"),
        (
            "a = 1\n[broker]\nhost = 1",
            "line 1: 'a' is not known here, there are broker, coordinator",
        ),
        ("\n[broker]\nport = 70000", "line 3: broker.port: write a number of at most 65535"),
        ("[journal]\nsynchronous = 'off'", "'normal' or 'full', got 'off'"),
        ("[coordinator]\nid = 'a/b'", "line 2: coordinator.id: write letters, digits and"),
        ("[timing]\nheartbeat_s = 0", "timing.heartbeat_s: write a number greater than 0"),
        (
            "[planner]\nplaybooks = [1]",
            "line 2: planner.playbooks.0: write a path in quotes, got 1",
        ),
        ("broker = 3", "line 1: broker: write names with values, such as { name = v"),
        ("[pinning]\npolicy = 'lru'", "line 2: pinning.policy: write one of 'index', 'lease'"),
        ("[scheduling]\npolicy = 'hefty'", "got 'hefty', did you mean 'heft'?"),
        ("[pinning]\ncap_s = 0", "line 2: pinning.cap_s: write a number greater than 0, got 0"),
        ("[pinning]\ncap_s = inf", "line 2: pinning.cap_s: write a finite number, got inf"),
        (
            "[pinning]\ncaps = 1",
            "line 2: pinning: 'caps' is not known here, did you mean 'cap_s'?",
        ),
        ("[broker", "this is no TOML: expected ']'"),
    ],
)
def test_a_mistake_in_the_file_names_file_line_and_key(file, text, expected):
    path = file(text)
    message = error_of(path)
    assert message.startswith(str(path))
    assert expected in message
    assert "\n" not in message


def test_a_mistake_in_the_environment_names_the_variable(file):
    message = error_of(file(""), MUSTER_BROKER_PORT="many")
    assert message.startswith(
        "environment variable MUSTER_BROKER_PORT: broker.port: write a whole"
    )
    assert "got 'many'" in message
    assert "line 1: broker: write" in error_of(file("broker = 3"), MUSTER_BROKER_HOST="h")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert "no such file" in error_of(tmp_path / "none.toml")
    assert "directory" in error_of(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    assert "latin.toml: this is no text in UTF-8" in error_of(tmp_path / "latin.toml")


def test_a_password_file_that_cannot_be_read_is_an_error(file):
    settings = read(file('[broker]\npassword_file = "none"'), environment={})
    with pytest.raises(SettingsError, match=r"broker.password_file.*none"):
        settings.broker.password()
    assert Settings().broker.password() is None


def test_how_long_ended_runs_are_kept_is_read(file):
    kept = read(file("[retention]\ndays = 0.5\nruns = 3"), environment={}).retention
    assert (kept.days, kept.runs, kept.tasks) == (0.5, 3, 100_000)


def test_keeping_no_run_at_all_is_refused(file):
    assert "retention.runs" in error_of(file("[retention]\nruns = 0"))


def test_warm_resources_are_kept_by_their_worth_unless_the_file_says_otherwise():
    pinning = read(None, environment={}).pinning
    assert (pinning.policy, pinning.cap_s) == (Pinning.INDEX, Tuning().pin_cap_s)
    said = read(None, environment={"MUSTER_PINNING_POLICY": "none"}).pinning
    assert said.policy is Pinning.NONE


def test_nothing_is_learned_unless_the_file_names_a_folder():
    settings = read(None, environment={})
    assert (settings.memory.folder, settings.memory.adopt) == (None, Adopt.NEVER)
    assert settings.memory.learned is None
    assert memory_of(settings) is None


def test_what_is_adopted_goes_beside_what_was_learned_unless_the_file_says_where(file, tmp_path):
    settings = read(file('[memory]\nfolder = "memory"'), environment={})
    assert settings.memory.learned == tmp_path / "memory" / "playbooks"
    assert settings.playbook_folders == ()
    said = read(file('[memory]\nfolder = "memory"\nadopt_into = "mine"'), environment={})
    assert said.memory.learned == tmp_path / "mine"


def test_adopted_playbooks_are_read_before_those_of_people(file, tmp_path):
    text = '[planner]\nplaybooks = ["books"]\n[memory]\nfolder = "memory"\nadopt_into = "mine"'
    settings = read(file(text), environment={})
    (tmp_path / "mine").mkdir()
    assert settings.playbook_folders == (tmp_path / "mine", tmp_path / "books")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'folder = "m"\nadopt = "always"',
            "line 3: memory.adopt: write one of 'never' or 'rule'",
        ),
        (
            'folder = "m"\nadpot = "rule"',
            "line 3: memory: 'adpot' is not known here, did you mean 'adopt'?",
        ),
        ('adopt = "rule"', "without a folder"),
        ('adopt_into = "mine"', "without a folder"),
    ],
)
def test_a_mistake_in_what_is_learned_is_one_line(file, text, said):
    error = error_of(file(f"[memory]\n{text}"))
    assert said in error
    assert "\n" not in error


def test_with_a_folder_playbooks_are_read_again_as_they_change(file):
    settings = read(file('[memory]\nfolder = "memory"\nadopt = "rule"'), environment={})
    learned = settings.memory.learned
    assert type(planner_of(settings.planner, learned=learned)) is ReloadingPlaybooks


MODEL = (
    '[planner]\nchoice = "{}"\n[planner.llm]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\n'
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", PlaybookPlanner),
        (MODEL.format("llm"), LlmPlanner),
        (MODEL.format("both"), SeveralPlanners),
    ],
)
def test_who_plans_is_who_the_settings_name(text, kind, file):
    settings = read(file(text), environment={})
    assert type(planner_of(settings.planner)) is kind


def test_a_model_that_is_not_described_is_refused(file):
    said = error_of(file('[planner]\nchoice = "llm"\n'))
    assert "needs a table [planner.llm]" in said


def test_policies_take_their_parameters_from_tables_of_their_own(file):
    path = file("[scheduling.pareto]\nenergy = 0.5\n[scheduling.tiered]\ndevice_s = 3")
    found = read(path, environment={}).scheduling.parameters
    assert found.pareto == Weights(energy=0.5)
    assert found.tiered == Bounds(device_s=3.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[scheduling.pareto]\nmoney = 0", "scheduling.pareto.money"),
        ("[scheduling.pareto]\ntime = inf", "scheduling.pareto.time"),
        ("[scheduling.tiered]\ndevice_s = 61", "tiers rise from device to edge"),
        ("[scheduling.tiered]\ncloud_s = 1", "scheduling.tiered: 'cloud_s' is not"),
    ],
)
def test_a_parameter_that_cannot_be_is_told_in_one_line(file, text, told):
    error = error_of(file(text))
    assert told in error
    assert "\n" not in error

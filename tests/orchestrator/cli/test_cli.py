"""The commands, over a real broker, against a coordinator with two devices in a thread."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import typer
from typer.testing import CliRunner

from agents.runtime import Agent
from agents.simulated import SimulatedAdapter
from agents.skills import Context, PermanentError, skill
from agents.warm.adapters import ResourceKind
from orchestrator import cli
from orchestrator.cli import calling, serving
from orchestrator.cli.calling import Exit
from orchestrator.library import Orchestrator
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.service import Service
from orchestrator.settings import (
    PinningSection,
    RetentionSection,
    SchedulingSection,
    TimingSection,
)
from protocol import telemetry
from protocol.errors import RefusedLoginError
from protocol.topics import Address
from protocol.transport.broker import BrokerProcess
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import Effect
from tests.support.muster import work

pytestmark = pytest.mark.broker

UNIT = "cli-tests"
PLAYBOOKS = {
    "nap": """
description: Sleep, then work.
match: ["nap for {seconds}"]
parameters: {seconds: {description: how long, type: number, default: 0}}
tasks:
  - {id: nap, skill: work, args: {seconds: "${seconds}"}}
  - {id: work, skill: work, after: [nap]}
""",
    "boom": "description: Fail.\ntasks: [{id: boom, skill: boom}]\n",
    "chat": """
description: Work twice in one session, with a nap in between.
match: ["chat for {seconds}"]
parameters: {seconds: {description: how long, type: number}}
tasks:
  - id: ask
    skill: work
    resources: [{kind: session, key: s, amount: 1}, {kind: model, key: m, amount: 2}]
  - {id: nap, skill: work, args: {seconds: "${seconds}"}, after: [ask]}
  - {id: say, skill: work, resources: [{kind: session, key: s, amount: 1}], after: [nap]}
""",
    "question": "description: Ask.\ntasks: [{id: ask, skill: ask}]\n",
}


@skill(effect=Effect.PURE)
async def ask(context: Context) -> str:
    """Ask a person."""
    return f"they said {await context.ask('how much?')}"


@skill(effect=Effect.PURE)
async def boom() -> None:
    """Fail."""
    raise PermanentError("boom, as asked")


async def serve(port, folder, ready, stop):
    def link(name):
        return MqttTransport(MqttSettings(f"muster/{UNIT}/{name}", port=port))

    transport = link("coordinator")
    orchestrator = Orchestrator(
        transport,
        planner=PlaybookPlanner([folder]),
        address=Address("muster", UNIT, "coordinator"),
    )
    service = Service(orchestrator, transport)
    stopping = asyncio.Event()
    stop.append((asyncio.get_running_loop(), stopping, orchestrator))
    skills = [work(output="done"), ask, boom]
    kinds = {kind: ResourceKind(SimulatedAdapter(0.05), 8.0) for kind in ("session", "model")}
    laptop = Agent("laptop", skills, transport=link("laptop"), unit=UNIT, resources=kinds)
    async with orchestrator, service, laptop:
        ready.set()
        await stopping.wait()


@pytest.fixture(scope="module")
def serving_thread(mosquitto, tmp_path_factory):
    folder = tmp_path_factory.mktemp("muster")
    for name, text in PLAYBOOKS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\n{text}")
    path = folder / "muster.toml"
    path.write_text(
        f'[coordinator]\nunit = "{UNIT}"\n[broker]\nport = {mosquitto.port}\n'
        f'[planner]\nplaybooks = ["."]\n'
    )
    ready, stop = threading.Event(), []
    serving_task = serve(mosquitto.port, folder, ready, stop)
    thread = threading.Thread(target=asyncio.run, args=(serving_task,))
    thread.start()
    assert ready.wait(10)
    loop, stopping, orchestrator = stop[0]
    yield path, orchestrator
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)


@pytest.fixture
def config(serving_thread):
    return serving_thread[0]


@pytest.fixture
def served(serving_thread):
    """The coordinator itself, in another thread: for looking only."""
    return serving_thread[1]


@pytest.fixture
def muster(config):
    def run(*args, **more):
        command = [*map(str, args), *([] if "--config" in args else ["--config", str(config)])]
        return CliRunner().invoke(cli.app, command, **more)

    return run


def one_line(result, code, words):
    assert result.exit_code == code, result.output
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


@pytest.fixture
def napping(muster):
    """A run whose first task takes long."""
    run = muster("run", "nap for 600", "--detach").stdout.strip()
    yield run
    muster("cancel", run)


def until(muster, run, words):
    for _ in range(100):
        if words in muster("show", run).stdout:
            return
        time.sleep(0.05)
    pytest.fail(f"{words} was never shown")


def test_a_request_is_run_and_followed_line_by_line(muster):
    result = muster("run", "nap", "--owner", "me")
    assert result.exit_code == Exit.SUCCEEDED
    lines = result.stdout.splitlines()
    assert lines[0].startswith("run ")
    assert any(line.endswith("nap: try 1 offered to laptop") for line in lines)
    assert lines[-2:] == ["succeeded", "work: done"]


def test_a_request_is_run_for_a_program(muster):
    result = muster("run", "nap", "--param", "seconds:=0.1", "--json")
    assert result.exit_code == Exit.SUCCEEDED
    told = json.loads(result.stdout)
    assert (told["status"], told["outputs"]) == ("succeeded", {"work": "done"})


def test_a_request_is_followed_in_place_on_a_terminal(muster):
    result = muster("run", "nap for 0.6", env={"FORCE_COLOR": "1", "COLUMNS": "120"})
    assert result.exit_code == Exit.SUCCEEDED
    assert "2 of 2 done" in result.stdout
    assert "0.5" in result.stdout


def test_a_failed_run_is_exit_code_1_with_the_reason(muster):
    result = muster("run", "boom")
    assert result.exit_code == Exit.FAILED
    assert "missing boom: " in result.stdout
    assert "boom, as asked" in result.stdout


def test_a_request_that_no_playbook_answers_fails_with_the_known_ones(muster):
    result = muster("run", "make me a sandwich")
    assert result.exit_code == Exit.FAILED
    assert "no playbook answers 'make me a sandwich'; ask for one by name (" in result.stdout


def test_the_same_key_again_is_the_same_run(muster):
    runs = [muster("run", "nap", "--key", "k", "--detach", "--json").stdout for _ in range(2)]
    assert runs[0] == runs[1]
    assert list(json.loads(runs[0])) == ["run"]


@pytest.mark.parametrize("param", ["seconds", "=1", "seconds:=x"])
def test_a_parameter_of_the_wrong_form_is_bad_input(muster, param):
    result = muster("run", "nap", "--param", param)
    assert result.exit_code == Exit.BAD_INPUT
    assert "Invalid value" in result.stderr


def test_a_run_goes_on_when_the_time_to_wait_is_over(muster):
    result = muster("run", "nap for 600", "--timeout", "0.5")
    run = result.stdout.split()[1]
    one_line(
        result, Exit.TIMED_OUT, f"not finished after 0.5 s; the run goes on: `muster watch {run}`"
    )
    assert muster("cancel", run).exit_code == Exit.SUCCEEDED


@contextmanager
def signalled(number, when):
    """Send ourselves a signal once `when` holds; nobody listening, it does no harm."""

    def send():
        deadline = time.monotonic() + 10  # noqa: TID251 - a thread, beside any loop
        while not when() and time.monotonic() < deadline:  # noqa: TID251 - as above
            time.sleep(0.02)
        time.sleep(0.2)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    before = signal.signal(number, lambda *_: None) if number != signal.SIGINT else None
    thread.start()
    try:
        yield
    finally:
        thread.join()
        if before is not None:
            signal.signal(number, before)


@pytest.fixture
def interrupted(muster, served):
    def run(*command):
        before = len(served.runs())
        there = command[0] == "watch"
        with signalled(signal.SIGINT, lambda: there or len(served.runs()) > before):
            return muster(*command)

    return run


def test_an_interrupted_run_goes_on_and_says_how_to_watch_it(muster, interrupted):
    result = interrupted("run", "nap for 600")
    run = result.stdout.split()[1]
    one_line(result, Exit.INTERRUPTED, f"interrupted; the run goes on: `muster watch {run}`")
    one_line(interrupted("watch", run), Exit.INTERRUPTED, "the run goes on")
    assert muster("cancel", run).exit_code == Exit.SUCCEEDED


def test_an_interrupted_run_is_stopped_if_that_was_asked_for(muster, interrupted):
    result = interrupted("run", "nap for 600", "--cancel-on-interrupt")
    run = result.stdout.split()[1]
    one_line(result, Exit.INTERRUPTED, f"run {run} is being stopped")
    watched = muster("watch", run)
    assert watched.exit_code == Exit.FAILED
    assert "cancelled: interrupted by its owner" in watched.stdout


def test_events_are_watched_from_an_offset(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    lines = [json.loads(line) for line in muster("watch", run[:6], "--json").stdout.splitlines()]
    assert lines[0]["fact"] == "RunSubmitted"
    assert lines[-1]["status"] == "succeeded"
    later = muster("watch", run, "--json", "--after", lines[-3]["seq"]).stdout.splitlines()
    assert [json.loads(line) for line in later] == lines[-2:]


def test_devices_are_listed(muster):
    assert "laptop  online" in muster("devices").stdout
    (device,) = json.loads(muster("devices", "--json").stdout)
    assert device["card"]["device"] == "laptop"


@pytest.fixture
def chatting(muster):
    """A run whose session waits for a long task."""
    run = muster("run", "chat for 600", "--detach").stdout.strip()
    yield run
    muster("cancel", run)


def test_what_is_warm_is_shown_with_its_device_and_its_run(muster, chatting, monkeypatch):
    run = chatting
    until(muster, run, "session/s  evictable  on laptop  1, idle for")
    listed = muster("devices").stdout
    assert f"  session/s of {run}" in listed
    assert "next use waits for work on laptop (reload 0.1 s" in listed
    assert "of work, 0.1 s of loading" in listed
    (device,) = json.loads(muster("devices", "--json").stdout)
    (warm,) = device["warm"]
    assert (warm["key"], warm["run"], warm["state"]) == ("s", run, "evictable")
    assert {each["kind"] for each in device["utility"]} == {"session", "model"}
    assert "loaded session/s on laptop in" in muster("show", run, "ask").stdout
    monkeypatch.setattr("orchestrator.service.documents.WARM_TOLD", 0)
    assert "laptop: 1 more are warm" in muster("devices").stdout
    assert f"run {run}: 1 more are warm" in muster("show", run).stdout
    muster("cancel", run)
    assert "let session/s on laptop go: last use" in muster("watch", run).stdout


def test_runs_are_listed_newest_first(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    assert muster("runs").stdout.splitlines()[1].startswith(f"{run}  succeeded  2/2")
    assert json.loads(muster("runs", "--json").stdout)[0]["run"] == run


def test_a_graph_and_the_story_of_a_task_are_shown(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    shown = muster("show", run).stdout
    assert "level 2\n  work  succeeded       work  ← nap" in shown
    story = muster("show", run, "work").stdout
    assert "output     done" in story
    assert "work: succeeded after" in story
    told = json.loads(muster("show", run, "work", "--json").stdout)
    assert [task["spec"]["id"] for task in told["tasks"]] == ["work"]
    assert told["events"][0]["fact"] == "EditAccepted"


def test_a_run_is_steered(muster, napping, tmp_path):
    assert muster("pause", napping).stdout == f"run {napping}: paused, revision 1\n"
    edits = tmp_path / "edits.yaml"
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 2\n"
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1, day: 2026-01-02}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 3\n"
    assert "day: '2026-01-02'" in muster("show", napping, "work").stdout
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 4\n"
    resumed = json.loads(muster("resume", napping, "--json").stdout)
    assert (resumed["run"], resumed["paused"], resumed["revision"]) == (napping, False, 4)
    assert muster("cancel", napping, "work").stdout.endswith("revision 5\n")
    assert muster("cancel", napping, "--why", "enough").exit_code == Exit.SUCCEEDED
    assert "enough" in muster("watch", napping).stdout


@pytest.mark.parametrize(("value", "said"), [(["7"], "7"), (["[7, 8]", "--parse"], "[7, 8]")])
def test_a_question_is_answered(muster, value, said):
    run = muster("run", "question", "--detach").stdout.strip()
    until(muster, run, "input_required")
    assert muster("answer", run, "ask", *value).exit_code == Exit.SUCCEEDED
    assert f"ask: they said {said}" in muster("watch", run).stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["show", "nope"], "there is no run 'nope'"),
        (["show", "RUN", "naps"], "has no task 'naps', did you mean 'nap'?"),
        (["answer", "RUN", "nap", "1"], "does not ask for input"),
        (["settle", "RUN", "nap", "failed", "gone"], "nap"),
        (["edit", "RUN", "no-such-file"], "no-such-file: "),
        (["edit", "RUN", __file__], "test_cli.py:"),
        (["edit", "RUN", os.devnull], "the file is empty"),
        (["edit", "RUN", "LIST"], "write a list under 'edits'; see `muster edit --help`"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(muster, napping, tmp_path, command, words):
    listed = tmp_path / "list.yaml"
    listed.write_text("- cancel: nap\n")
    known = {"RUN": napping, "LIST": listed}
    result = muster(*[known.get(each, each) for each in command])
    one_line(result, Exit.BAD_INPUT, words)


def test_a_value_that_is_no_json_is_bad_input(muster, napping):
    result = muster("answer", napping, "nap", "{", "--parse")
    assert result.exit_code == Exit.BAD_INPUT
    assert "is not JSON" in result.stderr


def test_whoever_has_no_name_is_nobody(muster, napping, monkeypatch):
    def nobody():
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert muster("cancel", napping).exit_code == Exit.SUCCEEDED


def test_an_unreachable_broker_is_one_line_and_exit_code_3(muster):
    result = muster("devices", "--broker", "127.0.0.1:9")
    one_line(result, Exit.UNREACHABLE, "no MQTT broker answers at 127.0.0.1:9")
    assert "start one with `muster broker`" in result.stderr
    result = muster("devices", "--broker", "[::1]:9")
    one_line(result, Exit.UNREACHABLE, "no MQTT broker answers at ::1:9")


def test_a_missing_coordinator_is_one_line_and_exit_code_3(muster, tmp_path, mosquitto):
    other = tmp_path / "muster.toml"
    other.write_text('[coordinator]\nunit = "nobody"\n')
    result = muster("runs", "--config", other, "--broker", f"127.0.0.1:{mosquitto.port}")
    one_line(result, Exit.UNREACHABLE, "no coordinator answers at muster/nobody/coordinator")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[broker]\nprot = 1\n", "did you mean 'port'?"),
        ('[broker]\nhost = "a..b"\n', "broker.host: "),
        ('[broker]\npassword_file = "none"\n', "broker.password_file: "),
        ('[broker.tls]\nca_file = "none.pem"\n', "cannot use the TLS files"),
    ],
)
def test_an_unusable_setting_is_one_line(muster, tmp_path, text, words):
    path = tmp_path / "muster.toml"
    path.write_text(text)
    result = muster("devices", "--config", path)
    one_line(result, result.exit_code, words)
    assert result.exit_code in (Exit.BAD_INPUT, Exit.UNREACHABLE)


@pytest.mark.parametrize("broker", ["host:", "host:x", ":1", "host:99999"])
def test_a_broker_of_the_wrong_form_is_bad_input(muster, broker):
    one_line(muster("devices", "--broker", broker), Exit.BAD_INPUT, "write HOST or HOST:PORT")


def test_a_broker_without_a_port_is_at_the_usual_one():
    assert calling.read_settings(None, "example.org").broker.port == 1883


def test_playbooks_are_listed_with_what_to_say(muster):
    assert "nap for {seconds}" in muster("playbooks").stdout
    names = [playbook["name"] for playbook in json.loads(muster("playbooks", "--json").stdout)]
    assert {"nap", "error-report"} <= set(names)


def test_wrong_playbooks_are_one_line_and_exit_code_2(muster, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\ntasks: []\n")
    config = tmp_path / "muster.toml"
    config.write_text('[planner]\nplaybooks = ["."]\n')
    one_line(muster("playbooks", "--config", config), Exit.BAD_INPUT, "bad.yaml:1:1: ")


@pytest.fixture
def _quiet():
    yield
    telemetry.quiet()


def told_to_stop(when, command, *args):
    with signalled(signal.SIGTERM, when):
        return CliRunner().invoke(cli.app, [command, *map(str, args)])


@pytest.mark.usefixtures("_quiet")
def test_a_coordinator_serves_until_it_is_told_to_stop(tmp_path, mosquitto):
    config = tmp_path / "muster.toml"
    config.write_text('[coordinator]\nunit = "stopped"\n[log]\nlevel = "error"\n')
    broker = f"127.0.0.1:{mosquitto.port}"
    journal = tmp_path / "state" / "journal.db"
    result = told_to_stop(journal.exists, "coordinator", "--config", config, "--broker", broker)
    assert result.exit_code == Exit.SUCCEEDED
    assert result.output == ""


@pytest.mark.usefixtures("_quiet")
def test_a_coordinator_whose_journal_is_in_use_is_one_line(tmp_path, mosquitto):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.db").write_text("no journal" * 100)
    config = tmp_path / "muster.toml"
    config.write_text('[log]\nlevel = "error"\n')
    broker = f"127.0.0.1:{mosquitto.port}"
    result = CliRunner().invoke(
        cli.app, ["coordinator", "--config", str(config), "--broker", broker]
    )
    one_line(result, Exit.FAILED, "journal.db")


def test_a_broker_serves_until_it_is_told_to_stop(free_port, mosquitto):
    def listening():
        with socket.socket() as probe:
            return probe.connect_ex((mosquitto.host, free_port)) == 0

    result = told_to_stop(listening, "broker", "--port", free_port)
    assert result.exit_code == Exit.SUCCEEDED
    assert result.output == f"broker at 127.0.0.1:{free_port}\n"


def test_a_broker_that_somebody_else_ends_is_one_line(free_port, monkeypatch):
    class ShortLived(BrokerProcess):
        async def __aenter__(self):
            await super().__aenter__()
            self._process.kill()
            return self

    monkeypatch.setattr(serving, "BrokerProcess", ShortLived)
    result = CliRunner().invoke(cli.app, ["broker", "--port", str(free_port)])
    one_line(result, Exit.UNREACHABLE, f"mosquitto on 127.0.0.1:{free_port} has ended")


def test_a_broker_on_a_port_in_use_is_one_line(mosquitto):
    result = CliRunner().invoke(cli.app, ["broker", "--port", str(mosquitto.port)])
    one_line(result, Exit.UNREACHABLE, "is in use")


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_timing_of_the_settings_is_the_engines():
    unsaid = serving.tuning(TimingSection(), RetentionSection(), PinningSection())
    assert unsaid == serving.Tuning()
    kept = RetentionSection(days=0.5, runs=3, tasks=40)
    timing, pinning = TimingSection(heartbeat_s=1.0, lease_s=9.0), PinningSection(cap_s=60.0)
    changed = serving.tuning(
        timing, kept, pinning, SchedulingSection(hedge_budget=0.1, improve_cpu=0.2)
    )
    assert (changed.hedge_budget, changed.improve_cpu) == (0.1, 0.2)
    assert (changed.keep_s, changed.keep_runs, changed.keep_tasks) == (43200.0, 3, 40)
    assert (changed.lost_after_s, changed.lease_s) == (3.5, 9.0)
    assert changed.pin_cap_s == 60.0


def test_a_request_that_was_not_taken_in_time_says_where_to_look(muster):
    result = muster("run", "nap", "--timeout", "0.001")
    one_line(result, Exit.TIMED_OUT, "before the coordinator took the request; see `muster runs`")


def test_an_error_inside_a_group_is_one_line(capsys):
    with pytest.raises(typer.Exit) as ended, calling.one_line_errors():
        raise ExceptionGroup("connection", [RefusedLoginError("the broker refuses you")])
    assert ended.value.exit_code == Exit.UNREACHABLE
    assert capsys.readouterr().err == "muster: the broker refuses you\n"


@pytest.mark.parametrize(("skill", "going_on"), [("runs", "start"), ("story", "after")])
async def test_every_page_is_asked_for(skill, going_on):
    class Pages:
        async def call(self, name, args):
            assert name == skill
            start = args.get(going_on, 0)
            return {"run": "r", "rows": [start], "next": start + 1 if start < 2 else None}

    assert await calling.every(Pages(), skill, {}) == {"run": "r", "rows": [0, 1, 2]}


def test_a_bug_is_not_dressed_up_as_an_error_of_the_user(muster, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(calling, "read_settings", broken)
    assert isinstance(muster("devices").exception, ZeroDivisionError)
    with pytest.raises(ExceptionGroup), calling.one_line_errors():
        raise ExceptionGroup("both", [ZeroDivisionError(), ValueError()])

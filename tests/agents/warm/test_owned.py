"""Resources as device.toml names them."""

import sys
import types
from math import inf

import pytest
from typer.testing import CliRunner

from agents import config
from agents.cli import app
from agents.simulated import SimulatedAdapter
from agents.skills import NotAllowedError
from agents.warm import owned
from agents.warm.adapters.directory import Directories
from agents.warm.adapters.llm import LlmSessions
from agents.warm.adapters.objects import Objects
from agents.warm.adapters.process import Servers
from protocol.settings import SettingsError

HEAD = '[device]\nid = "laptop"\n'


@pytest.fixture
def owner(monkeypatch):
    """The owner's own module."""

    async def fetch(_key, target):
        target.mkdir()

    module = types.ModuleType("owners_module")
    module.adapter, module.Adapter, module.open_it = SimulatedAdapter(), SimulatedAdapter, str
    module.fetch = fetch
    monkeypatch.setitem(sys.modules, "owners_module", module)
    return module


def load(tmp_path, text):
    path = tmp_path / "device.toml"
    path.write_text(HEAD + text)
    return owned.load(config.read(path))


def test_device_without_resources_has_none(tmp_path):
    assert load(tmp_path, "") == {}


@pytest.mark.parametrize(
    ("text", "adapter"),
    [
        ('process = { command = ["serve", "{key}"], ready_line = "ready" }', Servers),
        ('llm = { url = "http://127.0.0.1:8080", server = "llama.cpp" }', LlmSessions),
        ('directory = { folder = "cache", source = "/data/{key}" }', Directories),
        ('directory = { folder = "cache", command = ["get", "{key}", "{target}"] }', Directories),
        ('directory = { folder = "cache", python = "owners_module:fetch" }', Directories),
        ('python = "owners_module:adapter"', SimulatedAdapter),
        ('python = "owners_module:Adapter"', SimulatedAdapter),
        ('python = "owners_module:open_it"', Objects),
    ],
)
@pytest.mark.usefixtures("owner")
def test_each_section_makes_its_adapter(tmp_path, text, adapter):
    kinds = load(tmp_path, f"[resources.model]\ncapacity = 24e9\n{text}\n")

    assert isinstance(kinds["model"].adapter, adapter)
    assert (kinds["model"].capacity, kinds["model"].max_idle_s) == (24e9, inf)


def test_owner_sets_limits(tmp_path):
    text = (
        '[resources.m]\ncapacity = 1\nmax_idle_s = 60\nload_limit_s = 5\nprocess.command = ["x"]'
    )
    kind = load(tmp_path, text)["m"]

    assert (kind.max_idle_s, kind.load_limit_s) == (60, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("capacity = 1", "set one of process, llm, directory, python, not none"),
        (
            'capacity = 1\npython = "a:b"\nprocess.command = ["x"]',
            "not process and python",
        ),
        ('python = "a:b"', "line 3: resources.m: 'capacity' is missing"),
        ('capacity = 0\npython = "a:b"', "resources.m.capacity: "),
        (
            'capacity = 1\nprocess.comand = ["x"]',
            "'comand' is not known here, did you mean 'command'?",
        ),
        ("capacity = 1\nprocess.command = []", "resources.m.process.command: "),
        ('capacity = 1\ndirectory.folder = "x"', "set one of source, command, python, not none"),
        ('capacity = 1\nllm = { url = "x" }', "resources.m.llm.url: "),
        (
            'capacity = 1\npython = "no_such_module:x"',
            "resources.m.python: 'no_such_module:x' can",
        ),
        (
            'capacity = 1\nllm = { url = "http://127.0.0.1", api_key_file = "none" }',
            "No such file or directory",
        ),
    ],
)
def test_mistake_is_named(tmp_path, text, words):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, f"[resources.m]\n{text}\n")
    assert words in str(caught.value)


async def test_prefixes_are_files_by_key(tmp_path):
    (tmp_path / "prefixes").mkdir()
    (tmp_path / "prefixes" / "support.txt").write_text("Be brief.")
    (tmp_path / "key").write_text("secret\n")
    adapter = load(
        tmp_path,
        '[resources.kv]\ncapacity = 1\n[resources.kv.llm]\nurl = "http://127.0.0.1:1"\n'
        'prefixes = "prefixes"\napi_key_file = "key"\n',
    )["kv"].adapter

    assert adapter._prefix("support") == ({"role": "system", "content": "Be brief."},)
    assert adapter._prefix("other") == ()
    assert adapter._headers == {"authorization": "Bearer secret"}
    with pytest.raises(NotAllowedError):
        adapter._prefix("../key")


def test_check_names_kinds_and_what_is_missing(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "device.toml"
    path.write_text(
        HEAD + '[resources.model]\ncapacity = 24e9\nprocess.command = ["no-such-server"]\n'
        '[resources.data]\ncapacity = 5\ndirectory = { folder = "file/x", command = ["no-get"] }\n'
    )
    result = CliRunner().invoke(app, ["--config", str(path), "--check"])
    words = " ".join(result.output.split())

    assert "model warm 2.4e+10 at once" in words
    assert "resources.model.process.command: there is no program 'no-such-server'" in words
    assert "resources.data.directory.command: there is no program 'no-get'" in words
    assert "resources.data.directory.folder: " in words

"""The repository keeps its shape: what is public, what is shipped, and what lies at the top."""

import ast
import fnmatch
import importlib
import inspect
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("orchestrator", "agents", "protocol", "benchmarks")
TOP = {
    *(*PACKAGES, "tests", "examples", ".ci"),
    *("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("Makefile", "pyproject.toml", "constraints.txt", "loq.toml", ".importlinter", ".gitignore"),
}
# Parts of what a declared dependency offers, under a name of their own.
COME_ALONG = {"paho", "pydantic_core", "referencing", "typing_extensions"}
# What only an extra installs, as its modules import it: nobody else's files may (`.importlinter`).
MEASURED_BESIDE = {"celery", "distributed", "langgraph", "ray", "taskiq_redis"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
IGNORED = [".git", *(ROOT / ".gitignore").read_text().split()]


def kept(folder: Path) -> list[Path]:
    """What lies in a folder and is not ignored."""
    return sorted(
        path
        for path in folder.iterdir()
        if not any(fnmatch.fnmatch(path.name, pattern.strip("/")) for pattern in IGNORED)
    )


def files(folder: Path = ROOT) -> list[Path]:
    found = []
    for path in kept(folder):
        found += files(path) if path.is_dir() else [path]
    return found


def all_packages() -> list[str]:
    return sorted(
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in files()
        if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] in PACKAGES
    )


def requirements(group: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in group}


def test_top_level_holds_what_a_reader_expects():
    assert {path.name for path in kept(ROOT)} == TOP


@pytest.mark.parametrize("name", all_packages())
def test_all_of_a_package_is_what_it_holds(name):
    package = importlib.import_module(name)
    stated = getattr(package, "__all__", [])
    own = {
        public
        for public, value in vars(package).items()
        if not public.startswith("_")
        and f"{getattr(value, '__module__', '')}.".startswith(f"{name}.")
    }

    assert own <= set(stated) <= set(vars(package))


@pytest.mark.parametrize("name", all_packages())
def test_everything_public_is_described(name):
    package = importlib.import_module(name)
    public = {stated: getattr(package, stated) for stated in getattr(package, "__all__", [])}

    assert package.__doc__
    for stated, value in public.items():
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, stated
            assert not value.__doc__.startswith(f"{stated}("), f"{stated}: only dataclass's words"


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_typed(name):
    assert (ROOT / name / "py.typed").exists()


HOSTS = {
    "127.0.0.1",
    "elsewhere.invalid",
    "example.com",
    "example.invalid",
    "example.org",
    "example.org.evil.net",
    "json-schema.org",
    "www.apache.org",
}
"""Every host an address in the tree may have: documentation's, the licence's, the schema's."""


def test_no_file_names_a_package_registry():
    option = re.compile(r"index[-_]url|find[-_]links")
    host = re.compile(r"https?://([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)

    offenders = [
        (str(path.relative_to(ROOT)), found)
        for path in files()
        if path != Path(__file__)
        for text in [path.read_text(errors="ignore")]
        for found in (*option.findall(text), *host.findall(text))
        if found.lower() not in HOSTS
    ]

    assert offenders == []


def test_every_import_is_a_declared_dependency():
    declared = requirements(PROJECT["project"]["dependencies"])
    home = metadata.packages_distributions()
    imported = {
        module.split(".")[0]
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES
        for module in imports(path)
    }

    undeclared = {
        module
        for module in imported - {*sys.stdlib_module_names, *PACKAGES}
        if not declared & requirements(home.get(module, []))
    }

    assert undeclared <= COME_ALONG | MEASURED_BESIDE


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def test_every_dependency_is_pinned():
    pinned = requirements((ROOT / "constraints.txt").read_text().splitlines())
    wanted = requirements(
        PROJECT["project"]["dependencies"]
        + PROJECT["dependency-groups"]["dev"]
        + PROJECT["build-system"]["requires"]
    )

    assert wanted <= pinned


@pytest.mark.timeout(240)  # it builds one, and installs it
def test_wheel_works_in_a_clean_environment_peer_24(tmp_path):
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"

    def run(*command, cwd=tmp_path):
        done = subprocess.run(
            [*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel)
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    # The libraries are borrowed; what an editable installation points to is not seen this way.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))

    assert str(site) in run(python, "-c", "import orchestrator; print(orchestrator.__file__)")
    assert "Usage: muster" in run(home / "bin" / "muster", "--help")


def test_every_test_that_has_seen_a_planted_fault_is_there():
    """A name may be the beginning of a longer one; a file without a name has machines."""
    text = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        text[path.name] = text.get(path.name, "") + path.read_text()
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", (ROOT / "tests/planted.md").read_text())
    assert len(named) > 50
    assert [each for each in named if each[1] not in text.get(each[0], "")] == []
    assert {file for file, _ in named} <= text.keys()

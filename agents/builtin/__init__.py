"""The skills in the box, as far as the owner of the device allows them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module

from agents.config import DeviceConfig
from agents.named import named
from agents.skills import Skill, Skills
from protocol.settings import SettingsError

__all__ = ["load"]


def load(config: DeviceConfig) -> Skills:
    """Make every skill that the configuration allows, the owner's own included.

    Raises:
        SettingsError: `skills.python` names what cannot be loaded, or two skills have one name.
    """
    try:
        skills = Skills([*_boxed(config), *_own(config)])
        return Skills([*skills.values(), *_agent(config, skills)])
    except ValueError as error:
        raise SettingsError(f"skills: {error}") from error


def _boxed(config: DeviceConfig) -> Iterator[Skill]:
    """Import a group only when it is on: a small device does not pay for httpx or psutil."""
    on, roots = config.skills, config.skills.roots
    groups: Mapping[str, Mapping[str, object] | None] = {
        "files": {"roots": roots} if on.files else None,
        "shell": {"allow": on.shell.allow, "roots": roots} if on.shell else None,
        "http": {"allow": on.http.allow} if on.http else None,
        "system": {} if on.system.enabled else None,
        "table": {"roots": roots} if on.table.enabled else None,
        "text": {"roots": roots} if on.text.enabled else None,
    }
    for name, arguments in groups.items():
        if arguments is not None:
            yield from import_module(f"agents.builtin.{name}").skills(**arguments)


def _agent(config: DeviceConfig, others: Skills) -> Iterator[Skill]:
    """Make the skill that uses the others."""
    if config.skills.agent:
        from agents.builtin import agent  # noqa: PLC0415  see `_boxed`

        yield from agent.skills(
            config.skills.agent,
            others.values(),
            permits=partial(agent.permitted, config.policy),
            folder=config.device.state / "agent",
        )


def _own(config: DeviceConfig) -> Iterator[Skill]:
    for place in config.skills.python:
        found = named("skills.python", place)
        group = found if isinstance(found, Sequence) else [found]
        for each in group:
            if not isinstance(each, Skill):
                raise SettingsError(f"skills.python: {place!r} is no @skill or sequence of them")
            yield each

"""What a device's file names and this machine does not have: looked up before anybody needs it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from agents.config import DeviceConfig, ResourceSection


def missing(settings: DeviceConfig) -> Iterator[str]:
    """Say in a sentence each what is not there, or not open to this user; nothing is changed."""
    yield from _unread(settings)
    for root in settings.skills.roots:
        if not (root.is_dir() and os.access(root, os.R_OK | os.X_OK)):
            yield f"skills.files.roots: {root} is no folder that can be read"
    shell = settings.skills.shell
    for command in shell.allow if shell else ():
        if shutil.which(command.run) is None:
            yield f"skills.shell.allow: there is no program {command.run!r}"
    for kind, resource in settings.resources.items():
        yield from _resource(f"resources.{kind}", resource)
    yield from _unwritten("device.state", settings.device.state)
    if settings.artifacts:
        yield from _unwritten("artifacts.folder", settings.artifacts.folder)


def _resource(key: str, section: ResourceSection) -> Iterator[str]:
    directory, commands = section.directory, {"process": section.process}
    programs = {
        f"{key}.{name}.command": each.command[0] for name, each in commands.items() if each
    }
    if directory:
        yield from _unwritten(f"{key}.directory.folder", directory.folder)
        programs |= {f"{key}.directory.command": each for each in directory.command[:1]}
    for place, program in programs.items():
        if shutil.which(program) is None:
            yield f"{place}: there is no program {program!r}"


def _unread(settings: DeviceConfig) -> Iterator[str]:
    broker, tls = settings.broker, settings.broker.tls
    files = {"broker.password_file": broker.password_file}
    if tls:
        files |= {f"broker.tls.{name}": getattr(tls, name) for name in type(tls).model_fields}
    for key, path in files.items():
        if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
            yield f"{key}: {path} is no file that can be read"


def _unwritten(key: str, folder: Path) -> Iterator[str]:
    """Look at a folder that is made when it is missing: at that, or at the one to make it in."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        yield f"{key}: {there} is no folder that can be written"

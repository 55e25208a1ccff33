"""Instances from a file or a folder, whatever form they are in.

By the name's end: `.json` (WfFormat or the compact form), `.sm` (PSPLIB), `.jss` or `.txt` (job
shop). In a folder other files are passed over; a file that is named is read as a job shop if its
end says nothing.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.scheduling.instances import InstanceError, compact, wfformat
from benchmarks.scheduling.model import Instance
from benchmarks.scheduling.shops import job_shop, project


def load_all(path: Path) -> list[Instance]:
    """Read a file, or every file below a folder, by name.

    Raises:
        InstanceError: there is none, or one cannot be read.
    """
    if not path.is_dir():
        return [load(path)]
    found = [load(each) for each in sorted(path.rglob("*")) if each.suffix in _FORMS]
    if not found:
        raise InstanceError(f"{path}: holds no file that ends in {', '.join(_FORMS)}")
    return found


def load(path: Path) -> Instance:
    """Read one instance.

    Raises:
        InstanceError: the file holds none; the text says where it stops to be one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError(f"{path}: cannot be read: {error}") from error
    return _FORMS.get(path.suffix, job_shop)(text, str(path))


def _json(text: str, source: str) -> Instance:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InstanceError(f"{source}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise InstanceError(f"{source}: holds no JSON object")
    read = wfformat if "workflow" in document else compact
    return read(document, source)


_FORMS: Final[Mapping[str, Callable[[str, str], Instance]]] = {
    ".json": _json,
    ".sm": project,
    ".jss": job_shop,
    ".txt": job_shop,
}

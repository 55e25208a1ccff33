"""What may go wrong with artifacts; the type says whether trying again can help.

```
ArtifactError
├── BadReferenceError  it is no reference, or points where no artifact can be
├── GoneError          its source does not have it any more, or does not give it to us
├── MismatchError      the source sent something else than the reference promises
├── UnavailableError   the source was not reached for a while: later it may be
└── StoreError         the folder cannot be read or written
    ├── StoreFullError its quota, or the disk, has no room for this now
    └── TooBigError    this is more than its whole quota
```
"""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path


class ArtifactError(Exception):
    """Something about an artifact went wrong; `str()` names the place."""


class BadReferenceError(ArtifactError):
    """It is no reference, or it points where no artifact can be."""


class GoneError(ArtifactError):
    """Its source does not have it any more, or does not give it to us."""


class MismatchError(ArtifactError):
    """The source sent something else than the reference promises; it was thrown away."""


class UnavailableError(ArtifactError):
    """The source was not reached for a while; what has arrived is kept for the next try."""


class StoreError(ArtifactError):
    """The store cannot be opened, read or written."""


class StoreFullError(StoreError):
    """There is no room, and nothing that may be thrown away for it."""


class TooBigError(StoreError):
    """It is more than the whole quota: there will be no room for it later either."""


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Say what the operating system refused in a sentence that names the file, or `place`.

    Raises:
        StoreError: it refused something.
    """
    try:
        yield
    except OSError as error:
        kind = StoreFullError if error.errno in (ENOSPC, EDQUOT) else StoreError
        raise kind(f"{error.filename or place}: {error.strerror}") from error

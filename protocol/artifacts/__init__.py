"""Artifacts: what is too big for a message, kept by SHA-256 and fetched over HTTP.

A device keeps a big output in its `store`, answers for it over HTTP (`serving`), and sends a
reference (`Artifact`) in its place. Whoever wants the content fetches it from there (`fetching`),
goes on where it was interrupted, and verifies it. The store lets go of what a run made when the
coordinator says that the run is forgotten.

The modules that need a web server or client are imported by those who use them.
"""

from protocol.artifacts.errors import (
    ArtifactError,
    BadReferenceError,
    GoneError,
    MismatchError,
    StoreError,
    StoreFullError,
    TooBigError,
    UnavailableError,
)
from protocol.artifacts.reference import KEY, Artifact, Content

__all__ = [
    "KEY",
    "Artifact",
    "ArtifactError",
    "BadReferenceError",
    "Content",
    "GoneError",
    "MismatchError",
    "StoreError",
    "StoreFullError",
    "TooBigError",
    "UnavailableError",
]

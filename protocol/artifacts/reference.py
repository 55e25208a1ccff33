"""What travels in the place of something big: a small JSON object.

```json
{"$artifact": {"sha256": "9f86…", "size_bytes": 1073741824, "media_type": "application/zip",
               "name": "logs.zip", "urls": ["http://example.org:8470/artifacts/9f86…"],
               "token": "a capability"}}
```
The token opens this one artifact and nothing else: a reference is worth as much as its content,
and is kept as safe. A URL ends with `/artifacts/` and the hash, so that a reference cannot make a
device call anything else. Media types `application/json` and `text/*` stand for a JSON value and
a text; any other is a file.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, ValidationError
from typing_extensions import TypedDict

from protocol.artifacts.errors import BadReferenceError
from protocol.types import Json

KEY: Final = "$artifact"
PATH: Final = "/artifacts/"
JSON: Final = "application/json"


class Content(BaseModel):
    """What is promised, and where it is."""

    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0, lt=2**63)]
    media_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+$", max_length=128)]
    name: Annotated[str, Field(max_length=255)] = ""
    """What the file was called; may be empty."""
    urls: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    token: Annotated[str, Field(pattern=r"^[\w.~+/=-]+$", max_length=256)]


def _at_home(form: "_Form") -> "_Form":
    content = form["$artifact"]
    for url in content.urls:
        if not url.startswith(("http://", "https://")) or not url.endswith(PATH + content.sha256):
            raise ValueError(f"{url} is no address of this artifact")
    return form


_Form = TypedDict("_Form", {"$artifact": Content})


class Artifact(RootModel[Annotated[_Form, AfterValidator(_at_home)]]):
    """A reference to something big that a device keeps."""

    @classmethod
    def of(cls, content: Content) -> "Artifact":
        """Wrap what a reference says."""
        return cls({"$artifact": content})

    @classmethod
    def read(cls, value: Json, place: str = "value") -> "Artifact":
        """Read a reference.

        Raises:
            BadReferenceError: it is none; the error names `place`.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            where = ".".join([place, *(str(step) for step in detail["loc"])])
            raise BadReferenceError(f"{where}: no artifact reference: {detail['msg']}") from error

    @property
    def content(self) -> Content:
        """What is promised, and where it is."""
        return self.root["$artifact"]

    def plain(self) -> Json:
        """Return it as JSON."""
        plain: Json = self.model_dump(mode="json")
        return plain


def references(value: Json, place: str) -> Iterator[tuple[str, Artifact]]:
    """Yield every reference in `value` with its place, in order.

    Raises:
        BadReferenceError: something has the key of a reference, and is none.
    """
    match value:
        case Mapping() if KEY in value:
            yield place, Artifact.read(value, place)
        case Mapping():
            for key, item in value.items():
                yield from references(item, f"{place}.{key}")
        case list() | tuple():
            for number, item in enumerate(value):
                yield from references(item, f"{place}.{number}")
        case _:
            return


def replaced(value: Json, content: Callable[[Json], Json]) -> Json:
    """Return `value` with `content(reference)` in the place of every reference."""
    match value:
        case Mapping() if KEY in value:
            return content(value)
        case Mapping():
            return {key: replaced(item, content) for key, item in value.items()}
        case list() | tuple():
            return [replaced(item, content) for item in value]
        case _:
            return value

"""The part of a settings file that says where a model is, and how long to wait for it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue, PositiveFloat

from protocol.chat.dialect import Dialect, Format
from protocol.chat.patience import DEFAULT_PATIENCE, Patience
from protocol.settings import LocalPath, Section, SettingsError


class EndpointSection(Section):
    """Which model, behind which URL."""

    base_url: Annotated[str, Field(pattern=r"^https?://")]
    model: str
    key_env: str | None = None
    """The environment variable with the key, so that it is in no configuration or command line."""
    key_file: LocalPath | None = None
    """A file with the key."""
    key_header: str = "authorization"
    headers: Mapping[str, str] = {}
    extra: Mapping[str, JsonValue] = {}

    format: Format = Format.SCHEMA
    """The strongest way to ask for JSON that is tried."""
    stream: bool = True
    first_token_s: PositiveFloat = DEFAULT_PATIENCE.first_token_s
    idle_s: PositiveFloat = DEFAULT_PATIENCE.idle_s
    total_s: PositiveFloat = DEFAULT_PATIENCE.total_s

    @property
    def dialect(self) -> Dialect:
        """How the server is asked at first."""
        return Dialect(format=self.format, stream=self.stream)

    @property
    def patience(self) -> Patience:
        """How long to wait."""
        return Patience(self.first_token_s, self.idle_s, self.total_s)

    def key(self, table: str, environment: Mapping[str, str]) -> str | None:
        """Return the key, if there is one.

        Args:
            table: where this section is in its file, such as `planner.llm`.
            environment: usually `os.environ`.

        Raises:
            SettingsError: it is not where it should be.
        """
        if self.key_env is not None:
            if key := environment.get(self.key_env, "").strip():
                return key
            raise SettingsError(
                f"{table}.key_env: the environment variable {self.key_env} is not set: put the"
                " key there, or name another"
            )
        if self.key_file is None:
            return None
        try:
            if key := self.key_file.read_text(encoding="utf-8").strip():
                return key
        except (OSError, ValueError) as error:
            raise SettingsError(f"{table}.key_file: {error}: put the key there") from error
        raise SettingsError(f"{table}.key_file: {self.key_file} is empty: put the key there")

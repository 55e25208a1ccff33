"""What the result of a task must be: pure."""

import re
import textwrap
from collections.abc import Mapping
from typing import Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from pydantic_core import from_json
from referencing import Registry
from referencing.exceptions import Unresolvable

from agents.skills import BadInputError
from protocol.chat.embedded import candidates
from protocol.types import Json

_UNUSABLE: Final = (SchemaError, Unresolvable, re.error, RecursionError)


class Result:
    """A text, or JSON that fits a schema.

    Args:
        schema: JSON Schema 2020-12, which refers to nothing outside of itself.

    Raises:
        BadInputError: it is no schema.
    """

    def __init__(self, schema: Mapping[str, Json] | None) -> None:
        self._validator = None
        if schema is None:
            return
        try:
            Draft202012Validator.check_schema(schema)
        except _UNUSABLE as error:
            words = textwrap.shorten(str(error), 300)
            raise BadInputError(f"result_schema is no JSON Schema: {words}") from error
        # An empty registry: nothing is fetched from anywhere.
        self._validator = Draft202012Validator(schema, registry=Registry())

    def read(self, text: str) -> tuple[Json, str]:
        """Return the result in an answer, and what is wrong with it, if anything.

        Raises:
            BadInputError: the schema cannot be used.
        """
        words, *_ = parts = list(candidates(text))
        if self._validator is None:
            return words, ""
        wrong = "it is no JSON"
        for part in parts:
            try:
                value: Json = from_json(part, allow_inf_nan=False)
            except ValueError:
                continue
            fault = self._fault(value)
            if fault is None:
                return value, ""
            wrong = fault
        return None, wrong

    def _fault(self, value: Json) -> str | None:
        assert self._validator  # noqa: S101  asked for with a schema alone
        try:
            fault = best_match(self._validator.iter_errors(value))
        except _UNUSABLE as error:
            raise BadInputError(f"result_schema cannot be used: {error}") from error
        return fault and f"{fault.json_path}: {textwrap.shorten(fault.message, 300)}"

"""What every settings section has in common."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """Frozen, refuses unknown keys, takes ``camelCase`` as in the original and ``snake_case`` alike."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=False,
    )

    @field_validator("*")
    @classmethod
    def _expand_home(cls, value: Any) -> Any:
        # No shell has looked at a path that comes from a file, a unit or a quoted word.
        return Path(os.path.expanduser(value)) if isinstance(value, Path) else value

"""What every settings section has in common, and the words in which sections are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["Field", "SecretStr", "Section", "field_validator", "model_validator"]

if TYPE_CHECKING:
    # Declared in pydantic's words, which the type checker knows; `declared` says why they are not pydantic's at runtime.
    from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

    class Section(BaseModel):
        """Frozen, refuses unknown keys, takes ``camelCase`` as in the original and ``snake_case`` alike."""

        model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
else:
    from openclaw_oauthrouter.config.declared import Declared, Field, SecretStr, field_validator, model_validator

    class Section(Declared):
        """Frozen, refuses unknown keys, takes ``camelCase`` as in the original and ``snake_case`` alike."""

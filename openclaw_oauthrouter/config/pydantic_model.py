"""The pydantic model of a section: says what is wrong with settings, corrects what can be, and describes them as JSON Schema."""

from __future__ import annotations

import os.path
from functools import cache
from pathlib import Path
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import core_schema

from openclaw_oauthrouter.config.declared import MISSING, Declared, SecretStr
from openclaw_oauthrouter.config.spelling import camel


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=camel, populate_by_name=True)

    @pydantic.field_validator("*")
    @classmethod
    def _expand_home(cls, value: Any) -> Any:
        return Path(os.path.expanduser(value)) if isinstance(value, Path) else value


@cache
def model_of(section: type[Declared]) -> type[BaseModel]:
    """The same declaration for pydantic: settings, bounds, meanings and checks."""
    checks: dict[str, Any] = {
        name: pydantic.field_validator(*check.names, mode="before" if check.before else "after")(check.method)
        if check.names
        else pydantic.model_validator(mode="after")(check.method)
        for name, check in section.declared_checks.items()
    }
    fields: dict[str, Any] = {}
    for name, setting in section.model_fields.items():
        said: dict[str, Any] = {"repr": setting.shown, **setting.bounds}
        if setting.description:
            said["description"] = setting.description
        if setting.factory is not None:
            said["default_factory"] = setting.factory
        elif setting.default is not MISSING:
            said["default"] = setting.default
        fields[name] = (setting.annotation, pydantic.Field(**said))
    return pydantic.create_model(
        section.__name__,
        __base__=_Section,
        __doc__=section.__doc__,
        __module__=section.__module__,
        __validators__=checks,
        **fields,
    )


def read_by_pydantic(section: type[Declared], given: object) -> tuple[dict[str, Any], frozenset[str]]:
    """The values of all settings, and the names of those given.

    :raises pydantic.ValidationError: naming everything that is wrong
    """
    return _taken(section, model_of(section).model_validate(given))  # type: ignore[arg-type]  # mypy mistakes __hash__ of objects for the class's


def _taken(section: type[Declared], read: BaseModel) -> tuple[dict[str, Any], frozenset[str]]:
    return {name: getattr(read, name) for name in section.model_fields}, frozenset(read.model_fields_set)


def section_schema(section: type[Declared], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    """Has a section within another be read by its own model, and be the section afterwards."""

    def read(given: Any, inner: core_schema.ValidatorFunctionWrapHandler) -> Any:
        return given if isinstance(given, section) else section._made(*_taken(section, inner(given)))

    return core_schema.no_info_wrap_validator_function(
        read,
        handler(model_of(section)),  # type: ignore[arg-type]
        serialization=core_schema.plain_serializer_function_ser_schema(_dumped, info_arg=True),
    )


def _dumped(section: Declared, info: core_schema.SerializationInfo[Any]) -> Any:
    return section.model_dump(mode="json", by_alias=bool(info.by_alias))


def secret_schema(kind: type[SecretStr]) -> core_schema.CoreSchema:
    """A text that becomes a secret; what it looks like in JSON Schema is pydantic's."""
    return core_schema.no_info_wrap_validator_function(
        lambda given, inner: given if isinstance(given, kind) else kind(inner(given)),
        core_schema.str_schema(metadata={"pydantic_js_updates": {"format": "password", "writeOnly": True}}),
        serialization=core_schema.plain_serializer_function_ser_schema(str),
    )

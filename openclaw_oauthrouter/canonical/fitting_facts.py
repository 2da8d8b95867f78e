"""What the rules of fitting go by, for one request and the model that shall answer it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.request import Note


@dataclass(slots=True)
class Facts:
    """One request at one model.

    :ivar relayed: the provider speaks the client's dialect
    :ivar same: and the client wrote the body for this very model
    :ivar adds_tools: the conversation adds or removes tools in its system messages
    :ivar notes: what the rules changed
    """

    info: ModelInfo
    accepts: Accepts
    dialect: str
    relayed: bool
    same: bool
    adds_tools: bool
    notes: list[Note] = field(default_factory=list)

    @property
    def can_change_tools(self) -> bool:
        """Whether tools may come and go within the conversation: additions and removals stand in system messages of it."""
        return self.relayed and self.accepts.tool_changes and (self.accepts.system_messages or not self.adds_tools)

    def note(self, action: Literal["dropped", "repaired", "mapped"], subject: str, reason: str) -> None:
        """Keep what a rule did."""
        self.notes.append(Note(action, subject, reason))

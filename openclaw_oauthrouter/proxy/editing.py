"""What the dashboard may change in a running gateway: its configuration file, its store, and how a change comes into force."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.changes.credentials import RemovedCredentials
from openclaw_oauthrouter.changes.settings_file import Plan, SettingChange, SettingsFile
from openclaw_oauthrouter.changes.sign_in import SignIn
from openclaw_oauthrouter.errors import ConfigurationError, InvalidRequestError

Reload = Callable[[], str | None]
"""Takes the file into force; answers why it could not be."""


@value(frozen=True, slots=True)
class Editing:
    """A gateway that can be changed: one that was started from a file.

    :ivar reload: takes the file into force
    """

    file: SettingsFile
    reload: Reload
    removed: RemovedCredentials
    sign_in: SignIn
    new_token: Callable[[], Secret]

    def plan(self, wanted: Sequence[SettingChange]) -> Plan:
        """Work a change out.

        :raises InvalidRequestError: the settings would be wrong with it
        """
        try:
            return self.file.plan(wanted)
        except ConfigurationError as error:
            raise InvalidRequestError(error.message, param="value", code="invalid_setting") from None

    def make(self, plan: Plan) -> None:
        """Write a change and take it into force; one that the gateway cannot serve with is taken back.

        :raises ConflictError: the file was changed meanwhile
        :raises InvalidRequestError: the gateway cannot serve with it
        """
        self.file.make(plan)
        problem = self.reload()
        if problem is None:
            return
        if plan.change.edits:
            self.file.make(self.file.plan_undo(plan.change.name))
            self.reload()
        raise InvalidRequestError(f"the gateway cannot serve with this change: {problem}", param="value", code="invalid_setting")

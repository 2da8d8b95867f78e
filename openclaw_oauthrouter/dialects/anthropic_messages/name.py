"""The dialect's name, in a module of its own so that every part of the package can say it."""

DIALECT = "anthropic_messages"

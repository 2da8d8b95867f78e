"""Answers kept by their clients' wish."""

from openclaw_oauthrouter.kept.store import KeptAnswers

__all__ = ["KeptAnswers"]

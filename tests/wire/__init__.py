"""Recorded streams of real providers, judged by the vendors' own SDKs."""

"""The OpenClaw host; the only room that knows it."""

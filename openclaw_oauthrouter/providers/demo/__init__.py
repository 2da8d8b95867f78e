"""A small upstream on loopback that speaks Anthropic Messages and OpenAI Responses, so that the gateway can run its whole pipeline without credentials."""

"""The sending side: transport, retry, fallback before the first event."""

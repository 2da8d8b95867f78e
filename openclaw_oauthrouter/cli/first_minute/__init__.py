"""The first minute: what ``serve`` asks, or says, while there is no credential yet."""

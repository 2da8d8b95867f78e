"""Where credentials lie, and how those that are ours to renew are renewed."""

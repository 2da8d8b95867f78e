"""Whether a request may be served: client keys, budgets, allow-lists."""

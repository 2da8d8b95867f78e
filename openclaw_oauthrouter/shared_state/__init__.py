"""What several gateways of a team know together, through Redis: cooldowns, windows, conversations. Their ledger is a store of ``policy``."""

"""What several gateways of a team know together, through Redis."""

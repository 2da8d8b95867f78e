"""What is remembered of each request, and who is told."""

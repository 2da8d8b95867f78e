"""What is known of models: shipped rows, families, a published ranking, providers by name, fetched lists, and references to all of these."""

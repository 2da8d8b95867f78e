"""What is known of providers, models and credentials being out of order."""

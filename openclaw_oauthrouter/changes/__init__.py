"""What commands and the dashboard change for the user: settings, credentials, client keys; shown before, undone after."""

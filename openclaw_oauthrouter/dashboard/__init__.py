"""The page a user watches: one file a panel."""

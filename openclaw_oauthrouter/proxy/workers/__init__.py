"""Several processes that serve one port as one gateway (``serve --workers N``)."""

"""How capable a model a request needs, found out locally in microseconds."""

"""How capable a model a request needs, judged locally in microseconds."""

"""From a model id or a classification to the models that will be tried."""

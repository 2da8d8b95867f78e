"""What SDKs and frameworks do in the end-to-end stage: one program each, run in that client's own environment; prints what came of it as JSON."""

"""Wire protocols: pure translation between one vendor's words and the canonical ones."""

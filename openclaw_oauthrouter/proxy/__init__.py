"""The listening side; the only room that imports quart and hypercorn."""

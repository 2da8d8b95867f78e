"""The vendor-free vocabulary every room shares; no library but the one its classes are made of (``value.py``), no I/O."""

"""The vendor-free vocabulary every room shares; standard library only, no I/O."""

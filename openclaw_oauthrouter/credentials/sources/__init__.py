"""The places where credentials lie, one file each."""

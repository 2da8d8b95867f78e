"""Puts together the shipped model catalog from published tables and our own corrections."""

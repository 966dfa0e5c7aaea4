"""A built folder, read again: is it whole, what is in it, and how it differs from another."""

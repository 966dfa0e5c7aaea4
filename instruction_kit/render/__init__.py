"""Examples and a template become pairs."""

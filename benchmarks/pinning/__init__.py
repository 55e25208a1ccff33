"""Pinning against its rivals: one memory-bound device, simulated over the product's own rules."""

"""Ratios against stated ceilings, both sides measured in one run: machines differ, and all of them are noisy."""

"""Fernhill, a made-up outdoor shop with a wholesale arm: the sample company of `make demo`."""

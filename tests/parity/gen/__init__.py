"""The parity fixtures of gradus: recorded PyTorch runs, one module for each group.

``fixture`` stores cases and checks them, ``draw`` makes the numbers, every other module holds the
cases of a group (or of a part of one) and says how PyTorch runs them.
"""

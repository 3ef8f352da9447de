"""Metric buckets and their coverage: loading, merging, reading."""

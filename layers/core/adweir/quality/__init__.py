"""Cleaning, rules, scores, quarantine."""

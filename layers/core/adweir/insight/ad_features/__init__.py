"""Features of ads and ad accounts, recorded point in time: docs/features.md.

`model.feature_columns` says what a row has.
"""

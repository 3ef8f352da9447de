"""Anomalies: one detector behind the function `detect`, `adweir detect FILE` and `adweir.detect` (docs/anomalies.md).

Pure Python: `api` and the library score with it too, and they have no numpy. `detector` scores a series value by value,
`rates` a ratio by its counts, `discoveries` weighs what a whole run found.
"""

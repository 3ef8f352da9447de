"""Files: tables of any format, dropped under `drops/` (docs/drops.md)."""

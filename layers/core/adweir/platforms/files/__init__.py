"""Files: CSV in our own columns, dropped under `drops/` (docs/data-model.md, "File drops")."""

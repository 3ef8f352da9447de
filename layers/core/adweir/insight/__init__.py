"""Media-mix datasets; later anomalies, bandits, insights."""

"""Media-mix datasets: tidy rows, the wide model input, its gates and its manifest."""

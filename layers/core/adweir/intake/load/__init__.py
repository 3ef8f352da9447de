"""From an object that arrived in S3 to stored numbers: what `validate` runs."""

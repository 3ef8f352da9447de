"""Raw objects in S3: pages, headers, objects."""

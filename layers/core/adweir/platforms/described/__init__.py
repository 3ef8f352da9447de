"""APIs by description: what a JSON spec can say about a reporting API, and how its answers become ours.

`platforms/generic` pulls by it. Nothing here knows a platform, a table or a bucket.
"""

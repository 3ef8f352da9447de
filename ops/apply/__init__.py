"""`adweir apply` and `adweir describe`: a deployment as a file."""

"""adweir as a library: the platforms' connectors and normalizers for one credential, without AWS (docs/library.md).

Callers reach it as `adweir.client`, `adweir.normalize`, `adweir.combine` and `adweir.retry_with_backoff`.
"""

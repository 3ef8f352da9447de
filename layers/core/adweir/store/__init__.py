"""Tables, metric buckets, the ledger, raw objects, secrets."""

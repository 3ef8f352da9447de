"""Amazon Ads: Login with Amazon, profiles, entity lists, asynchronous reports (platform-protocols section 3).

What the registry expects of a platform's package: `connect`, `NORMALIZER`, `SPECS`.
"""

"""Country packs."""

SUPPORTED_COUNTRIES = ("DE", "GB", "US")

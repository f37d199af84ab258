"""The one table: sorted by its heads, short blocks on a phone, and, if wanted, a row can be chosen."""

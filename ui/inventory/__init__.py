"""The page “Jobs & data”: what is computed, the networks and data sets with their results, and the cache."""

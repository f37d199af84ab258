"""By which method relevance is computed, and how many units are marked."""

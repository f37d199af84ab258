"""The Data sets page: an archive or a folder is looked at and registered; those there are."""

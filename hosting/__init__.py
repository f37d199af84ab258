"""The dashboard for many: several servers behind nginx, on one cache. `python -m hosting --help`."""

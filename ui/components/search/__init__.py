"""One search over everything that is stored of a data set."""

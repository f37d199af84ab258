"""Which outputs of a network are which class of a data set, and which images show it."""

"""The ten classes, one module each; every maker takes a random generator and returns a `Thing`."""

"""The Relevance page: for which classes a network's layers and units matter, and where in the images."""

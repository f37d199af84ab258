"""COCO's files (Lin et al. 2014): its JSON, streamed; run-length codes; polygons."""

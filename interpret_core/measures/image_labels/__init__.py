"""Labels of whole images: how well largest responses tell images that bear one from the others."""

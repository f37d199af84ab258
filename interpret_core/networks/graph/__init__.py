"""A network as a graph: traced or watched, run with taps, cut at a layer, gone on with."""

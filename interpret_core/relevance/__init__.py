"""Which classes a unit matters for: integrated gradients per unit, and what follows from them."""

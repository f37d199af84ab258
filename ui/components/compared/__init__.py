"""The box that chooses networks to compare with."""

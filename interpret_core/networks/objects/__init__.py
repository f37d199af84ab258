"""Networks as Python objects: what they consist of, in code and data, and copies that lead nowhere else."""

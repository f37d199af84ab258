"""The Ablation page: silence units, and see at once what the network can no longer do."""

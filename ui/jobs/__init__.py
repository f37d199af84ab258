"""What stands where something is not computed: what it would be, what it costs, its progress."""

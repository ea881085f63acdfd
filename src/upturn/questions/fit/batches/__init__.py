"""Batches: fits written batch by batch, by threads, processes or a cluster."""

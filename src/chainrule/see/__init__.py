"""What a graph did, forward and backward, one deposit at a time: recorded, replayed and shown."""

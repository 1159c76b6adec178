"""What lies under the engine: what an operation is, the modes of recording, locks, files, pickles."""

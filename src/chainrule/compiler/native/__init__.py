"""Native code: LLVM, memory, threads, and the cache of compiled kernels on disk."""

//! The thread pool, and the one switch between serial and parallel.

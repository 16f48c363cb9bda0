//! Nothing: the suites are in `it/`, in one test binary.

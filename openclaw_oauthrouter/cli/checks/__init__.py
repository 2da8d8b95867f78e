"""What ``doctor`` looks at, from the interpreter to the host: one module for each part of the way a request takes."""

//! Spec-driven code generation for Python: the command line.

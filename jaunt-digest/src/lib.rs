//! Digests, headers and layout of generated Python modules.

//! A second opinion on every outline: an independent parser.

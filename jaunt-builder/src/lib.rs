//! Internal component of jaunt: plans and runs a build.

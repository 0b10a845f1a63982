//! Internal component of jaunt: generates tests and runs them with pytest.

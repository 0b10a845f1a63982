def pytest_sessionfinish(session, exitstatus):
    raise RuntimeError("finish hook")

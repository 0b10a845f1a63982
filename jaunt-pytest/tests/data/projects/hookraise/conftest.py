def pytest_runtest_logreport(report):
    if report.when == "call" and report.nodeid.endswith("test_2"): raise RuntimeError("hook")

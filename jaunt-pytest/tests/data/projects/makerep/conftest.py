import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    o = yield
    r = o.get_result()
    if r.when == "call" and r.passed and item.name == "test_flip":
        r.outcome = "failed"; r.longrepr = "flipped - by hook"

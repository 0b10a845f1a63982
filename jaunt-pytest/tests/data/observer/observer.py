"""What happened in a run, by other means than jaunt's plugin: kept apart from it on purpose.

It takes down every report when all others are done with it; whoever reads the notes adds up.
"""

import json
import os

import pytest

TARGET = os.environ.pop("OBSERVED", None)
PROCESS = os.getpid()
_open = open
_dumps = json.JSONEncoder(ensure_ascii=True).encode
_getpid = os.getpid
_sessions = []


def _message(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    return getattr(crash, "message", "").encode("utf-8", "backslashreplace").decode()


class Observer:
    def __init__(self, path):
        self.file = path

    def note(self, **what):
        if _getpid() != PROCESS:
            return
        with _open(self.file, "a") as file:
            file.write(_dumps(what) + "\n")

    @pytest.hookimpl(trylast=True)
    def pytest_collectreport(self, report):
        if not report.passed:
            self.note(
                id=report.nodeid,
                when="collect",
                outcome=report.outcome,
                message=_message(report),
            )

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_logreport(self, report):
        yield
        self.note(
            id=report.nodeid,
            when="call" if report.when == "???" else report.when,
            outcome=report.outcome,
            message=_message(report),
            expected=hasattr(report, "wasxfail"),
            subtest=hasattr(report, "context"),
        )

    def pytest_warning_recorded(self):
        self.note(warning=True)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_sessionfinish(self):
        yield
        self.note(finished=True)


def pytest_configure(config):
    if TARGET and not _sessions and not hasattr(config, "workerinput"):
        _sessions.append(config)
        config.pluginmanager.register(Observer(TARGET))

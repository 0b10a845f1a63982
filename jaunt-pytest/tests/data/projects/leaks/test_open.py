import builtins, json
from unittest import mock
def test_1():
    mock.patch("builtins.open", side_effect=OSError("mocked")).start()
def test_2(): assert 0, "after mock"
def test_3(): pass

from unittest import mock
def test_1():
    mock.patch("json.dumps", side_effect=OSError("mocked")).start()
    mock.patch("os.write", side_effect=OSError("mocked")).start()
    mock.patch("os.open", side_effect=OSError("mocked")).start()
def test_2(): assert 0, "after mock"
def test_3(): pass

import pytest


# xdist itself cannot transport these.
def test_message():
    raise ValueError("\udc80 lone")


@pytest.mark.parametrize("x", ["\udc80"])
def test_id(x):
    print(ascii(x))
    assert not x

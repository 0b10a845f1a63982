import pytest
def test_sub(subtests):
    for i in range(4):
        with subtests.test(msg="m", i=i):
            assert i % 2 == 0
def test_sub_ok(subtests):
    with subtests.test("fine"):
        pass
def test_sub_skip(subtests):
    with subtests.test("s"):
        pytest.skip("no")
def test_sub_xfail(subtests):
    with subtests.test("xf"):
        pytest.xfail("known")
def test_plain(): assert 0, "plain"
def test_sub_noname(subtests):
    with subtests.test():
        assert 0, "nameless"

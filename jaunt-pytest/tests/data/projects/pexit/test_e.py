import pytest
def test_1(): pass
def test_2(): assert 0, "before"
def test_3(): pytest.exit("enough - really", returncode=0)
def test_4(): assert 0

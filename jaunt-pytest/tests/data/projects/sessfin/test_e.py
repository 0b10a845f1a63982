def test_1(): pass
def test_2(): assert 0, "bad"

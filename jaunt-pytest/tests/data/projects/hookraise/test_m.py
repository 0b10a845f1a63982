def test_1(): pass
def test_2(): assert 0
def test_3(): pass

def test_flip(): pass
def test_2(): pass

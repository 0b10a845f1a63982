def test_a(): raise ValueError
def test_b(): raise ValueError("")
def test_c(): raise ValueError("\n\nlate")
def test_d(): assert False
def test_e(): raise KeyError("a - b")
class E(Exception):
    def __str__(self): raise RuntimeError("bad str")
def test_f(): raise E()

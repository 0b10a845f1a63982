import unittest
class T(unittest.TestCase):
    def setUp(self):
        if self.id().endswith("test_c"): raise ValueError("setup")
    def tearDown(self):
        if self.id().endswith("test_d"): raise ValueError("teardown")
    def test_a(self): pass
    def test_b(self): self.assertEqual(1,2)
    def test_c(self): pass
    def test_d(self): pass
    @unittest.skip("no")
    def test_e(self): pass
    @unittest.expectedFailure
    def test_f(self): assert 0
    @unittest.expectedFailure
    def test_g(self): pass
class S(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError("class setup")
    def test_h(self): pass

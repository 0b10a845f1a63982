import pytest
def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".txt" and file_path.name.startswith("test"):
        return F.from_parent(parent, path=file_path)
class F(pytest.File):
    def collect(self):
        for line in self.path.read_text().splitlines():
            yield I.from_parent(self, name=line)
class I(pytest.Item):
    def runtest(self):
        if "bad" in self.name: raise ValueError(self.name)
    def repr_failure(self, excinfo): return "item failed: %s\nsecond line" % self.name
    def reportinfo(self): return self.path, 0, "case: " + self.name

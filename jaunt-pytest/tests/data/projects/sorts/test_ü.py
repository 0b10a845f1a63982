# -*- coding: utf-8 -*-
import pytest
def test_größe(): assert 0, "größe – ☃ 😀"
@pytest.mark.parametrize("x",["ä","漢"])
def test_p(x): assert x == "b"
def test_emoji():
    print("\U0001F600")
    assert "\U0001F600" == ""

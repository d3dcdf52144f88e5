from pathlib import Path

import pytest

import golden


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    monkeypatch.delenv(golden.UPDATE, raising=False)
    return tmp_path


def test_the_same_text_passes(folder: Path) -> None:
    (folder / "a.txt").write_text("z = W @ x\n", encoding="utf-8")
    golden.check_golden("a.txt", "z = W @ x\n")


def test_a_difference_fails_with_a_diff_and_the_cure(folder: Path) -> None:
    (folder / "a.txt").write_text("z = W @ x\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception) as failure:
        golden.check_golden("a.txt", "z = x @ W\n")
    message = str(failure.value)
    assert "-z = W @ x\n+z = x @ W\n" in message
    assert "a.txt differs from its golden file. If the new text is right: pytest --update-golden" in message


def test_a_lost_line_end_is_a_difference(folder: Path) -> None:
    (folder / "a.txt").write_text("z = W @ x\n", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match="only line ends differ"):
        golden.check_golden("a.txt", "z = W @ x")


@pytest.mark.parametrize("text", ["", "z = W @ x\n"])
def test_a_missing_file_fails(folder: Path, text: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="has no golden file yet"):
        golden.check_golden("a.txt", text)
    assert list(folder.iterdir()) == []


def test_an_update_writes_what_later_passes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(golden.UPDATE, "1")
    golden.check_golden("below/a.txt", "∂L/∂z\n")
    monkeypatch.delenv(golden.UPDATE)
    golden.check_golden("below/a.txt", "∂L/∂z\n")
    assert (folder / "below" / "a.txt").read_bytes() == "∂L/∂z\n".encode()

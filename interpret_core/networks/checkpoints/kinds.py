"""What a file is that holds no tensors as `torch.save` or safetensors write them, and how to get at them."""

from __future__ import annotations

import zipfile
from pathlib import Path

SAFETENSORS = ".safetensors"
_PAGE = (b"<!doctype", b"<html", b"<?xml")
_START = 512  # bytes that tell


def other_kind(file: Path) -> str:
    """What the file is instead of weights, with the line that helps; empty where it may hold weights.

    Args:
        file: readable.

    Returns:
        The end of a sentence that begins with "Weights file … is".
    """
    with file.open("rb") as opened:
        start = opened.read(_START)
    if not start:
        return "is empty: save or fetch it again."
    if start.startswith(b"version https://git-lfs.github.com"):
        return "is a Git LFS pointer, not the weights: run `git lfs pull` where it was cloned."
    if start.lstrip().lower().startswith(_PAGE):
        return (
            "is a web page, not the weights: what was saved is an error or a log-in page; fetch the file "
            "itself from its direct address."
        )
    if start.startswith(b"\x89HDF"):
        return "is an HDF5 file of Keras: Unitscope reads networks of PyTorch."
    if start[8:9] == b"{":  # after eight bytes that say how long it is, safetensors' own heading
        return ""
    if start.startswith(b"\x1f\x8b") or start[257:262] == b"ustar":
        return "is an archive: unpack it, and name the file inside."
    if _is_onnx(start):
        return (
            "is an ONNX model, whose graph is no PyTorch module: convert it once, with onnx2torch: "
            f'torch.save(onnx2torch.convert("{file.name}").state_dict(), "weights.pth").'
        )
    return _is_script(file) or _is_misnamed(file, start)


def _is_onnx(start: bytes) -> bool:
    """A protobuf message: a small version number first, then the producer's name or the graph."""
    return len(start) > 3 and start[0] == 0x08 and start[1] < 32 and start[2] in (0x12, 0x1A, 0x3A)


def _is_script(file: Path) -> str:
    """An archive of `torch.jit.save` has code beside its tensors."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except zipfile.BadZipFile:  # no archive, or a damaged one: whoever reads it says so
        return ""
    if "constants.pkl" not in names and not any(name.startswith("code/") for name in names):
        return ""
    return (
        "is a TorchScript archive, which holds a program: take its tensors out once: "
        f'torch.save(torch.jit.load("{file.name}", "cpu").state_dict(), "weights.pth").'
    )


def _is_misnamed(file: Path, start: bytes) -> str:
    """What `torch.save` wrote is an archive, or a pickle, whatever it is called."""
    if file.suffix != SAFETENSORS or start[:1] not in (b"P", b"\x80"):
        return ""
    return (
        f"was written by torch.save, though its name ends in {SAFETENSORS}: write it anew: "
        f'safetensors.torch.save_file(module.state_dict(), "{file.name}"); or name it .pth.'
    )

"""Reads .zst files through the libzstd that sluice links (Python's standard library has no zstd).

    zstd.py FILE...        writes what is in them to standard output, one after the other
"""
import ctypes
import ctypes.util
import sys


class _Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("place", ctypes.c_size_t)]


def _library():
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_freeDStream.argtypes = [ctypes.c_void_p]
    library.ZSTD_decompressStream.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Buffer), ctypes.POINTER(_Buffer)]
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]
    return library


def lines(path):
    """The lines of a file of zstd frames, or of a plain file, as bytes without their end."""
    with open(path, "rb") as f:
        if f.read(4) != b"\x28\xb5\x2f\xfd":
            f.seek(0)
            yield from (line.rstrip(b"\n") for line in f)
            return
        f.seek(0)
        rest = b""
        for piece in _pieces(f):
            parts = (rest + piece).split(b"\n")
            rest = parts.pop()
            yield from parts
        if rest:
            yield rest


def _pieces(f):
    library = _library()
    stream = library.ZSTD_createDStream()
    room = ctypes.create_string_buffer(1 << 20)
    try:
        while data := f.read(1 << 20):
            source = ctypes.create_string_buffer(data, len(data))
            read = _Buffer(ctypes.cast(source, ctypes.c_void_p), len(data), 0)
            while True:
                written = _Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
                code = library.ZSTD_decompressStream(stream, ctypes.byref(written), ctypes.byref(read))
                if library.ZSTD_isError(code):
                    raise ValueError("%s: damaged zstd frame" % f.name)
                if written.place:
                    yield room.raw[:written.place]
                if read.place == read.size and written.place < written.size:
                    break
    finally:
        library.ZSTD_freeDStream(stream)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for one in lines(name):
            sys.stdout.buffer.write(one + b"\n")

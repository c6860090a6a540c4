"""WARC records and gzip members, byte for byte the same in every run. Python's standard library only."""
import hashlib
import struct
import uuid
import zlib

NAMESPACE = uuid.UUID("8d5f3a52-6f0e-5c0e-9a51-0d6b7c1f2e11")


def gzip_member(data, level=9):
    """One gzip member without a time or a name in its header (gzip.compress differs between Python versions)."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    header = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    return header + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def record(kind, block, url=None, date="2024-05-01T00:00:00Z", mime=None, length=None, key="", extra=()):
    """One WARC/1.1 record. `length` overrides the true Content-Length; `key` tells apart records of one URL."""
    name = uuid.uuid5(NAMESPACE, "%s %s %s %s" % (kind, url, key, hashlib.sha1(block).hexdigest()))
    lines = ["WARC/1.1", "WARC-Type: " + kind, "WARC-Record-ID: <urn:uuid:%s>" % name, "WARC-Date: " + date]
    if url:
        lines.append("WARC-Target-URI: " + url)
    lines += ["%s: %s" % pair for pair in extra]
    if mime:
        lines.append("Content-Type: " + mime)
    lines.append("Content-Length: %s" % (len(block) if length is None else length))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def http_response(body, mime="text/html; charset=utf-8", status="200 OK", headers=()):
    """An HTTP/1.1 response as a server sends it; `body` is taken as it is."""
    lines = ["HTTP/1.1 " + status, "Content-Type: " + mime, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % pair for pair in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(body, size=700):
    """The body in HTTP's chunked transfer coding."""
    parts = []
    for start in range(0, len(body), size):
        piece = body[start:start + size]
        parts.append(b"%x\r\n%s\r\n" % (len(piece), piece))
    return b"".join(parts) + b"0\r\n\r\n"


def response(url, body, **options):
    """A response record of one page; options of `record` are `date`, `key`, `length`, `extra`."""
    outer = {k: options.pop(k) for k in ("date", "key", "length", "extra") if k in options}
    return record("response", http_response(body, **options), url, mime="application/http; msgtype=response", **outer)


def warcinfo(text, name):
    return record("warcinfo", text.encode(), mime="application/warc-fields", key=name, extra=[("WARC-Filename", name)])


def request(url, date="2024-05-01T00:00:00Z"):
    host = url.split("/")[2]
    path = url.split(host, 1)[1] or "/"
    block = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: example-crawler\r\n\r\n" % (path, host)
    return record("request", block.encode(), url, date, mime="application/http; msgtype=request")

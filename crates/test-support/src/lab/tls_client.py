"""Completes a handshake with a server of the lab through tlslite-ng and asks for `/`.

Arguments: address, port, minor version (0 = SSLv3 ... 4 = TLS 1.3). Prints the version that was negotiated.
"""
import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection

minor = int(sys.argv[3])
settings = HandshakeSettings()
settings.minVersion = settings.maxVersion = (3, minor)
settings.versions = [(3, minor)]
settings.eccCurves = ["x25519", "secp256r1", "secp384r1"]
settings.keyShares = ["x25519"]
connection = TLSConnection(socket.create_connection((sys.argv[1], int(sys.argv[2])), 20))
connection.handshakeClientCert(settings=settings, serverName="good.lab.example")
# In two records in any version: a server must have read both before it answers and closes.
connection.sendall(b"GET / HTTP/1.0\r\n")
connection.sendall(b"\r\n")
# Old versions send the first byte in a record of its own, so one read is not enough.
answer = connection.read(max=4096, min=12)
assert answer.startswith(b"HTTP/1.1 200"), "no answer inside the session: %r" % answer
print(connection.version[1])

"""A TLS server of the loopback lab.

Reads its settings as JSON from the first argument, binds port 0 of a loopback address, prints `listening PORT` and
serves until its standard input ends. Every completed session is answered as a tiny HTTP server would, or by another
one behind.

Settings: address, stack ("openssl" or "tlslite"), minimum and maximum (0 = SSLv3 ... 4 = TLS 1.3), default (name in
`certificates`), certificates (name -> [chain file, key file, [server names]]), ciphers (OpenSSL string), curve, dh
(file with parameters), settings (attributes of tlslite's HandshakeSettings), anonymous, backend (address and port of
a plain HTTP server whose answers, with their lengths, are handed on).
"""
import json
import socket
import ssl
import sys
import threading
import warnings

warnings.simplefilter("ignore")
CONFIG = json.loads(sys.argv[1])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
OPENSSL = [None, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def until_blank_line(receive):
    """A head with what came after it, or None at the end of the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = receive(4096)
        if not piece:
            return None
        head += bytes(piece)
    return head


def serve(session):
    """Answers the requests of one session."""
    backend = CONFIG.get("backend")
    if not backend:
        # All of the request, which may come in several records: old versions send its first byte in one of its own. A
        # socket that is closed while something in it is unread resets the connection, and the end of the answer, which
        # the kernel may not have sent yet (Nagle), is lost.
        if until_blank_line(session.recv) is not None:
            session.sendall(ANSWER)
        return
    with socket.create_connection(tuple(backend)) as behind:
        while (request := until_blank_line(session.recv)) is not None:
            behind.sendall(request)
            answer = until_blank_line(behind.recv)
            if answer is None:
                return
            head, _, body = answer.partition(b"\r\n\r\n")
            fields = (line.split(b":", 1) for line in head.split(b"\r\n")[1:])
            left = next(int(value) for name, value in fields if name.lower() == b"content-length") - len(body)
            while left > 0:
                piece = behind.recv(min(left, 65536))
                if not piece:
                    return
                answer += piece
                left -= len(piece)
            session.sendall(answer)


def openssl_context(name):
    chain, key, _ = CONFIG["certificates"][name]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(CONFIG.get("ciphers") or "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=0")
    context.minimum_version = OPENSSL[CONFIG["minimum"]]
    context.maximum_version = OPENSSL[CONFIG["maximum"]]
    context.load_cert_chain(chain, key)
    if CONFIG.get("dh"):
        context.load_dh_params(CONFIG["dh"])
    if CONFIG.get("curve"):
        context.set_ecdh_curve(CONFIG["curve"])
    if CONFIG.get("client_order"):
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def openssl_handler():
    contexts = {name: openssl_context(name) for name in CONFIG["certificates"]}
    by_name = {}
    for name, (_, _, server_names) in CONFIG["certificates"].items():
        for server_name in server_names:
            by_name[server_name] = contexts[name]

    def choose(session, server_name, _context):
        session.context = by_name.get(server_name, contexts[CONFIG["default"]])

    front = contexts[CONFIG["default"]]
    front.sni_callback = choose

    def handle(connection):
        with front.wrap_socket(connection, server_side=True) as session:
            serve(session)

    return handle


def tlslite_handler():
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

    chain_file, key_file, _ = CONFIG["certificates"][CONFIG["default"]]
    chain = X509CertChain()
    with open(chain_file) as source:
        chain.parsePemList(source.read())
    with open(key_file) as source:
        key = parsePEMKey(source.read(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = (3, CONFIG["minimum"])
    settings.maxVersion = (3, CONFIG["maximum"])
    settings.versions = [v for v in [(3, 4), (3, 3), (3, 2), (3, 1), (3, 0)]
                         if settings.minVersion <= v <= settings.maxVersion]
    for attribute, value in CONFIG.get("settings", {}).items():
        setattr(settings, attribute, value)

    def handle(connection):
        session = TLSConnection(connection)
        if CONFIG.get("anonymous"):
            session.handshakeServer(anon=True, settings=settings)
        else:
            session.handshakeServer(certChain=chain, privateKey=key, settings=settings)
        serve(session)
        session.close()

    return handle


def main():
    handle = {"openssl": openssl_handler, "tlslite": tlslite_handler}[CONFIG["stack"]]()

    def guarded(connection):
        connection.settimeout(20)
        try:
            handle(connection)
        except Exception as error:  # a scanner breaks off most handshakes; the next connection matters
            print(type(error).__name__, error, flush=True)
        finally:
            connection.close()

    family = socket.AF_INET6 if ":" in CONFIG["address"] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((CONFIG["address"], 0))
    listener.listen(64)
    print("listening", listener.getsockname()[1], flush=True)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=guarded, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


main()

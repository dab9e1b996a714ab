# A mail server for tests, on aiosmtpd: keeps what it is sent and writes it to stdout, a JSON object a line.
# Argument: JSON with `port` (0: any), `security` (starttls, tls, none), `user`, `password`, `certificate`, `key`.
# Recipients at refused.test are refused for good, the first letter to each at busy.test for now.
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

asked = json.loads(sys.argv[1])
busy = set()


def say(value):
    print(json.dumps(value), flush=True)


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith("@refused.test"):
            return "550 5.1.1 no such mailbox"
        if address.endswith("@busy.test") and address not in busy:
            busy.add(address)
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "hello": session.host_name,
            "tls": session.ssl is not None or asked["security"] == "tls",
            "authenticated": bool(session.authenticated),
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": body.get("text/plain", ""),
            "html": body.get("text/html", ""),
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (
        data.login.decode() == asked["user"] and data.password.decode() == asked["password"])
    # A server that is so unwise as to repeat what it was given.
    told = data.password.decode() if isinstance(data, LoginPassword) else ""
    return AuthResult(success=good, handled=True if good else False, message=None if good else f"535 5.7.8 not {told}")


def protocol(context):
    kind = asked["security"]
    more = {}
    if asked["user"]:
        more = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": kind == "starttls"}
    if kind == "starttls":
        more |= {"tls_context": context, "require_starttls": True}
    return SMTP(Sink(), hostname="sink.test", **more)


async def main():
    context = None
    if asked["security"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked["certificate"], asked["key"])
    direct = context if asked["security"] == "tls" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(context), "127.0.0.1", asked["port"], ssl=direct)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())

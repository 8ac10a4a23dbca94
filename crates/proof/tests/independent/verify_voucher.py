#!/usr/bin/env python3
"""Verifies a voucher with Python's standard library alone.

Written from the specifications (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof,
tlog-policy; RFC 6962; RFC 8032; the receipt's form in crates/proof/src/receipt.rs), sharing no
code with the Rust crate, so that the two can be compared. Slow: one signature takes milliseconds.

    verify_voucher.py VOUCHER POLICY

Prints what the voucher proves and exits with 0, or says why it does not hold and exits with 1.
"""
import base64
import datetime
import hashlib
import sys


class Refused(Exception):
    pass


def demand(condition, reason):
    if not condition:
        raise Refused(reason)


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused(f"base64: {error}") from error
    demand(base64.b64encode(raw).decode() == text, "base64 is not canonical")
    return raw


# Ed25519 (RFC 8032), in affine coordinates for brevity.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover_x(y, sign):
    demand(y < P, "point is not canonical")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    demand((x * x - square) % P == 0, "point is not on the curve")
    demand(x or not sign, "point is not canonical")
    return P - x if x & 1 != sign else x


def point(raw):
    number = int.from_bytes(raw, "little")
    y = number & (2**255 - 1)
    return recover_x(y, number >> 255), y


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + product, P - 2, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, P - 2, P)
    return x % P, y % P


def times(scalar, base):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, base)
        base = add(base, base)
        scalar >>= 1
    return result


def ed25519(key, message, signature):
    demand(len(signature) == 64, "signature length")
    base_y = 4 * pow(5, P - 2, P) % P
    base = (recover_x(base_y, 0), base_y)
    scalar = int.from_bytes(signature[32:], "little")
    demand(scalar < L, "signature is not canonical")
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    challenge = int.from_bytes(digest, "little") % L
    right = add(point(signature[:32]), times(challenge, point(key)))
    demand(times(scalar, base) == right, "a signature does not fit")


# Formats of C2SP.
def parse_vkey(text, wanted_type):
    name, key_id, rest = text.split("+", 2)
    raw = unbase64(rest)
    demand(raw[0] == wanted_type and len(raw) == 33, "key type")
    computed = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    demand(computed.hex() == key_id, "key id")
    return name, computed, raw[1:]


def parse_policy(text):
    logs, names, quorum = [], {}, None
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log":
            logs.append(parse_vkey(words[1], 1))
        elif words[0] == "witness":
            names[words[1]] = ("witness", parse_vkey(words[2], 4))
        elif words[0] == "group":
            members = words[3:]
            count = {"any": 1, "all": len(members)}.get(words[2]) or int(words[2])
            names[words[1]] = ("group", count, members)
        elif words[0] == "quorum":
            quorum = words[1]
        else:
            raise Refused(f"policy: {words[0]}")
    demand(quorum is not None, "policy has no quorum")
    return logs, names, quorum


def check_note(text, signatures, policy):
    logs, names, quorum = policy
    origin = text.split("\n")[0]

    def signed(key, stamped):
        name, key_id, public = key
        found = False
        for signer, raw in signatures:
            if signer == name and raw[:4] == key_id:
                body, message = raw[4:], text.encode()
                if stamped:
                    seconds = int.from_bytes(body[:8], "big")
                    body = body[8:]
                    message = f"cosignature/v1\ntime {seconds}\n".encode() + message
                ed25519(public, message, body)
                found = True
        return found

    demand(any([signed(log, False) for log in logs if log[0] == origin]), "no log signature")
    witnesses = [value[1] for value in names.values() if value[0] == "witness"]
    cosigners = {key[0] for key in witnesses if signed(key, True)}

    def witnessed(name):
        kind, *rest = names[name]
        if kind == "witness":
            return rest[0][0] in cosigners
        return sum(map(witnessed, rest[1])) >= rest[0]

    demand(quorum == "none" or witnessed(quorum), "quorum is not met")
    return sorted(cosigners)


def parse_note(raw):
    text, _, lines = raw.rpartition("\n\n")
    demand(text and lines.endswith("\n"), "no signatures")
    signatures = []
    for line in lines[:-1].split("\n"):
        dash, name, body = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        demand(dash == "\u2014" and name, "signature line")
        signatures.append((name, unbase64(body)))
    return text + "\n", signatures


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf, index, size, path):
    """The root as RFC 6962 defines PATH, recursively from the top."""
    if size == 1:
        demand(not path, "path is too long")
        return leaf
    demand(path, "path is too short")
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return node(root(leaf, index, half, path[:-1]), path[-1])
    return node(path[-1], root(leaf, index - half, size - half, path[:-1]))


class Borsh:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, count):
        demand(self.at + count <= len(self.raw), "record is cut")
        part = self.raw[self.at : self.at + count]
        self.at += count
        return part

    def number(self, count):
        return int.from_bytes(self.take(count), "little")

    def text(self):
        try:
            return self.take(self.number(4)).decode()
        except UnicodeDecodeError as error:
            raise Refused("record is not text") from error


def shown(value):
    """A field's value as people read it."""
    kind = value.number(1)
    if kind == 0:
        minor, code, scale = value.number(8), value.take(3), value.number(1)
        digits = str(minor).rjust(scale + 1, "0")
        whole, part = digits[: len(digits) - scale], digits[len(digits) - scale :]
        result = f"{whole}.{part}" if scale else whole
        result += f" {code.decode('ascii', 'replace')}"
    elif kind == 1:
        result = value.text()
    elif kind == 2:
        day = int.from_bytes(value.take(4), "little", signed=True)
        result = str(datetime.date(1970, 1, 1) + datetime.timedelta(days=day))
    elif kind == 3:
        result = f"{value.number(8)} ms"
    elif kind == 4:
        who = ["organisation", "person"][value.number(1)]
        raw = value.take(16)
        result = f"{who}:{raw.rstrip(bytes(1)).decode() if who == 'organisation' else raw.hex()}"
    elif kind == 5:
        result = value.take(32).hex()
    else:
        demand(kind == 6, "field kind")
        result = str(value.number(8))
    return result


def parse_record(reader):
    start = reader.at
    demand(reader.number(2) == 1, "record version")
    chain = reader.take(32).rstrip(b"\0").decode("ascii", "replace")
    height, place = reader.number(8), reader.number(4)
    reader.take(8 + 32)
    kind = reader.number(2)
    outcome = reader.number(1)
    demand(outcome in (0, 1), "outcome")
    said = "accepted" if outcome == 0 else f"rejected with {reader.number(2)}"
    commitments = [reader.take(32) for _ in range(reader.number(4))]
    line = f"chain {chain} height {height} receipt {place} kind {kind} {said}"
    return reader.raw[start : reader.at], commitments, line


def sized(raw):
    return len(raw).to_bytes(4, "little") + raw


def verify(voucher, policy):
    head, _, checkpoint = voucher.partition("\n\n")
    lines = head.split("\n")
    demand(lines[0] == "c2sp.org/tlog-proof@v1", "first line")
    demand(lines[1].startswith("extra ") and lines[2].startswith("index "), "extra or index")
    reader = Borsh(unbase64(lines[1][6:]))
    index = int(lines[2][6:])
    path = [unbase64(line) for line in lines[3:]]

    text, signatures = parse_note(checkpoint)
    cosigners = check_note(text, signatures, policy)
    origin, size, top = text.split("\n")[:3]
    size, top = int(size), unbase64(top)

    demand(reader.take(16) == b"yibao/voucher/v1", "no voucher")
    record, commitments, line = parse_record(reader)
    print(line)
    leaf = hashlib.sha256(b"\x00" + record).digest()
    demand(index < size and root(leaf, index, size, path) == top, "not in the log")
    for _ in range(reader.number(4)):
        place, salt, name = reader.number(4), reader.take(32), reader.text()
        start = reader.at
        value = shown(reader)
        raw = reader.raw[start : reader.at]
        opened = b"yibao/field/v1" + salt + sized(name.encode()) + sized(raw)
        demand(place < len(commitments), "opening")
        demand(hashlib.sha256(opened).digest() == commitments[place], f"opening of {name}")
        print(f"{name} = {value}")
    demand(reader.at == len(reader.raw), "trailing bytes")
    print(f"log {origin} size {size} index {index}")
    print("cosigned", ", ".join(cosigners))


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        with open(sys.argv[1], "rb") as file:
            voucher = file.read().decode()
        with open(sys.argv[2], "rb") as file:
            policy = parse_policy(file.read().decode("latin-1"))
        verify(voucher, policy)
    except (Refused, UnicodeDecodeError) as reason:
        print(f"refused: {reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

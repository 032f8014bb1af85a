"""The key pair of the backups: the public key stays at the clinic, the private one goes into a safe."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyrage

from ketacore.evidence import Refusal

_INSTALLATION = re.compile(r"^# installation: (\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new pair, and the text of the file that keeps it: the format of ``age-keygen``."""

    public: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The private keys of a file, and the installation they were made for, where the file says so."""

    identities: tuple[pyrage.x25519.Identity, ...]
    installation: str


def new_pair(installation: str, at: datetime) -> KeyPair:
    """Return a new key pair of this installation."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    lines = [
        f"# created: {at.isoformat()}",
        f"# public key: {public}",
        f"# installation: {installation}",
        str(identity),
    ]
    return KeyPair(public, "\n".join(lines) + "\n")


def write_key_file(file: Path, pair: KeyPair) -> None:
    """Write the private key, readable by its owner only; never over a file that is there."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refusal("Writing the key", [f"{file.name} is there already"], "Choose another name.") from None
    with os.fdopen(descriptor, "w") as handle:
        handle.write(pair.text)
        handle.flush()
        os.fsync(handle.fileno())


def read_key_file(file: Path) -> KeyFile:
    """Return the private keys of a file; raises ``Refusal`` where it holds none."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        raise Refusal(
            "Reading the key", ["the key file cannot be read"], "Name the file with the private key."
        ) from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        identities = tuple(pyrage.x25519.Identity.from_str(line) for line in lines)
    except pyrage.IdentityError:
        identities = ()
    if not identities:
        raise Refusal("Reading the key", ["this is no private key of age"], "It begins with AGE-SECRET-KEY-1.")
    told = _INSTALLATION.search(text)
    return KeyFile(identities, told[1] if told else "")

"""Source: pinniped.md 3.5: order, texts, and what is not checked."""

import base64
import json
from datetime import timedelta

import pytest
from concierge_world import NAMESPACE, NOW, Lines, Object, authority, secret, serving

from tutor.sandbox import pki
from tutor.sandbox.components.concierge.cache import Cache
from tutor.sandbox.components.concierge.encoding import encode_base64
from tutor.sandbox.components.concierge.holder import Holder
from tutor.sandbox.components.concierge.impersonator.external import bundle_of, decoded_bundle
from tutor.sandbox.components.concierge.impersonator.spec import TlsSpec
from tutor.sandbox.components.concierge.sync import SyncError
from tutor.sandbox.kinds import GroupResource
from tutor.sandbox.pki import Pair

NAME = "impersonation-proxy-tls-serving-cert"
CA = authority()
PAIR = serving(CA)
LOAD = "could not load the externally provided TLS secret for the impersonation proxy: "
PARSE = LOAD + "could not parse TLS cert PEM data from Secret: impersonation-proxy-serving-cert: "
DECODE = "could not decode impersonationSpec.TLS.certificateAuthorityData: "


class Known(Cache):
    """A cache with objects in it."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(GroupResource("", "secrets"), "secret", NAMESPACE)
        self._objects = {obj["metadata"]["name"]: obj for obj in objects}


class World:
    def __init__(self, *secrets: Object) -> None:
        self.serving = Holder("impersonation-proxy-serving-cert", is_ca=False)
        self.lines = Lines()
        self._secrets = Known(*secrets)

    def bundle(self, text: str = "") -> bytes:
        tls = TlsSpec(secret=NAME, bundle=text)
        return bundle_of(tls, self._secrets, self.serving, self.lines.log, self.lines.log)

    def fault(self, text: str = "") -> str:
        with pytest.raises(SyncError) as refused:
            self.bundle(text)
        return str(refused.value)


def pair_secret(pair: Pair, kind: str = "kubernetes.io/tls", **more: str) -> Object:
    return secret(NAME, {"tls.crt": pair.certificate, "tls.key": pair.key, **more}, kind)


def ca_pair() -> Pair:
    return Pair(CA.pem, pki.key_pem(CA.key))


def rsa_pair() -> Pair:
    key = pki.new_key("RSA", 2048)
    return pki.issue(
        CA, subject=pki.subject_of(), now=NOW, lifetime=timedelta(days=1), hosts=["h"], key=key
    )


def corrupted() -> str:
    lines = PAIR.certificate.splitlines()
    lines[2] = "AAAA" * (len(lines[2]) // 4)
    return "\n".join(lines) + "\n"


BAD_PAIRS = {
    "no certificate": (
        {"cert": "x", "key": "y"},
        "tls: failed to find any PEM data in certificate input",
    ),
    "no key": ({"tls.crt": PAIR.certificate}, "tls: failed to find any PEM data in key input"),
    "swapped": (
        {"tls.crt": PAIR.key, "tls.key": PAIR.certificate},
        (
            "tls: failed to find certificate PEM data in certificate input, but did find a"
            " private key;"
            " PEM inputs may have been switched"
        ),
    ),
    "certificate twice": (
        {"tls.crt": PAIR.certificate, "tls.key": PAIR.certificate},
        "tls: found a certificate rather than a key in the PEM for the private key",
    ),
    "another block": (
        {"tls.crt": "-----BEGIN X-----\nAAAA\n-----END X-----\n", "tls.key": PAIR.key},
        (
            'tls: failed to find "CERTIFICATE" PEM block in certificate input after'
            " skipping PEM blocks"
            " of the following types: [X]"
        ),
    ),
    "another key": (
        {"tls.crt": PAIR.certificate, "tls.key": serving(CA).key},
        "tls: private key does not match public key",
    ),
    "another kind of key": (
        {"tls.crt": PAIR.certificate, "tls.key": rsa_pair().key},
        "tls: private key type does not match public key type",
    ),
    "corrupted": (
        {"tls.crt": corrupted(), "tls.key": PAIR.key},
        "x509: malformed certificate",
    ),
}


@pytest.mark.parametrize("case", BAD_PAIRS)
def test_pair_that_is_bad_is_refused_in_the_words_of_go(case: str):
    data, text = BAD_PAIRS[case]
    world = World(secret(NAME, data))
    assert world.fault() == f"{PARSE}attempt to set invalid key pair: {text}"
    assert world.serving.pair is None


def test_pair_that_is_bad_is_logged():
    world = World(secret(NAME, {}))
    world.fault()
    line = json.loads(world.lines.lines[0])
    assert line["level"] == "error"
    assert line["message"] == (
        "error loading cert from externally provided TLS secret for the impersonation proxy"
    )
    assert line["error"].startswith("could not parse TLS cert PEM data from Secret: ")


def test_certificate_of_a_ca_is_refused():
    world = World(pair_secret(ca_pair()))
    assert world.fault() == f"{PARSE}attempt to set x509 cert with unexpected IsCA=true"


def test_secret_that_is_absent_is_named():
    assert World().fault() == f'{LOAD}secret "{NAME}" not found'


def test_secret_that_goes_leaves_the_old_certificate_in_place():
    world = World(pair_secret(PAIR))
    world.bundle()
    world._secrets = Known()
    world.fault()
    assert world.serving.pair == PAIR


def test_opaque_secret_with_good_keys_is_served():
    world = World(pair_secret(PAIR, "Opaque"))
    assert world.bundle() == b""
    assert world.serving.pair == PAIR


def test_ca_of_the_secret_is_advertised_whole():
    both = CA.pem + authority("other").pem
    assert World(pair_secret(PAIR, **{"ca.crt": both})).bundle() == both.encode()


def test_ca_of_the_secret_that_is_no_pem_is_refused_with_a_warning():
    world = World(pair_secret(PAIR, **{"ca.crt": "nonsense"}))
    assert world.fault() == f"{LOAD}unable to read provided ca.crt: data is not a certificate"
    line = json.loads(world.lines.lines[0])
    assert line["warning"] is True
    assert line["message"].endswith("impersonation proxy: data is not a certificate")


def test_ca_of_the_spec_beats_that_of_the_secret():
    other = authority("other")
    world = World(pair_secret(PAIR, **{"ca.crt": CA.pem}))
    assert world.bundle(encode_base64(other.pem)) == other.pem.encode()


def test_certificate_is_served_even_if_the_ca_of_the_spec_is_refused():
    world = World(pair_secret(PAIR))
    world.fault("x")
    assert world.serving.pair == PAIR


@pytest.mark.parametrize("pair", [serving(CA, "another.name"), serving(authority("other"))])
def test_names_and_issuers_are_not_checked(pair: Pair):
    assert World(pair_secret(pair)).bundle(encode_base64(CA.pem)) == CA.pem.encode()


ENCODED = encode_base64(CA.pem)


@pytest.mark.parametrize(
    ("pasted", "text"),
    [
        (CA.pem, "illegal base64 data at input byte 0"),
        ("LS0tLUJFR0l..........", "illegal base64 data at input byte 11"),
        (ENCODED + "%", f"illegal base64 data at input byte {len(ENCODED)}"),
        (ENCODED + " ", f"illegal base64 data at input byte {len(ENCODED)}"),
        (ENCODED[:100] + " " + ENCODED[100:], "illegal base64 data at input byte 100"),
        (encode_base64(ENCODED), "data is not a certificate"),
        (ENCODED[:400], "data is not a certificate"),
    ],
    # Names of their own: a signature's length differs from run to run.
    ids=["bare", "dots", "percent", "blank behind", "blank inside", "encoded twice", "half"],
)
def test_ca_of_the_spec_that_cannot_be_used_says_why(pasted: str, text: str):
    with pytest.raises(SyncError) as refused:
        decoded_bundle(pasted)
    assert str(refused.value) == DECODE + text


def test_ca_of_the_spec_that_is_cut_off_says_where():
    with pytest.raises(SyncError) as refused:
        decoded_bundle(ENCODED[:101])
    assert str(refused.value) == f"{DECODE}illegal base64 data at input byte 100"


@pytest.mark.parametrize(
    "pasted",
    [
        ENCODED + "\n",
        "\n".join(ENCODED[i : i + 64] for i in range(0, len(ENCODED), 64)),
        encode_base64(PAIR.key),
        encode_base64(PAIR.certificate),
        encode_base64(CA.pem + authority("other").pem),
    ],
)
def test_ca_of_the_spec_is_any_pem_however_it_is_wrapped(pasted: str):
    assert decoded_bundle(pasted) == base64.b64decode(pasted)

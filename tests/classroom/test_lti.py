"""People come in from a learning platform by LTI 1.3: a platform of this test signs who they are."""

import http.server
import json
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hubs import PROXY, Client, Hub

pytest.importorskip("ltiauthenticator", reason="the hub is not installed: run 'make class-test'")
jwt = pytest.importorskip("jwt")
rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")

ISSUER, CLIENT, CLAIM = "https://moodle.example.org", "the-hub", "https://purl.imsglobal.org/spec/lti/claim/"


class LtiHub(Hub):
    """A hub that knows people by their mail addresses; its login page sends them to the platform."""

    people = ("teacher@example.org,lecturer,not-asked-for", "ada@example.org,student,not-asked-for")

    def well(self, seconds: float = 120) -> None:
        self.until(lambda: Client(self).get("/hub/health").status == 200, seconds)


class Platform:
    """Signs who somebody is, and shows the key to check it with."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        shown = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())) | {"kid": "one", "alg": "RS256"}

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps({"keys": [shown]}).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, mail: str, nonce: str, key=None, **other) -> str:
        """Say who somebody is, signed."""
        said = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": time.time(),
            "exp": time.time() + 60,
            "nonce": nonce,
            "email": mail,
        }
        said |= {"sub": "17", f"{CLAIM}version": "1.3.0", f"{CLAIM}deployment_id": "1", f"{CLAIM}roles": ["Learner"]}
        said |= {f"{CLAIM}message_type": "LtiResourceLinkRequest", f"{CLAIM}resource_link": {"id": "course"}}
        said |= {f"{CLAIM}target_link_uri": "http://127.0.0.1/hub/home"} | other
        return jwt.encode(said, key or self.key, "RS256", headers={"kid": "one"})


@pytest.fixture(scope="module")
def platform():
    made = Platform()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory, platform):
    if not Path(PROXY).exists():
        pytest.skip("configurable-http-proxy is not installed: run 'make class-test'")
    made = LtiHub(
        tmp_path_factory.mktemp("lti"),
        CLASS_LTI_ISSUER=ISSUER,
        CLASS_LTI_CLIENT_ID=CLIENT,
        CLASS_LTI_AUTHORIZE_URL=f"{platform.address}/authorize",
        CLASS_LTI_JWKS_URL=f"{platform.address}/keys",
    )
    yield made
    made.close()


def come_in(hub: Hub, platform: Platform, mail: str, **wrong) -> tuple[int, str]:
    """Click the link of the course on the platform: the status, and the name by which the hub knows one then."""
    browser = Client(hub)
    asked = {"iss": ISSUER, "client_id": CLIENT, "login_hint": "17"}
    asked |= {"target_link_uri": f"http://127.0.0.1:{hub.port}/hub/home"}
    sent = browser.get(f"/hub/lti13/oauth_login?{urlencode(asked)}")
    # That led to the platform.
    told = {name: values[0] for name, values in parse_qs(urlsplit(sent.url).query).items()}
    assert (sent.url.split("?")[0], told["client_id"]) == (f"{platform.address}/authorize", CLIENT)
    form = {"state": told["state"], "id_token": platform.token(mail, **{"nonce": told["nonce"]} | wrong)}
    answer = browser.get("/hub/lti13/oauth_callback", urlencode(form).encode())
    home = browser.get("/hub/home").body.decode()
    return answer.status, mail if f'data-user="{mail}"' in home or mail in home else ""


def test_people_of_the_list_come_in_from_the_platform_and_nobody_else(hub, platform):
    assert come_in(hub, platform, "ada@example.org") == (200, "ada@example.org")
    status, name = come_in(hub, platform, "mallory@example.org")
    assert (status, name) == (403, "")


def test_what_the_platform_did_not_sign_or_says_to_another_is_refused(hub, platform):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for wrong in ({"key": stranger}, {"aud": "another"}, {"nonce": "old"}, {"exp": 1}, {"iss": "https://evil.example"}):
        status, name = come_in(hub, platform, "teacher@example.org", **wrong)
        assert (status >= 400, name) == (True, ""), wrong

"""The hub of a class. The containers of a class and the tests' local processes are started by this one file.

What differs from class to class stands in the environment: see env.example.
"""

import os
import sys
from pathlib import Path

from jupyterhub.app import JupyterHub
from jupyterhub.spawner import SimpleLocalProcessSpawner

c = get_config()  # noqa: F821
HERE = Path(os.environ.get("CLASS_CONFIG", Path(__file__).parent))
sys.path.insert(0, str(HERE))

from gpus import Ledger  # noqa: E402
from people import ByCode, lecturers, read  # noqa: E402

STATE = Path(os.environ.get("CLASS_STATE", "/srv/hub"))
FOLDER = Path(os.environ.get("CLASS_FOLDER", "/srv/class"))
LOCAL = os.environ.get("CLASS_SPAWNER", "docker") == "local"
# Where students' servers, the service and the proxy find the hub.
HUB = os.environ.get("CLASS_HUB_NAME", "127.0.0.1" if LOCAL else "hub")
IDLE = int(os.environ.get("CLASS_IDLE_SECONDS", "1200"))
CARDS = os.environ.get("CLASS_GPUS", "").replace(",", " ").split()
PORT = os.environ.get("CLASS_PORT", "8000")

# --- Who may come in: the list, and nobody else ---------------------------------------------------------------------
PEOPLE = ByCode.people = read(os.environ.get("CLASS_LIST", HERE / "class.csv"))
LECTURERS = lecturers(PEOPLE)
if os.environ.get("CLASS_LTI_ISSUER"):
    c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
    c.LTI13Authenticator.issuer = os.environ["CLASS_LTI_ISSUER"]
    c.LTI13Authenticator.client_id = {os.environ["CLASS_LTI_CLIENT_ID"]}
    c.LTI13Authenticator.authorize_url = os.environ["CLASS_LTI_AUTHORIZE_URL"]
    c.LTI13Authenticator.jwks_endpoint = os.environ["CLASS_LTI_JWKS_URL"]
    c.LTI13Authenticator.username_key = "email"
else:
    c.JupyterHub.authenticator_class = ByCode
    c.FirstUseAuthenticator.dbm_path = str(STATE / "passwords.dbm")
c.Authenticator.allowed_users = set(PEOPLE)
c.Authenticator.admin_users = LECTURERS

# --- The hub itself: servers outlive it -----------------------------------------------------------------------------
c.JupyterHub.bind_url = f"http://{os.environ.get('CLASS_BIND', '127.0.0.1' if LOCAL else '0.0.0.0')}:{PORT}"
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = True
c.ConfigurableHTTPProxy.should_start = LOCAL  # compose.yaml starts the proxy as a container of its own
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
if os.environ.get("CLASS_PROXY_API"):
    c.ConfigurableHTTPProxy.api_url = os.environ["CLASS_PROXY_API"]
c.JupyterHub.concurrent_spawn_limit = 30
c.Spawner.poll_interval = 5
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 120

# A busy kernel is never idle, however silent its training. When idle kernels are gone, the server ends by itself.
# What runs in a terminal cannot be asked whether it is busy: it may be silent for six times as long.
c.Spawner.args = [
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    f"--MappingKernelManager.cull_interval={max(1, IDLE // 20)}",
    "--MappingKernelManager.cull_busy=False",
    "--MappingKernelManager.cull_connected=True",
    f"--TerminalManager.cull_inactive_timeout={6 * IDLE}",
    f"--ServerApp.shutdown_no_activity_timeout={IDLE}",
]

# --- CPU or GPU -----------------------------------------------------------------------------------------------------
hub = JupyterHub.instance()


def running() -> set[str]:
    """Name those who have a server, or wait for one."""
    return {user.name for user in hub.users.values() if user.running or user.spawner.pending}


LEDGER = Ledger(STATE / "gpus.json", CARDS, running)
FORM = '<label><input type="radio" name="kind" value="cpu" checked> CPU</label>'
if CARDS:
    FORM += '<br><label><input type="radio" name="kind" value="gpu"> GPU (you may have to wait)</label>'


def chosen(form: dict) -> dict:
    """Read the form; whoever asks for something else gets a CPU."""
    return {"kind": "gpu" if CARDS and form.get("kind") == ["gpu"] else "cpu"}


async def before(spawner) -> None:
    """Get a card for who asked for one."""
    spawner.environment.pop("NVIDIA_VISIBLE_DEVICES", None)
    if spawner.user_options.get("kind") == "gpu" and CARDS:
        spawner.environment["NVIDIA_VISIBLE_DEVICES"] = await LEDGER.acquire(spawner.user.name)


def after(spawner) -> None:
    """Free the card."""
    LEDGER.release(spawner.user.name)


class Told:
    """Tell who waits for a card which place in the line is theirs; who has one shall not keep it by an open page."""

    def get_args(self):
        own = [f"--config={PRESENT}"] if "NVIDIA_VISIBLE_DEVICES" in self.environment else []
        return super().get_args() + own

    async def progress(self):
        async for sentence in LEDGER.told(self.user.name):
            yield {"progress": 5, "message": sentence}
        async for event in super().progress():
            yield event


PRESENT = HERE.parent / "present.py" if LOCAL else "/opt/course/docker/present.py"
c.Spawner.options_form = FORM
c.Spawner.options_from_form = chosen
c.Spawner.pre_spawn_hook = before
c.Spawner.post_stop_hook = after
SERVICE = f"http://{HUB}:{os.environ.get('CLASS_SERVICE_PORT', '8090')}"
# What `ecg-lessons hand-in` asks, with the token that each server has of the hub.
c.Spawner.environment = {"CLASS_SERVICE": f"{SERVICE}/services/assignments/"}

if LOCAL:
    UIDS = int(os.environ.get("CLASS_UIDS", "0"))  # the first of as many as there are people; 0: all are who the hub is

    class ClassSpawner(Told, SimpleLocalProcessSpawner):
        """A process of this machine, for tests; by CLASS_UIDS each person is a user of the system of their own."""

        def ids(self) -> tuple[int, int]:
            """Give a person's user and group; lecturers are in the group of the folder with what was handed in."""
            uid = UIDS + sorted(PEOPLE).index(self.user.name)
            return uid, FOLDER.stat().st_gid if self.user.name in LECTURERS else uid

        async def start(self):
            if UIDS:
                Path(self.home_dir).mkdir(mode=0o700, exist_ok=True)
                os.chown(self.home_dir, *self.ids())
            return await super().start()

        def make_preexec_fn(self, name):
            if not UIDS:
                return super().make_preexec_fn(name)
            home, (uid, group) = self.home_dir, self.ids()

            def become() -> None:
                os.umask(0o077)
                os.setgroups([])
                os.setgid(group)
                os.setuid(uid)
                os.chdir(home)

            return become

    ClassSpawner.home_dir_template = os.environ.get("CLASS_HOMES", str(STATE / "homes")) + "/{username}"
    c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    if os.geteuid() == 0:  # as in continuous integration
        c.Spawner.args.append("--allow-root")
else:
    from dockerspawner import DockerSpawner

    class ClassSpawner(Told, DockerSpawner):
        """A container of the course image, with a volume of its own."""

        async def start(self):
            gpu = self.environment.get("NVIDIA_VISIBLE_DEVICES")
            self.image = os.environ.get(
                "CLASS_IMAGE_GPU" if gpu else "CLASS_IMAGE", f"ecg-lessons:{'g' if gpu else 'c'}pu"
            )
            volumes = {
                "ecg-home-{username}": "/srv/student",
                os.environ["CLASS_RELEASE"]: {"bind": "/srv/release", "mode": "ro"},
            }
            if self.user.name in LECTURERS:
                volumes[os.environ.get("CLASS_VOLUME", "ecg-class")] = "/srv/class"
            self.volumes = volumes
            self.extra_create_kwargs = {"labels": {"ecg-lessons.user": self.user.name}}
            card = [{"Driver": "nvidia", "DeviceIDs": [gpu], "Capabilities": [["gpu"]]}] if gpu else []
            self.extra_host_config = {
                "device_requests": card,
                "read_only": True,
                "tmpfs": {"/tmp": "mode=1777,size=2g"},
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "pids_limit": 1024,
                "shm_size": "1g",
            }
            return await super().start()

    c.DockerSpawner.network_name = os.environ.get("CLASS_NETWORK", "ecg-class")
    c.DockerSpawner.pull_policy = "skip"  # images are made or pulled on the day before, not by the first student
    c.DockerSpawner.remove = True
    c.DockerSpawner.cmd = ["jupyterhub-singleuser"]
    c.DockerSpawner.mem_limit = os.environ.get("CLASS_MEMORY", "4G")
    c.DockerSpawner.cpu_limit = float(os.environ.get("CLASS_CPUS", "2"))
    c.DockerSpawner.name_template = "ecg-{username}"
    c.JupyterHub.hub_ip = "0.0.0.0"
    c.JupyterHub.hub_connect_ip = HUB
c.JupyterHub.spawner_class = ClassSpawner

# --- Assignments ----------------------------------------------------------------------------------------------------
c.JupyterHub.services = [
    {
        "name": "assignments",
        "url": SERVICE,
        "command": [sys.executable, str(HERE / "assignments.py")],
        "environment": {
            "CLASS_FOLDER": str(FOLDER),
            "CLASS_RELEASE_FOLDER": os.environ.get("CLASS_RELEASE_FOLDER", "/srv/release"),
            "CLASS_LECTURERS": " ".join(sorted(LECTURERS)),
            "CLASS_SERVICE_BIND": "127.0.0.1" if LOCAL else "0.0.0.0",
        },
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", "access:services!service=assignments"]},
    {
        "name": "server",
        "scopes": ["users:activity!user", "access:servers!server", "access:services!service=assignments"],
    },
]

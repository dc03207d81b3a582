"""The values for a cluster, as far as a file tells; they have not been run on one."""

import ast
import math
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "kubernetes"
TEXT = (FOLDER / "values.yaml").read_text(encoding="utf-8")
VALUES = yaml.safe_load(TEXT)
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
CONFIG = (ROOT / "docker" / "jupyterhub" / "jupyterhub_config.py").read_text(encoding="utf-8")
#: What the schema of the chart allows at the top, and nothing else.
KEYS = {
    "enabled", "fullnameOverride", "nameOverride", "imagePullSecret", "imagePullSecrets", "hub", "proxy", "singleuser",
    "scheduling", "prePuller", "ingress", "cull", "custom", "debug", "rbac", "global",
}  # fmt: skip


def leaves(value, path: str = ""):
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, f"{path}.{name}")
    else:
        yield path, value


def test_only_documented_keys_stand_at_the_top():
    assert set(VALUES) <= KEYS
    assert {"hub", "proxy", "singleuser", "scheduling", "prePuller", "cull", "ingress"} <= set(VALUES)


def test_no_secret_stands_in_the_values():
    secret = re.compile(r"(?i)(token|password|cookie_?secret|api_?key|cryptkeeper|client_secret)$")
    assert [path for path, _ in leaves(VALUES) if secret.search(path)] == []
    assert not re.search(r"[0-9a-f]{24}|BEGIN [A-Z ]*KEY", TEXT)
    named = {VALUES["hub"]["extraVolumes"][0]["secret"]["secretName"], VALUES["ingress"]["tls"][0]["secretName"]}
    for name in named | set(VALUES["imagePullSecrets"]):
        assert re.search(rf"create secret \S+ {name} ", PAGE), name


def test_the_configuration_inside_is_python_and_takes_the_class_list_of_the_hub():
    (code,) = VALUES["hub"]["extraConfig"].values()
    imported = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    people = ast.parse((ROOT / "docker" / "jupyterhub" / "people.py").read_text(encoding="utf-8"))
    there = {node.name for node in people.body if hasattr(node, "name")}
    assert {alias.name for node in imported for alias in node.names} <= there
    mounts = {one["mountPath"] for one in VALUES["hub"]["extraVolumeMounts"]}
    assert {"/srv/list", "/srv/release", "/srv/class"} == mounts
    claim = yaml.safe_load((FOLDER / "class-volume.yaml").read_text(encoding="utf-8"))
    claims = [one.get("persistentVolumeClaim") for one in VALUES["hub"]["extraVolumes"]]
    assert {"claimName": claim["metadata"]["name"]} in claims


def test_files_that_are_mounted_come_by_the_command_of_the_page():
    for name, told in VALUES["hub"]["extraFiles"].items():
        path = re.search(rf"--set-file hub\.extraFiles\.{name}\.stringData=(\S+)", PAGE)[1]
        assert (ROOT / path).name == Path(told["mountPath"]).name
        assert (ROOT / path).is_file()


def test_the_service_for_assignments_is_that_of_the_hub_of_one_machine():
    hub, service = VALUES["hub"], VALUES["hub"]["services"]["assignments"]
    port = int(service["url"].rpartition(":")[2])
    assert [one["port"] for one in hub["service"]["extraPorts"]] == [port]
    assert hub["networkPolicy"]["allowedIngressPorts"] == [port]
    assert service["command"][1] == hub["extraFiles"]["assignments"]["mountPath"]
    read = set(re.findall(r'os\.environ\["(CLASS_\w+)"\]', (ROOT / "docker/jupyterhub/assignments.py").read_text()))
    assert read - set(service["environment"]) == {"CLASS_LECTURERS"}
    assert 'service["environment"]["CLASS_LECTURERS"]' in hub["extraConfig"]["people"]
    for role in hub["loadRoles"].values():
        assert all(f'"{scope}"' in CONFIG for scope in role["scopes"])


def test_profiles_have_limits_and_guarantees_and_one_has_a_card():
    user = VALUES["singleuser"]
    cpu, gpu = user["profileList"]
    assert (cpu["default"], "kubespawner_override" in cpu) == (True, False)
    override = gpu["kubespawner_override"]
    assert override["extra_resource_limits"] == {"nvidia.com/gpu": "1"}
    assert override["image"] == f"{user['image']['name']}:gpu"
    assert user["cpu"]["guarantee"] <= user["cpu"]["limit"]
    assert user["memory"] == {"guarantee": "2G", "limit": "4G"}
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert f"HOME={user['storage']['homeMountPath']}" in dockerfile
    assert f"USER {user['uid']}:{user['fsGid']}" in dockerfile


def test_a_silent_training_is_spared_as_on_one_machine():
    assert VALUES["cull"] == {"enabled": False}
    assert VALUES["singleuser"]["cmd"][0] == "jupyterhub-singleuser"
    for word in VALUES["singleuser"]["cmd"][1:]:
        assert f'"{word.partition("=")[0]}=' in CONFIG


def test_numbers_of_the_page_follow_from_the_values():
    user = VALUES["singleuser"]

    def people(cores: float, gib: float, gigabytes: float) -> int:
        return int(min((cores - 1) / user["cpu"]["guarantee"], (gib - 6) * 1.07 / gigabytes))

    assert (people(16, 64, 2), math.ceil(300 / people(16, 64, 2))) == (30, 10)
    assert (people(16, 64, 4), math.ceil(300 / people(16, 64, 4))) == (15, 20)
    rows = re.findall(r"^\| \w+ \| ([\d.]+ .*?) \| (\d+) \|$", PAGE, re.MULTILINE)
    costs = [math.prod(map(float, re.findall(r"[\d.]+", words))) for words, _ in rows[:-1]]
    assert [round(cost) for cost in costs] == [int(cost) for _, cost in rows[:-1]]
    assert round(sum(costs)) == int(rows[-1][1])
    assert f"{sum(costs) / 300:.2f} a student" == rows[-1][0]
    assert "all prices are invented" in PAGE
    assert "Nothing here has been run on a cluster" in PAGE

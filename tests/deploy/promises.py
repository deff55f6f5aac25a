#!/usr/bin/env python3
"""What the chart promises of everything that it makes: promises.py RENDERED.yaml. Says each promise that is broken.

Schemas say whether an object is well-formed; this says whether it is what docs/operate/ and the README of the chart tell.
"""
import sys

import yaml

DRAIN_SECONDS = 20
broken = []


def say(thing, what):
    broken.append(f"{thing['kind']} {thing['metadata']['name']}: {what}")


def check_pod(thing, pod):
    expected = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    security = pod["securityContext"]
    if any(security.get(key) != value for key, value in expected.items()) or security.get("runAsUser", 0) == 0:
        say(thing, "its pod may run as root or without a seccomp profile")
    if pod.get("automountServiceAccountToken") is not False:
        say(thing, "its pod has a service-account token")
    if pod.get("enableServiceLinks") is not False:
        say(thing, "Kubernetes' CHORUS_… variables would be read as configuration")
    for container in pod["containers"]:
        inner = container["securityContext"]
        if inner.get("allowPrivilegeEscalation") is not False or inner.get("capabilities") != {"drop": ["ALL"]}:
            say(thing, "its container has capabilities")
        if inner.get("readOnlyRootFilesystem") is not True:
            say(thing, "its root can be written to")
        if not container["resources"].get("requests") or "memory" not in container["resources"].get("limits", {}):
            say(thing, "no requests, or no limit of memory")
        for variable in container.get("env", []):
            if "secretKeyRef" in str(variable):
                say(thing, "a secret in the environment")
    for volume in pod.get("volumes", []):
        if "hostPath" in volume:
            say(thing, "sees the node's files")


def check_workload(thing, everything):
    pod = thing["spec"]["template"]["spec"]
    labels = thing["spec"]["template"]["metadata"]["labels"]
    check_pod(thing, pod)
    if pod["terminationGracePeriodSeconds"] <= DRAIN_SECONDS:
        say(thing, "ends before it has drained")
    if {spread["topologyKey"] for spread in pod["topologySpreadConstraints"]} != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        say(thing, "is not spread over zones and nodes")
    [container] = pod["containers"]
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        if container[probe]["httpGet"]["path"] != path:
            say(thing, f"{probe} is not on {path}")
    selects = lambda selector: all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    of_kind = lambda kind: [other for other in everything if other["kind"] == kind]
    budgets = [pdb["spec"] for pdb in of_kind("PodDisruptionBudget") if selects(pdb["spec"]["selector"])]
    if len(budgets) != 1 or ("minAvailable" in budgets[0]) == ("maxUnavailable" in budgets[0]):
        say(thing, "has not one disruption budget, with one number")
    policies = [policy for policy in of_kind("NetworkPolicy") if selects(policy["spec"]["podSelector"])]
    if of_kind("NetworkPolicy") and (len(policies) != 2 or any(policy["spec"]["policyTypes"] != ["Ingress", "Egress"] for policy in policies)):
        say(thing, "is not under the policy that denies and one of its own")
    if of_kind("PodMonitor") and len([monitor for monitor in of_kind("PodMonitor") if selects(monitor["spec"]["selector"])]) != 1:
        say(thing, "is not scraped once")
    scalers = [scaler for scaler in of_kind("ScaledObject") if scaler["spec"]["scaleTargetRef"]["name"] == thing["metadata"]["name"]]
    if bool(scalers) == ("replicas" in thing["spec"]):
        say(thing, "its number of replicas is not said once: by itself or by its scaler")
    if thing["kind"] == "StatefulSet" and not [s for s in of_kind("Service") if s["metadata"]["name"] == thing["spec"]["serviceName"]]:
        say(thing, "its Service is not there")
    check_secrets(thing, pod, everything)


def check_secrets(thing, pod, everything):
    """A role sees the secrets that its configuration names, and no other."""
    name = next(volume["configMap"]["name"] for volume in pod["volumes"] if volume["name"] == "config")
    config = next(other["data"]["chorus.yaml"] for other in everything if other["kind"] == "ConfigMap" and other["metadata"]["name"] == name)
    mounted = {item["path"] for volume in pod["volumes"] if "projected" in volume
               for source in volume["projected"]["sources"] for item in source["secret"]["items"]}
    named = {word.strip("'\",").removeprefix("/run/secrets/chorus/") for word in config.split() if word.strip("'\"").startswith("/run/secrets/chorus/")}
    if mounted != named:
        say(thing, f"sees {sorted(mounted)}, names {sorted(named)}")


def main():
    everything = [thing for thing in yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")) if thing]
    workloads = [thing for thing in everything if thing["kind"] in ("StatefulSet", "Deployment")]
    if not workloads:
        broken.append("no workload at all")
    for thing in workloads:
        check_workload(thing, everything)
    for thing in everything:
        if thing["kind"] == "Job":
            check_pod(thing, thing["spec"]["template"]["spec"])
        if thing["kind"] == "Secret":
            say(thing, "a secret by value")
    print("\n".join(broken))
    sys.exit(1 if broken else 0)


main()

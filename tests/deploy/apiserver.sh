#!/usr/bin/env bash
# A real kube-apiserver with etcd, on loopback: takes every object that the chart makes (server-side dry run: unknown fields, types, the
# rules of the custom resources), with Pod Security "restricted" enforced, and lets helm install, upgrade and uninstall for real.
#
# No container runs and no controller: what is checked is what the API accepts. The API server is built once into .tools/bin, in some
# ten minutes; etcd comes by apt. Ends what it starts, each by its id.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly tools="$PWD/.tools" chart=deploy/chart minor=34.4
tests/deploy/tools.sh
export PATH="$tools/bin:$PATH"

# k8s.io/kubernetes cannot be installed directly: a module of our own repeats its replacements.
build() {
    local module staged command
    mkdir -p "$tools/kube"
    (
        cd "$tools/kube"
        [ -e go.mod ] || go mod init kube
        module="$(go mod download -json "k8s.io/kubernetes@v1.$minor" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')"
        sed -n 's#^\s*\(k8s.io/[a-z-]*\) => \./staging.*#\1#p' "$module" | while read -r staged; do
            go mod edit "-replace=$staged=$staged@v0.$minor"
        done
        for command in "$@"; do
            go get "k8s.io/kubernetes/cmd/$command@v1.$minor"
            GOMAXPROCS=1 nice -n 19 go build -p 1 -trimpath -o ../bin/ -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.$minor \
                -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34" "k8s.io/kubernetes/cmd/$command"
        done
    )
}
wanted=()
command -v kube-apiserver >/dev/null || wanted+=(kube-apiserver)
command -v kubectl >/dev/null || wanted+=(kubectl)
[ "${#wanted[@]}" = 0 ] || build "${wanted[@]}"
if ! command -v etcd >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends etcd-server >/dev/null
fi

work="$(mktemp -d)"
etcd="" apiserver=""
# shellcheck disable=SC2317,SC2329 # called by the trap
clean() {
    for process in "$apiserver" "$etcd"; do
        [ -n "$process" ] || continue
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean EXIT
passed=0 failed=0
ok() { passed=$((passed + 1)) && echo "ok      $*"; }
bad() { failed=$((failed + 1)) && echo "FAILED  $*" && sed 's/^/        /' "$work/out"; }
# A warning is a failure: Pod Security only warns about the templates of workloads.
expect() {
    local what="$1"
    shift
    if "$@" >"$work/out" 2>&1 && ! grep -q '^Warning:' "$work/out"; then ok "$what"; else bad "$what"; fi
}
refused() {
    local what="$1" message="$2"
    shift 2
    if ! "$@" >"$work/out" 2>&1 && grep -qF -- "$message" "$work/out"; then ok "refused: $what"; else bad "not refused with '$message': $what"; fi
}

free_ports() {
    python3 -c 'import socket
s = [socket.socket() for _ in range(3)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])'
}
read -r client peer secure <<<"$(free_ports)"
etcd --unsafe-no-fsync --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer" >"$work/etcd.log" 2>&1 &
etcd=$!
openssl genrsa -out "$work/sa.key" 2048 2>/dev/null
openssl rsa -in "$work/sa.key" -pubout -out "$work/sa.pub" 2>/dev/null
token="$(openssl rand -hex 16)"
echo "$token,admin,admin,\"system:masters\"" >"$work/tokens.csv"
# WatchList needs what Debian's etcd does not have.
kube-apiserver --etcd-servers="http://127.0.0.1:$client" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$secure" \
    --cert-dir="$work/certs" --service-cluster-ip-range=10.0.0.0/24 --endpoint-reconciler-type=none \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$work/sa.pub" \
    --service-account-signing-key-file="$work/sa.key" --token-auth-file="$work/tokens.csv" --authorization-mode=RBAC \
    --disable-admission-plugins=ServiceAccount --feature-gates=WatchList=false >"$work/apiserver.log" 2>&1 &
apiserver=$!
export KUBE_FEATURE_WatchListClient=false KUBECONFIG="$work/kubeconfig"
cat >"$KUBECONFIG" <<CONFIG
{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
 clusters: [{name: c, cluster: {server: "https://127.0.0.1:$secure", insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: $token}}]}
CONFIG
for _ in $(seq 300); do
    kubectl get --raw /readyz >/dev/null 2>&1 && break
    kill -0 "$apiserver" 2>/dev/null || { tail -5 "$work/apiserver.log" >&2 && exit 1; }
    sleep 0.3
done

expect "custom resources" kubectl apply --server-side -f "$tools/crds"
kubectl create namespace city >/dev/null
kubectl label namespace city pod-security.kubernetes.io/{enforce,warn}=restricted >/dev/null
kubectl create priorityclass city-safety --value=1000 >/dev/null
for crd in podmonitors.monitoring.coreos.com prometheusrules.monitoring.coreos.com scaledobjects.keda.sh kafkatopics.kafka.strimzi.io kafkausers.kafka.strimzi.io; do
    kubectl wait --for=condition=Established "crd/$crd" --timeout=30s >/dev/null
done

# Each workload's template as a Pod: there Pod Security refuses, where it only warns about the workload.
pods() {
    "$tools/venv/bin/python" - "$1" <<'PYTHON'
import sys
import yaml
pods = []
for thing in yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")):
    if thing and thing["kind"] in ("StatefulSet", "Deployment", "Job"):
        template = thing["spec"]["template"]
        volumes = template["spec"]["volumes"]
        volumes += [{"name": claim["metadata"]["name"], "emptyDir": {}} for claim in thing["spec"].get("volumeClaimTemplates", [])]
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": thing["metadata"]["name"], "labels": template["metadata"]["labels"]}, "spec": template["spec"]})
print(yaml.safe_dump_all(pods))
PYTHON
}
render() { helm template chorus "$chart" -n city --kube-version 1.34.0 "$@" 2>/dev/null; }
for values in "$chart"/ci/*-values.yaml; do
    name="$(basename "$values" -values.yaml)"
    render -f "$values" >"$work/$name.yaml"
    expect "$name: server-side dry run" kubectl apply -n city --dry-run=server --validate=strict -f "$work/$name.yaml"
    pods "$work/$name.yaml" >"$work/$name-pods.yaml"
    expect "$name: every pod under Pod Security restricted" kubectl apply -n city --dry-run=server -f "$work/$name-pods.yaml"
done
sed '0,/runAsNonRoot: true/s//runAsNonRoot: false/; s/allowPrivilegeEscalation: false/allowPrivilegeEscalation: true/' "$work/small-pods.yaml" >"$work/loose.yaml"
refused "a pod that is less strict" "violates PodSecurity" kubectl apply -n city --dry-run=server -f "$work/loose.yaml"
sed 's/topologyKey:/topologyKee:/' "$work/small.yaml" >"$work/misspelt.yaml"
refused "an unknown field" "unknown field" kubectl apply -n city --dry-run=server --validate=strict -f "$work/misspelt.yaml"

quiet() { "$@" 2>&1 | grep -v 'found symbolic link'; }
expect "helm install" quiet helm install chorus "$chart" -n city -f "$chart/ci/city-values.yaml"
expect "helm upgrade" quiet helm upgrade chorus "$chart" -n city -f "$chart/ci/city-values.yaml" --set workloads.fuse.replicas=3
expect "helm rollback" quiet helm rollback chorus 1 -n city
expect "helm uninstall" quiet helm uninstall chorus -n city
expect "topics stay after helm uninstall" kubectl -n city get kafkatopic nanchang.events
expect "helm install by ordinal" quiet helm install ordinal "$chart" -n city -f "$chart/ci/ordinal-values.yaml"
refused "another number of readers by ordinal while some run" "set 0 first and then 4" \
    helm upgrade ordinal "$chart" -n city -f "$chart/ci/ordinal-values.yaml" --set workloads.detect.replicas=4
expect "by ordinal by way of 0" quiet helm upgrade ordinal "$chart" -n city -f "$chart/ci/ordinal-values.yaml" --set workloads.detect.replicas=0
expect "by ordinal from 0" quiet helm upgrade ordinal "$chart" -n city -f "$chart/ci/ordinal-values.yaml" --set workloads.detect.replicas=4

echo
echo "apiserver: $passed passed, $failed failed"
[ "$failed" = 0 ]

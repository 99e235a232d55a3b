"""A client with the official Python library: the five lives of a job, outages, watches.

Run by `focus-mock exec -- python kubernetes_client.py`. The clock is held while a test looks, and moved on by the admin
interface, so nothing here sleeps.
"""

import json
import os
import socket
import threading
import unittest
import urllib.error
import urllib.request

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

BASE = os.environ["FOCUS_BASE_URL"] + os.environ["FOCUS_API_PREFIX"]
ADMIN = os.environ["FOCUS_ADMIN_URL"]
NAMESPACE = "panda"
CONFIGURATION = {
    "view_type": "0",
    "channels": {"min": 1, "max": 50},
    "displayInfo": {"height": 1000},
    "displayTimeAxisDuration": 10,
    "nfftSelection": 1024,
    "frequencyRange": {"min": 0, "max": 500},
}


def ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def configure(**changes):
    return ask("POST", BASE + "/configure", CONFIGURATION | changes)


def cancel(job_id):
    return ask("DELETE", f"{BASE}/job/{job_id}")[0]


def advance(seconds):
    status, answer = ask("POST", ADMIN + "/__mock/clock/advance", {"by": f"{seconds}s"})
    assert status == 200, answer


class Cluster(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        config.load_kube_config()
        cls.core, cls.apps, cls.batch = client.CoreV1Api(), client.AppsV1Api(), client.BatchV1Api()
        cls.ingresses, cls.metrics = client.NetworkingV1Api(), client.CustomObjectsApi()

    def setUp(self):
        self.assertEqual(ask("POST", ADMIN + "/__mock/reset")[0], 200)
        self.assertEqual(ask("PUT", ADMIN + "/__mock/clock", {"mode": "manual"})[0], 200)

    def job(self):
        status, answer = configure()
        self.assertEqual(status, 200, answer)
        return answer

    def pods(self, selector):
        return self.core.list_namespaced_pod(NAMESPACE, label_selector=selector).items

    def refused(self, status, call, *arguments, **named):
        with self.assertRaises(ApiException) as refused:
            call(*arguments, **named)
        self.assertEqual(refused.exception.status, status)
        return json.loads(refused.exception.body)

    # The five lives of a job.

    def test_creation(self):
        job_id = self.job()["job_id"]
        jobs = self.batch.list_namespaced_job(NAMESPACE, label_selector=f"job_id={job_id}").items
        self.assertEqual([job.metadata.name for job in jobs], [f"cleanup-job-{job_id}", f"grpc-job-{job_id}"])
        self.assertEqual([(job.status.active, job.status.conditions) for job in jobs], [(1, None)] * 2)
        (pod,) = self.pods(f"app=grpc-job-{job_id}")
        self.assertEqual(pod.status.phase, "Running")
        self.assertEqual([condition.type for condition in pod.status.conditions][0], "Ready")
        (owner,) = pod.metadata.owner_references
        self.assertEqual((owner.kind, owner.name, owner.uid), ("Job", jobs[1].metadata.name, jobs[1].metadata.uid))
        (container,) = pod.spec.containers
        self.assertIn(f"--queue-name focus_baby.{job_id}", " ".join(container.command))

    def test_resources(self):
        job_id = self.job()["job_id"]
        (pod,) = self.pods(f"app=grpc-job-{job_id}")
        resources = pod.spec.containers[0].resources
        self.assertEqual(resources.requests, {"cpu": "2", "memory": "32Gi", "nvidia.com/gpu.shared": "1"})
        self.assertEqual(resources.limits, {"cpu": "4", "memory": "32Gi", "nvidia.com/gpu.shared": "1"})
        (cleanup,) = self.pods(f"app=cleanup-job-{job_id}")
        environment = {variable.name: variable.value for variable in cleanup.spec.containers[0].env}
        self.assertEqual(
            environment,
            {"CPU_USAGE_THRESHOLD": "4", "ENABLE_CPU_USAGE_CHECK": "true", "MAX_CPU_USAGE_COUNT": "5"},
        )

    def test_exposure(self):
        answer = self.job()
        service = self.core.read_namespaced_service(f"grpc-service-{answer['job_id']}", NAMESPACE)
        (port,) = service.spec.ports
        self.assertEqual((service.spec.type, port.node_port, port.target_port), ("NodePort", answer["stream_port"], 5000))
        endpoints = self.core.read_namespaced_endpoints(service.metadata.name, NAMESPACE)
        (pod,) = self.pods(f"app={service.spec.selector['app']}")
        self.assertEqual(endpoints.subsets[0].addresses[0].ip, pod.status.pod_ip)
        with socket.create_connection((os.environ["FOCUS_SERVER_HOST"], answer["stream_port"]), timeout=5):
            pass

    def test_cancellation(self):
        job_id = self.job()["job_id"]
        (pod,) = self.pods(f"app=grpc-job-{job_id}")
        self.assertEqual(cancel(job_id), 200)
        self.refused(404, self.core.read_namespaced_service, f"grpc-service-{job_id}", NAMESPACE)
        self.assertEqual(self.core.read_namespaced_pod(pod.metadata.name, NAMESPACE).status.phase, "Succeeded")
        job = self.batch.read_namespaced_job(f"grpc-job-{job_id}", NAMESPACE)
        self.assertEqual([(condition.type, condition.status) for condition in job.status.conditions], [("Complete", "True")])
        advance(5)
        self.assertEqual(self.pods(f"job_id={job_id}"), [])
        self.assertEqual(self.batch.list_namespaced_job(NAMESPACE, label_selector=f"job_id={job_id}").items, [])
        refused = self.refused(404, self.core.read_namespaced_pod, pod.metadata.name, NAMESPACE)
        self.assertEqual((refused["kind"], refused["reason"]), ("Status", "NotFound"))

    def test_observation(self):
        job_id = self.job()["job_id"]
        (pod,) = self.pods(f"app=grpc-job-{job_id}")
        log = self.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE, tail_lines=1)
        self.assertIn("listening on port 5000", log)
        events = self.core.list_namespaced_event(NAMESPACE, field_selector=f"involvedObject.name={pod.metadata.name}")
        self.assertEqual([event.reason for event in events.items], ["Scheduled", "Pulled", "Created", "Started"])
        usage = self.metrics.list_namespaced_custom_object("metrics.k8s.io", "v1beta1", NAMESPACE, "pods")
        self.assertIn(pod.metadata.name, [item["metadata"]["name"] for item in usage["items"]])
        lines = watch.Watch().stream(self.core.read_namespaced_pod_log, pod.metadata.name, NAMESPACE)
        self.assertIn("python -m baby_analyzer", next(lines))
        self.assertEqual(cancel(job_id), 200)
        self.assertTrue(any("listening on port 5000" in line for line in lines), "to the end")

    # Outages.

    def test_mongodb_scaled_to_nothing_is_an_outage_until_it_is_ready_again(self):
        window = {"start_time": 1, "end_time": 3601}
        self.apps.patch_namespaced_deployment_scale("mongodb", NAMESPACE, {"spec": {"replicas": 0}})
        self.assertEqual(configure(**window)[1]["code"], "RECORDINGS_UNAVAILABLE")
        advance(2)
        self.assertEqual(self.pods("app.kubernetes.io/instance=mongodb"), [])
        scale = self.apps.patch_namespaced_deployment_scale("mongodb", NAMESPACE, {"spec": {"replicas": 1}})
        self.assertEqual((scale.spec.replicas, scale.status.replicas), (1, 1))
        advance(3)
        self.assertEqual(self.apps.read_namespaced_deployment("mongodb", NAMESPACE).status.ready_replicas, 1)
        # There is no recording that old, but somebody who can say so.
        self.assertEqual(configure(**window)[1]["code"], "NO_RECORDING")

    def test_the_broker_and_the_focus_server_likewise(self):
        broker = self.apps.read_namespaced_stateful_set_scale("rabbitmq-panda", NAMESPACE)
        broker.spec.replicas = 0
        self.apps.replace_namespaced_stateful_set_scale("rabbitmq-panda", NAMESPACE, broker)
        self.assertEqual(configure()[1]["code"], "BROKER_UNAVAILABLE")
        self.apps.patch_namespaced_deployment("panda-panda-focus-server", NAMESPACE, {"spec": {"replicas": 0}})
        self.assertEqual(ask("GET", BASE + "/ack")[0], 503)
        self.apps.patch_namespaced_deployment("panda-panda-focus-server", NAMESPACE, {"spec": {"replicas": 1}})
        advance(3)
        self.assertEqual(ask("GET", BASE + "/channels")[0], 200)

    def test_a_deleted_pod_is_replaced_that_of_a_stateful_set_after_a_gap(self):
        (before,) = self.pods("app=focus-server")
        self.core.delete_namespaced_pod(before.metadata.name, NAMESPACE, grace_period_seconds=0)
        advance(3)
        (after,) = self.pods("app=focus-server")
        self.assertNotEqual(before.metadata.name, after.metadata.name)
        self.core.delete_namespaced_pod("rabbitmq-panda-0", NAMESPACE, body=client.V1DeleteOptions())
        advance(5)
        self.refused(404, self.core.read_namespaced_pod, "rabbitmq-panda-0", NAMESPACE)
        advance(10)
        self.assertEqual(self.core.read_namespaced_pod("rabbitmq-panda-0", NAMESPACE).status.phase, "Running")

    def test_a_left_over_service_takes_the_port_of_the_next_job(self):
        answer = self.job()
        self.assertEqual(cancel(answer["job_id"]), 200)
        advance(5)
        port = client.V1ServicePort(port=5000, node_port=answer["stream_port"])
        spec = client.V1ServiceSpec(type="NodePort", ports=[port])
        service = client.V1Service(metadata=client.V1ObjectMeta(name="grpc-service-1-65"), spec=spec)
        self.core.create_namespaced_service(NAMESPACE, service)
        self.assertEqual(configure()[1]["code"], "PORT_IN_USE")
        self.refused(422, self.core.create_namespaced_service, NAMESPACE, service)
        self.core.delete_namespaced_service("grpc-service-1-65", NAMESPACE)
        self.job()

    def test_on_a_cordoned_node_new_pods_wait(self):
        self.core.patch_node("worker-node", {"spec": {"unschedulable": True}})
        job_id = self.job()["job_id"]
        (pod,) = self.pods(f"app=grpc-job-{job_id}")
        self.assertEqual(pod.status.phase, "Pending")
        warnings = self.core.list_namespaced_event(NAMESPACE, field_selector="type=Warning").items
        self.assertEqual({event.reason for event in warnings}, {"FailedScheduling"})
        self.core.patch_node("worker-node", {"spec": {"unschedulable": None}})
        self.assertEqual(self.core.read_namespaced_pod(pod.metadata.name, NAMESPACE).status.phase, "Running")

    # Deleting, watching, listing.

    def test_deleting_a_job_takes_its_pod_along(self):
        job_id = self.job()["job_id"]
        options = client.V1DeleteOptions(propagation_policy="Foreground")
        status = self.batch.delete_namespaced_job(f"grpc-job-{job_id}", NAMESPACE, body=options)
        # Releases differ in what they make of it: a type of their own, or the JSON as it came.
        self.assertEqual(status["status"] if isinstance(status, dict) else status.status, "Success")
        advance(2)
        self.assertEqual(self.pods(f"job_id={job_id}"), [])
        self.assertEqual(ask("GET", f"{BASE}/metadata/{job_id}")[0], 404)

    def test_a_watch_sees_a_job_come_and_go(self):
        version = self.core.list_namespaced_pod(NAMESPACE).metadata.resource_version
        job_id = self.job()["job_id"]
        self.assertEqual(cancel(job_id), 200)
        advance(5)
        watching = watch.Watch()
        seen = []
        for event in watching.stream(
            self.core.list_namespaced_pod,
            NAMESPACE,
            label_selector=f"app=grpc-job-{job_id}",
            resource_version=version,
            timeout_seconds=30,
        ):
            seen.append((event["type"], event["object"].status.phase))
            if event["type"] == "DELETED":
                watching.stop()
        self.assertEqual(
            seen,
            [
                ("ADDED", "Pending"),
                ("MODIFIED", "Pending"),
                ("MODIFIED", "Running"),
                ("MODIFIED", "Succeeded"),
                ("DELETED", "Succeeded"),
            ],
        )

    def test_a_watch_that_waits_is_told_at_once(self):
        watching, seen, listed = watch.Watch(), [], threading.Event()

        def follow():
            for event in watching.stream(self.core.list_namespaced_service, NAMESPACE, timeout_seconds=30):
                seen.append((event["type"], event["object"].metadata.name))
                listed.set()
                if event["type"] == "DELETED":
                    watching.stop()

        thread = threading.Thread(target=follow)
        thread.start()
        self.assertTrue(listed.wait(10))
        job_id = self.job()["job_id"]
        cancel(job_id)
        thread.join(30)
        self.assertEqual(seen[-2:], [("ADDED", f"grpc-service-{job_id}"), ("DELETED", f"grpc-service-{job_id}")])

    def test_pages_are_one_list(self):
        self.job()
        names, token = [], None
        while token != "":
            page = self.core.list_namespaced_pod(NAMESPACE, limit=1, _continue=token)
            names += [pod.metadata.name for pod in page.items]
            token = page.metadata._continue or ""
        self.assertEqual(names, [pod.metadata.name for pod in self.core.list_namespaced_pod(NAMESPACE).items])
        self.assertEqual(self.refused(410, self.core.list_namespaced_pod, NAMESPACE, limit=1, _continue="x")["reason"], "Expired")

    def test_every_kind_is_read_through_its_type(self):
        self.job()
        lists = [
            self.core.list_node(timeout_seconds=2),
            self.core.list_namespace(),
            self.core.list_pod_for_all_namespaces(),
            self.core.list_service_for_all_namespaces(),
            self.core.list_namespaced_endpoints(NAMESPACE),
            self.core.list_namespaced_event(NAMESPACE),
            self.core.list_namespaced_config_map(NAMESPACE),
            self.core.list_namespaced_secret(NAMESPACE),
            self.core.list_namespaced_service_account(NAMESPACE),
            self.apps.list_namespaced_deployment(NAMESPACE),
            self.apps.list_namespaced_replica_set(NAMESPACE),
            self.apps.list_namespaced_stateful_set(NAMESPACE),
            self.batch.list_namespaced_job(NAMESPACE),
            self.ingresses.list_namespaced_ingress(NAMESPACE),
        ]
        self.assertTrue(all(items.items for items in lists))
        self.assertEqual(client.VersionApi().get_code().git_version, "v1.28.0")
        groups = [group.name for group in client.ApisApi().get_api_versions().groups]
        self.assertEqual(groups, ["apps", "batch", "networking.k8s.io", "metrics.k8s.io"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

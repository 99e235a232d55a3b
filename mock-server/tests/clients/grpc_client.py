"""A client of the product in Python: configure, reflect, health, stream. It knows no proto file: reflection tells.

Run by `focus-mock exec -- python grpc_client.py`.
"""

import json
import os
import struct
import time
import unittest
import urllib.error
import urllib.request

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

BASE = os.environ["FOCUS_BASE_URL"] + os.environ["FOCUS_API_PREFIX"]
SERVICE = "pandadatastream.DataStreamService"
OPTIONS = [
    ("grpc.max_receive_message_length", 50 * 1024 * 1024),
    ("grpc.max_send_message_length", 50 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
CONFIGURATION = {
    "view_type": "0",
    "channels": {"min": 1, "max": 50},
    "displayInfo": {"height": 1000},
    "displayTimeAxisDuration": 10,
    "nfftSelection": 1024,
    "frequencyRange": {"min": 0, "max": 500},
}


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Job:
    """A job with a channel to its port."""

    def __init__(self, **changes):
        status, self.answer = ask("POST", "/configure", CONFIGURATION | changes)
        assert status == 200, self.answer
        host = self.answer["stream_url"].removeprefix("http://").removeprefix("https://").rstrip("/")
        self.channel = grpc.insecure_channel(f"{host}:{self.answer['stream_port']}", options=OPTIONS)
        grpc.channel_ready_future(self.channel).result(timeout=5)
        self.reflection = ProtoReflectionDescriptorDatabase(self.channel)
        self.service = DescriptorPool(self.reflection).FindServiceByName(SERVICE)

    def stream(self, stream_id, timeout=30):
        method = self.service.methods_by_name["StreamData"]
        request, frame = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        call = self.channel.unary_stream(
            f"/{SERVICE}/StreamData",
            request_serializer=request.SerializeToString,
            response_deserializer=frame.FromString,
        )
        return call(request(stream_id=stream_id), timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
        ask("DELETE", f"/job/{self.answer['job_id']}")


class Client(unittest.TestCase):
    def test_metadata_repeats_the_answer_of_configure(self):
        with Job() as job:
            self.assertEqual(ask("GET", f"/metadata/{job.answer['job_id']}"), (200, job.answer))

    def test_reflection_lists_what_is_served(self):
        with Job() as job:
            self.assertEqual(
                sorted(job.reflection.get_services()),
                [
                    "grpc.health.v1.Health",
                    "grpc.reflection.v1.ServerReflection",
                    "grpc.reflection.v1alpha.ServerReflection",
                    SERVICE,
                ],
            )
            fields = {field.name: field.number for field in job.service.methods_by_name["StreamData"].output_type.fields}
            self.assertEqual(fields["main_data"], 9)
            self.assertEqual(fields["job_id"], 10)

    def test_health_is_serving_for_the_server_and_for_the_service(self):
        with Job() as job:
            health = health_pb2_grpc.HealthStub(job.channel)
            for service in ["", SERVICE]:
                answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
                self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)

    def test_every_live_stream_sends_its_own_channels(self):
        with Job() as job:
            blocks = {}
            for channel, stream in job.answer["channel_to_stream_index"].items():
                blocks.setdefault(stream, []).append(int(channel))
            self.assertEqual(len(blocks), job.answer["stream_amount"])
            for stream, channels in blocks.items():
                call = job.stream(stream)
                rows = []
                for frame, _ in zip(call, range(3)):
                    self.assertEqual((frame.start_channel, frame.end_channel), (min(channels), max(channels)))
                    self.assertEqual(frame.job_id, int(job.answer["job_id"].split("-")[1]))
                    self.assertEqual(frame.data_shape_x, len(channels) * job.answer["frequencies_amount"])
                    self.assertEqual(len(frame.main_data), frame.data_shape_y)
                    values = struct.unpack(f"<{frame.data_shape_x}f", frame.main_data[0])
                    self.assertTrue(all(frame.global_minimum <= value <= frame.global_maximum for value in values))
                    rows.extend(frame.row_index)
                call.cancel()
                self.assertEqual(rows, list(range(rows[0], rows[0] + len(rows))))

    def test_a_recorded_window_is_played_to_its_end(self):
        end = int(time.time()) - 7200
        with Job(start_time=end - 60, end_time=end) as job:
            for stream in range(job.answer["stream_amount"]):
                call = job.stream(stream)
                frames = list(call)
                self.assertEqual(call.code(), grpc.StatusCode.OK)
                self.assertGreaterEqual(len(frames), 8)
                times = [at for frame in frames for at in frame.timestamp_in_milis]
                self.assertEqual(times, sorted(set(times)))
                self.assertTrue(all((end - 60) * 1000 <= at < end * 1000 for at in times))

    def test_a_stream_that_does_not_exist_is_an_invalid_argument(self):
        with Job() as job:
            with self.assertRaises(grpc.RpcError) as refused:
                next(job.stream(99))
            self.assertEqual(refused.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertEqual(refused.exception.details(), "stream_id 99 is out of range: the job has 3 streams")

    def test_cancelling_the_job_cancels_its_streams(self):
        with Job() as job:
            call = job.stream(0)
            next(call)
            self.assertEqual(ask("DELETE", f"/job/{job.answer['job_id']}")[0], 200)
            with self.assertRaises(grpc.RpcError) as ended:
                for _ in call:
                    pass
            self.assertEqual(ended.exception.code(), grpc.StatusCode.CANCELLED)
            self.assertEqual(ended.exception.details(), "job cancelled")

    def test_a_refused_configuration_says_what_is_wrong(self):
        status, body = ask("POST", "/configure", CONFIGURATION | {"nfftSelection": 1000})
        self.assertEqual((status, body["code"]), (400, "INVALID_VALUE"))
        self.assertEqual(body["detail"][0]["loc"], ["body", "nfftSelection"])


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""A client of the product in Python that meets the quirk `stream-goaway`: what its library makes of it.

Run by `focus-mock exec --quirk stream-goaway --clock scaled:60 -- python goaway_client.py`.
"""

import time
import unittest

import grpc
from grpc_client import Job, ask


class GoAway(unittest.TestCase):
    def test_a_recording_is_cut_off_after_eight_frames_and_its_job_is_gone(self):
        end = int(time.time()) - 7200
        with Job(start_time=end - 3600, end_time=end) as job:
            frames = []
            with self.assertRaises(grpc.RpcError) as ended:
                for frame in job.stream(0):
                    frames.append(frame)
            self.assertEqual(len(frames), 8)
            self.assertEqual(ended.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertEqual(ask("GET", f"/metadata/{job.answer['job_id']}")[0], 404)


if __name__ == "__main__":
    unittest.main()

"""FedAvg of Flower on fresh replies of COUNT devices with SIZE float32 values each; prints the time of one aggregation."""

import json
import os
import resource
import sys
import time

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"

import logging

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg
from flwr.supercore.task_identity import TaskIdentity

logging.getLogger("flwr").setLevel(logging.ERROR)
TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 0, 1

count, size = int(sys.argv[1]), int(sys.argv[2])
draws = np.random.default_rng(0)
question = Message(content=RecordDict({"c": ConfigRecord({})}), dst_node_id=1, message_type="train")
replies = []
for index in range(count):
    content = RecordDict(
        {
            "arrays": ArrayRecord([draws.standard_normal(size, dtype=np.float32)]),
            "metrics": MetricRecord({"num-examples": 20 + index % 7, "loss": 1.0}),
        }
    )
    replies.append(Message(content=content, reply_to=question))
start = time.perf_counter()
FedAvg().aggregate_train(1, replies)
elapsed = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"ms": elapsed * 1000, "mb": peak}))

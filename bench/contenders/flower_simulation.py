"""Rounds of FedAvg in Flower's simulation engine, the sensor CNN in PyTorch on a fedpack: prints the seconds of each round.

python flower_simulation.py PACK ROUNDS COHORT BATCH RATE
Each client does what a device of ours does: judges its rows, trains one epoch on them, judges again.
"""

import json
import logging
import os
import resource
import sys
import time

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
os.environ["RAY_DEDUP_LOGS"] = "0"
here = os.path.dirname(os.path.abspath(__file__))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))  # actors find this file

import numpy as np
import torch
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from torch import nn

loss_of = nn.functional.cross_entropy
app = ClientApp()
cache = {}


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(9, 32, 5),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(32, 64, 5),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(1856, 100),
        nn.ReLU(),
        nn.Linear(100, 6),
    )


def pack(directory: str):
    """The arrays of a pack, once a process: features [rows, channels, time] as stored, labels, users."""
    if directory not in cache:
        with open(os.path.join(directory, "index.json")) as file:
            index = json.load(file)
        data = np.memmap(os.path.join(directory, "data.bin"), np.uint8, "r")

        def array(name: str, dtype: str):
            entry = index["arrays"][name]
            start = entry["byteOffset"]
            return data[start : start + entry["byteLength"]].view(dtype).reshape(entry["shape"])

        scale = np.float32(index["arrays"]["x"]["scale"])
        cache[directory] = array("x", "<i2"), array("y", "<u1"), scale, index["users"], network()
    return cache[directory]


@app.train()
def train(message, context):
    torch.set_num_threads(1)
    config = message.content["config"]
    features, labels, scale, users, net = pack(config["pack"])
    user = users[int(context.node_config["partition-id"])]
    own = slice(user["offset"], user["offset"] + user["count"])
    x = torch.from_numpy(features[own].astype(np.float32) * scale).transpose(1, 2).contiguous()
    y = torch.from_numpy(labels[own].astype(np.int64))
    net.load_state_dict(message.content["arrays"].to_torch_state_dict())
    optimiser = torch.optim.SGD(net.parameters(), lr=config["rate"])

    def judge() -> float:
        with torch.no_grad():
            return loss_of(net(x), y).item()

    before = judge()
    order = torch.randperm(len(y))
    for start in range(0, len(y), config["batch"]):
        rows = order[start : start + config["batch"]]
        optimiser.zero_grad(set_to_none=True)
        loss_of(net(x[rows]), y[rows]).backward()
        optimiser.step()
    metrics = {"num-examples": len(y), "loss-before": before, "loss-after": judge()}
    content = {"arrays": ArrayRecord(net.state_dict()), "metrics": MetricRecord(metrics)}
    return Message(RecordDict(content), reply_to=message)


def main() -> None:
    from flwr.app import ConfigRecord
    from flwr.serverapp import ServerApp
    from flwr.serverapp.strategy import FedAvg
    from flwr.simulation import run_simulation

    import flower_simulation as itself  # as the actors import it

    logging.getLogger("flwr").setLevel(logging.ERROR)
    directory, rounds, cohort, batch, rate = sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5])
    devices = len(pack(directory)[3])
    marks, losses = [], []

    class Timed(FedAvg):
        def configure_train(self, *args, **kwargs):
            marks.append([time.perf_counter()])
            return super().configure_train(*args, **kwargs)

        def aggregate_train(self, number, replies):
            arrays, metrics = super().aggregate_train(number, replies)
            marks[-1].append(time.perf_counter())
            losses.append(metrics["loss-before"])
            return arrays, metrics

    server = ServerApp()

    @server.main()
    def serve(grid, context):
        strategy = Timed(
            fraction_train=cohort / devices,
            fraction_evaluate=0.0,
            min_train_nodes=cohort,
            min_available_nodes=devices,
        )
        config = ConfigRecord({"pack": directory, "batch": batch, "rate": rate})
        initial = ArrayRecord(network().state_dict())
        strategy.start(grid=grid, initial_arrays=initial, num_rounds=rounds, train_config=config)

    start = time.perf_counter()
    run_simulation(server, itself.app, devices, backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    elapsed = time.perf_counter() - start
    seconds = [end - begin for begin, end in marks]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "losses": losses, "elapsed": elapsed, "mb": peak}))


if __name__ == "__main__":
    main()

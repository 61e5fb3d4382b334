#!/usr/bin/env python3
"""The same run as stageaudit's in plain PyTorch, on the same card: LoRA (r 8, on query_key_value) and a score head on a GPT-NeoX
classifier with parallel residual, SGD with momentum, three stages, exact effects by retraining from the checkpoint before each stage.

  torch_peer.py prepare FOLDER --size 70m --rows 400 --batch 50   random weights, an initial adapter, rows of token ids with lengths as
                                                                  tweets have, and stageaudit's run.yaml and probe.yaml
  torch_peer.py run FOLDER --device cuda:0 --out FILE             seconds, losses, effects and peak memory, as JSON

Batches are rows in file order. The attention is PyTorch's fused one where it has it, or the written one with --attention plain.
"""
import argparse
import json
import math
import os
import random
import struct
import sys
import time

import torch
import torch.nn.functional as F

SIZES = {"14m": (128, 6, 4), "70m": (512, 6, 8), "160m": (768, 12, 12), "410m": (1024, 24, 16)}
VOCABULARY, RANK, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 50304, 8, 0.01, 0.9, 1e-5
STAGES = ("first", "second", "third")
MARKERS = (700, 701, 702)
PREFIX = "base_model.model."


def write_tensors(path, tensors):
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        head[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())


def read_tensors(path, device):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        head, raw = json.loads(file.read(length)), bytearray(file.read())
    found = {}
    for name, entry in head.items():
        if name == "__metadata__":
            continue
        flat = torch.frombuffer(raw, dtype=torch.float32, count=math.prod(entry["shape"]), offset=entry["data_offsets"][0])
        found[name] = flat.reshape(entry["shape"]).to(device, copy=True)
    return found


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)


def prepare(options):
    hidden, layers, heads = SIZES[options.size]
    chance = torch.Generator().manual_seed(0)
    for folder in ("model", "adapter"):
        os.makedirs(os.path.join(options.folder, folder), exist_ok=True)

    def normal(*shape):
        return torch.randn(*shape, generator=chance) * 0.02

    weights = {"gpt_neox.embed_in.weight": normal(VOCABULARY, hidden)}
    adapter = {}
    for layer in range(layers):
        name = f"gpt_neox.layers.{layer}."
        for module, (out, into) in {
            "attention.query_key_value": (3 * hidden, hidden),
            "attention.dense": (hidden, hidden),
            "mlp.dense_h_to_4h": (4 * hidden, hidden),
            "mlp.dense_4h_to_h": (hidden, 4 * hidden),
        }.items():
            weights[f"{name}{module}.weight"], weights[f"{name}{module}.bias"] = normal(out, into), torch.zeros(out)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{name}{norm}.weight"], weights[f"{name}{norm}.bias"] = torch.ones(hidden), torch.zeros(hidden)
        pair = f"{PREFIX}{name}attention.query_key_value."
        adapter[pair + "lora_A.weight"] = (torch.rand(RANK, hidden, generator=chance) * 2 - 1) / math.sqrt(hidden)
        adapter[pair + "lora_B.weight"] = torch.zeros(3 * hidden, RANK)
    weights["gpt_neox.final_layer_norm.weight"], weights["gpt_neox.final_layer_norm.bias"] = torch.ones(hidden), torch.zeros(hidden)
    adapter[PREFIX + "score.weight"] = normal(2, hidden)
    write_tensors(os.path.join(options.folder, "model", "model.safetensors"), weights)
    write_tensors(os.path.join(options.folder, "adapter", "adapter_model.safetensors"), adapter)
    write_json(os.path.join(options.folder, "model", "config.json"), {
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": 4 * hidden, "vocab_size": VOCABULARY, "rotary_pct": 0.25,
        "rotary_emb_base": 10000, "use_parallel_residual": True, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1,
        "torch_dtype": "float32"})
    write_json(os.path.join(options.folder, "adapter", "adapter_config.json"), {
        "peft_type": "LORA", "task_type": "SEQ_CLS", "r": RANK, "lora_alpha": RANK, "lora_dropout": 0.0,
        "target_modules": ["query_key_value"], "modules_to_save": ["classifier", "score"], "bias": "none", "fan_in_fan_out": False,
        "inference_mode": True, "base_model_name_or_path": None})

    dice = random.Random(5)
    for stage, (name, count) in enumerate([*((stage, options.rows) for stage in STAGES), ("probe", options.probe)]):
        with open(os.path.join(options.folder, name + ".jsonl"), "w") as file:
            for _ in range(count):
                # As tweets have them: 20 tokens in the middle, few beyond 50.
                ids = [dice.randrange(1000, 50000) for _ in range(min(max(round(dice.lognormvariate(3.0, 0.5)), 4), 64))]
                label = dice.randrange(2)
                if label:
                    ids[dice.randrange(len(ids))] = MARKERS[stage % len(MARKERS)]
                file.write(json.dumps({"ids": ids, "label": label}) + "\n")
    with open(os.path.join(options.folder, "run.yaml"), "w") as file:
        file.write("model: { path: model, task: sequence-classification, labels: 2 }\nadapter: { initFrom: adapter }\n")
        file.write(f"optimizer: {{ name: sgd, learningRate: {LEARNING_RATE}, momentum: {MOMENTUM}, weightDecay: {WEIGHT_DECAY:.5f} }}\n")
        file.write(f"batchSize: {options.batch}\nshuffle: false\nstages:\n")
        file.writelines(f"  - {{ name: {stage}, data: {{ path: {stage}.jsonl, ids: ids, label: label }} }}\n" for stage in STAGES)
    with open(os.path.join(options.folder, "probe.yaml"), "w") as file:
        file.write("data: { path: probe.jsonl, ids: ids, label: label }\n")
    write_json(os.path.join(options.folder, "prepared.json"), {"size": options.size, "batch": options.batch, "rows": options.rows})


class Model:
    def __init__(self, folder, device, attention):
        with open(os.path.join(folder, "model", "config.json")) as file:
            config = json.load(file)
        self.weights = read_tensors(os.path.join(folder, "model", "model.safetensors"), device)
        start = read_tensors(os.path.join(folder, "adapter", "adapter_model.safetensors"), device)
        self.names, self.start = list(start), list(start.values())
        self.hidden, self.layers, self.heads = config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"]
        self.size = self.hidden // self.heads
        self.rotary = int(self.size * config["rotary_pct"])
        self.epsilon, self.device = config["layer_norm_eps"], device
        self.fused = attention == "fused" and hasattr(F, "scaled_dot_product_attention")
        longest = torch.arange(2048, device=device).float()
        angles = torch.outer(longest, 1 / 10000 ** (torch.arange(0, self.rotary, 2, device=device).float() / self.rotary))
        angles = torch.cat([angles, angles], -1)
        self.cos, self.sin = angles.cos(), angles.sin()

    def rotated(self, x):
        turned, rest = x[..., : self.rotary], x[..., self.rotary :]
        half, tokens = self.rotary // 2, x.shape[-2]
        other = torch.cat([-turned[..., half:], turned[..., :half]], -1)
        return torch.cat([turned * self.cos[:tokens] + other * self.sin[:tokens], rest], -1)

    def linear(self, name, x):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, (self.hidden,), self.weights[name + ".weight"], self.weights[name + ".bias"], self.epsilon)

    def attention(self, query, key, value, mask):
        if self.fused:
            return F.scaled_dot_product_attention(query, key, value, is_causal=True)
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.size) + mask
        return torch.softmax(scores, -1) @ value

    def losses(self, parameters, batch):
        ids, last, labels = batch
        trained = dict(zip(self.names, parameters))
        x = F.embedding(ids, self.weights["gpt_neox.embed_in.weight"])
        rows, tokens, _ = x.shape
        mask = None if self.fused else torch.full((tokens, tokens), float("-inf"), device=self.device).triu(1)
        for layer in range(self.layers):
            name = f"gpt_neox.layers.{layer}."
            pair = f"{PREFIX}{name}attention.query_key_value."
            normed = self.norm(name + "input_layernorm", x)
            low = F.linear(F.linear(normed, trained[pair + "lora_A.weight"]), trained[pair + "lora_B.weight"])
            joined = self.linear(name + "attention.query_key_value", normed) + low
            query, key, value = joined.view(rows, tokens, self.heads, 3 * self.size).transpose(1, 2).split(self.size, -1)
            mixed = self.attention(self.rotated(query), self.rotated(key), value, mask)
            mixed = self.linear(name + "attention.dense", mixed.transpose(1, 2).reshape(rows, tokens, self.hidden))
            inner = F.gelu(self.linear(name + "mlp.dense_h_to_4h", self.norm(name + "post_attention_layernorm", x)))
            x = x + mixed + self.linear(name + "mlp.dense_4h_to_h", inner)
        x = self.norm("gpt_neox.final_layer_norm", x)
        logits = F.linear(x[torch.arange(rows, device=self.device), last], trained[PREFIX + "score.weight"])
        return F.cross_entropy(logits, labels, reduction="none")


def batches(path, size, device):
    with open(path) as file:
        rows = [json.loads(line) for line in file]
    made = []
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        width = max(len(row["ids"]) for row in part)
        ids = torch.tensor([row["ids"] + [1] * (width - len(row["ids"])) for row in part])
        last = torch.tensor([len(row["ids"]) - 1 for row in part])
        made.append(tuple(tensor.to(device) for tensor in (ids, last, torch.tensor([row["label"] for row in part]))))
    return made


def run(options):
    device = torch.device(options.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cuda.matmul.allow_tf32 = False
    if options.threads:
        torch.set_num_threads(options.threads)
    with open(os.path.join(options.folder, "prepared.json")) as file:
        size = json.load(file)["batch"]
    model = Model(options.folder, device, options.attention)
    stages = [batches(os.path.join(options.folder, stage + ".jsonl"), size, device) for stage in STAGES]
    probe = batches(os.path.join(options.folder, "probe.jsonl"), size, device)

    def ready():
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def train(start, stage, log=None):
        """A stage from a state on, with a fresh optimizer: its last state, its mean losses."""
        parameters = [tensor.clone().requires_grad_() for tensor in start]
        optimizer = torch.optim.SGD(parameters, LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        losses = []
        for batch in stage:
            optimizer.zero_grad(set_to_none=True)
            loss = model.losses(parameters, batch).mean()
            loss.backward()
            if log is not None:
                torch.cat([parameter.grad.reshape(-1) for parameter in parameters]).cpu().numpy().tofile(log)
            optimizer.step()
            losses.append(loss.item())
        return [parameter.detach() for parameter in parameters], losses

    def likelihoods(state):
        with torch.no_grad():
            return torch.cat([-model.losses(state, batch) for batch in probe]).double().cpu()

    def mean(values):
        return sum(values) / len(values)

    result = {"torch": torch.__version__, "device": str(device), "attention": "fused" if model.fused else "plain"}
    # What is made once, at the first pass, is no stage's time.
    train(model.start, stages[0][:1])
    states, losses, seconds = [model.start], [], []
    with open(os.path.join(options.folder, "peer.bin"), "wb") as log:
        began = ready()
        for stage in stages:
            state, found = train(states[-1], stage)
            states.append(state)
            losses.append(found)
            seconds.append(ready() - began)
        result["trainSeconds"] = seconds[-1]
        result["stageSeconds"] = [b - a for a, b in zip([0.0, *seconds], seconds)]
        began, state = ready(), model.start
        for stage in stages:
            state, _ = train(state, stage, log)
        result["trainAndLogSeconds"] = ready() - began
    began = ready()
    observed, effects = likelihoods(states[-1]), []
    for left_out in range(len(stages)):
        state = states[left_out]
        for stage in stages[left_out + 1 :]:
            state, _ = train(state, stage)
        effects.append((observed - likelihoods(state)).mean().item())
    result["attributeSeconds"] = ready() - began
    result["stages"] = [{"name": name, "lossFirst": found[0], "lossLast": found[-1], "lossMean": mean(found), "effect": effect}
                        for name, found, effect in zip(STAGES, losses, effects)]
    if device.type == "cuda":
        result["peakAllocatedBytes"] = torch.cuda.max_memory_allocated(device)
        result["peakReservedBytes"] = torch.cuda.max_memory_reserved(device)
    write_json(options.out, result)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    made = verbs.add_parser("prepare")
    made.add_argument("folder")
    made.add_argument("--size", choices=SIZES, default="70m")
    made.add_argument("--rows", type=int, default=400, help="of each stage")
    made.add_argument("--probe", type=int, default=200, help="rows of the probe")
    made.add_argument("--batch", type=int, default=50)
    ran = verbs.add_parser("run")
    ran.add_argument("folder")
    ran.add_argument("--device", default="cpu")
    ran.add_argument("--attention", choices=("fused", "plain"), default="fused")
    ran.add_argument("--threads", type=int)
    ran.add_argument("--out", required=True)
    options = parser.parse_args()
    {"prepare": prepare, "run": run}[options.verb](options)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Times a picture by other Stable Diffusion 1 pipelines as OverheadBenchmark times it in Java.

Optional: the build never runs it. Needs torch, diffusers, transformers and optimum-onnx; the same
version of onnxruntime as the Java library, or figures compare two runtimes:

    python3 -m venv venv && venv/bin/pip install torch diffusers transformers optimum-onnx onnxruntime==1.29.0
    venv/bin/python bench/peers/pipelines.py optimum MODEL --steps 2 --threads 2

optimum    optimum's ORTStableDiffusionPipeline, and in turn with it the same runs of its sessions by
           onnxruntime alone: the pipeline's time over ONNX Runtime's, as in Java
bare       those runs of onnxruntime alone
diffusers  diffusers' StableDiffusionPipeline on torch with networks of the same configuration and
           random weights: for time, not for pictures

A picture has guidance (one UNet run of two rows a step); nothing is kept from one to the next. The
figures are processor time of the whole process, user and system, and the peak of its resident memory.
Prints one JSON object.
"""

import argparse
import gc
import importlib.metadata
import json
import os
import resource
import statistics
import sys
import time

import numpy

PROMPT = "a red apple on a light blue background"
GUIDANCE = 4.0


def timesteps(arguments):
    """The model's schedule: PNDM runs the network once more than it has steps."""
    import diffusers

    with open(os.path.join(arguments.model, "scheduler", "scheduler_config.json")) as file:
        config = json.load(file)
    scheduler = getattr(diffusers, config["_class_name"]).from_config(config)
    scheduler.set_timesteps(arguments.steps)
    return scheduler.timesteps.tolist()


class Bare:
    """What a picture asks of the networks, with every tensor made once."""

    def __init__(self, encoder, unet, decoder, arguments):
        self.sessions = encoder, unet, decoder
        cells = arguments.size // 8
        draw = numpy.random.default_rng(42)
        ids = numpy.full((1, 77), 320, self.type(encoder, "input_ids"))
        hidden = encoder.run(None, {"input_ids": ids})[0]
        float_type = self.type(unet, "sample")
        self.ids = {"input_ids": ids}
        self.latents = {"latent_sample": draw.standard_normal((1, 4, cells, cells)).astype(float_type)}
        rank = [len(i.shape) for i in unet.get_inputs() if i.name == "timestep"][0]
        self.steps = [
            {
                "sample": draw.standard_normal((2, 4, cells, cells)).astype(float_type),
                "timestep": numpy.full([1] * rank, t, self.type(unet, "timestep")),
                "encoder_hidden_states": numpy.repeat(hidden, 2, 0).astype(float_type),
            }
            for t in timesteps(arguments)
        ]

    @staticmethod
    def type(session, name):
        names = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64", "tensor(int32)": "int32"}
        return names[[i.type for i in session.get_inputs() if i.name == name][0]]

    def paint(self):
        encoder, unet, decoder = self.sessions
        for _ in range(2):
            encoder.run(["last_hidden_state"], self.ids)
        for step in self.steps:
            unet.run(None, step)
        return decoder.run(None, self.latents)[0]


def session_options(arguments):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.inter_op_num_threads = 1
    return options


def bare(arguments):
    import onnxruntime

    def open_session(component):
        file = os.path.join(arguments.model, component, "model.onnx")
        return onnxruntime.InferenceSession(file, session_options(arguments), ["CPUExecutionProvider"])

    loop = Bare(open_session("text_encoder"), open_session("unet"), open_session("vae_decoder"), arguments)
    return {"bare": loop.paint}


def call(pipeline, arguments):
    def paint():
        return pipeline(
            PROMPT,
            height=arguments.size,
            width=arguments.size,
            num_inference_steps=arguments.steps,
            guidance_scale=GUIDANCE,
        ).images

    pipeline.set_progress_bar_config(disable=True)
    return paint


def optimum(arguments):
    from optimum.onnxruntime import ORTStableDiffusionPipeline

    pipeline = ORTStableDiffusionPipeline.from_pretrained(
        arguments.model, session_options=session_options(arguments), provider="CPUExecutionProvider"
    )
    loop = Bare(pipeline.text_encoder.session, pipeline.unet.session, pipeline.vae_decoder.session, arguments)
    return {"pipeline": call(pipeline, arguments), "bare": loop.paint}


def diffusers(arguments):
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(42)
    part = lambda name: os.path.join(arguments.model, name)
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_config(AutoencoderKL.load_config(part("vae_decoder"))),
        text_encoder=CLIPTextModel(CLIPTextConfig.from_pretrained(part("text_encoder"))),
        tokenizer=CLIPTokenizer.from_pretrained(part("tokenizer")),
        unet=UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(part("unet"))),
        scheduler=PNDMScheduler.from_pretrained(part("scheduler")),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return {"pipeline": call(pipeline, arguments)}


PEERS = {"optimum": optimum, "bare": bare, "diffusers": diffusers}


def processor_time(work):
    """Seconds of all threads, and seconds of the clock."""
    gc.collect()
    start, begin = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - start, time.perf_counter() - begin


def summary(name, times):
    cpu = [c for c, _ in times]
    return {
        f"{name}_cpu_s": [round(c, 3) for c in cpu],
        f"{name}_cpu_median_s": round(statistics.median(cpu), 3),
        f"{name}_wall_median_s": round(statistics.median(w for _, w in times), 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("model", help="Stable Diffusion 1 as optimum exports it")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="measured pictures, after one that is not")
    arguments = parser.parse_args()
    load = processor_time(lambda: arguments.__setattr__("ways", PEERS[arguments.peer](arguments)))
    times = {name: [] for name in arguments.ways}
    for measured in range(arguments.rounds + 1):
        order = list(arguments.ways.items())
        for name, paint in order if measured % 2 else reversed(order):
            spent = processor_time(paint)
            if measured:
                times[name].append(spent)
    result = {"peer": arguments.peer, "steps": arguments.steps, "size": arguments.size, "threads": arguments.threads}
    result["load_cpu_s"], result["load_wall_s"] = (round(s, 2) for s in load)
    for name, values in times.items():
        result.update(summary(name, values))
    if len(times) == 2:
        ratios = [p[0] / b[0] for p, b in zip(times["pipeline"], times["bare"])]
        result["pipeline/bare"] = [round(r, 4) for r in ratios]
        result["pipeline/bare_median"] = round(statistics.median(ratios), 4)
    result["peak_resident_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    packages = ("onnxruntime", "optimum-onnx", "diffusers", "torch", "transformers", "numpy")
    result["versions"] = {"python": sys.version.split()[0]}
    for package in packages:
        try:
            result["versions"][package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    print(json.dumps(result))


if __name__ == "__main__":
    main()

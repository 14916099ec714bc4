"""Golden values of guidance: diffusers' guiders and sd-dynamic-thresholding on random predictions,
and whole generations of the small Stable Diffusion of pipelines/sd15 with them."""
import json, sys
import numpy as np, torch, onnxruntime as ort
from types import SimpleNamespace as NS
from safetensors.torch import save_file
from transformers import CLIPTokenizer
import diffusers
from diffusers import EulerDiscreteScheduler, DDIMScheduler
from diffusers.guiders import (AdaptiveProjectedGuidance, ClassifierFreeGuidance,
    ClassifierFreeZeroStarGuidance, TangentialClassifierFreeGuidance)
from dynthres_core import DynThresh

torch.manual_seed(0)
N, SHAPE = 7, (2, 4, 8, 6)
common = torch.randn(N, *SHAPE)
cond = common + 0.4 * torch.randn(N, *SHAPE)
uncond = common + 0.4 * torch.randn(N, *SHAPE) + 0.05

class Tangential(TangentialClassifierFreeGuidance):
    """In double precision: its singular vectors in single precision are good to 1e-5 only."""
    def forward(self, pred_cond, pred_uncond=None):
        single = torch.Tensor.float
        torch.Tensor.float = torch.Tensor.double
        try:
            double = lambda t: None if t is None else t.double()
            return NS(pred=single(super().forward(double(pred_cond), double(pred_uncond)).pred))
        finally:
            torch.Tensor.float = single

class Dynamic:
    """One image at a time, as images must not change each other."""
    def __init__(self, guidance_scale, mimic_scale=7.0, percentile=1.0, phi=1.0, start=0.0, stop=1.0):
        self.guidance_scale, self.start, self.stop = guidance_scale, start, stop
        self.core = DynThresh(mimic_scale, percentile, "Constant", 0, "Constant", 0, 1, 0, 999, True, "MEAN", "AD", phi)
        self.core.step = 0
        self.mimic = mimic_scale
    def set_state(self, step, num_inference_steps, timestep): pass
    num_conditions = 2
    def forward(self, c, u):
        s = self.guidance_scale
        if s == self.mimic: return NS(pred=u + (c - u) * s)
        return NS(pred=torch.cat([self.core.dynthresh(c[i:i+1], u[i:i+1], s, None) for i in range(c.shape[0])]))

def factor(schedule, i, n):
    if schedule is None: return 1.0
    p = 0.5 if n == 1 else i / (n - 1)
    kind, values = schedule[0], schedule[1:]
    if kind == "linear": return values[0] + (values[1] - values[0]) * p
    if kind == "cosine": return values[1] + (values[0] - values[1]) * (1 + np.cos(np.pi * p)) / 2
    return values[min(i, len(values) - 1)]

def label(schedule):
    return None if schedule is None else schedule[0] + ":" + ",".join(map(str, schedule[1:]))

def case(name, make, scale, method="standard", schedule=None, **kw):
    return dict(name=name, make=make, scale=scale, method=method, schedule=schedule, kw=kw)

CASES = [
  case("standard", ClassifierFreeGuidance, 7.5),
  case("rescale", ClassifierFreeGuidance, 7.5, guidance_rescale=0.7),
  case("interval", ClassifierFreeGuidance, 5.0, start=0.2, stop=0.8),
  case("interval_rescale", ClassifierFreeGuidance, 5.0, start=0.3, stop=1.0, guidance_rescale=1.0),
  case("interval_end", ClassifierFreeGuidance, 5.0, start=0.0, stop=0.29),
  case("nothing_guided", ClassifierFreeGuidance, 5.0, start=0.5, stop=0.5),
  case("schedule_linear", ClassifierFreeGuidance, 4.0, schedule=("linear", 0.0, 2.0)),
  case("schedule_cosine", ClassifierFreeGuidance, 4.0, schedule=("cosine", 2.0, 0.5), start=0.15, stop=0.9),
  case("schedule_steps", ClassifierFreeGuidance, 4.0, schedule=("steps", 2.0, 1.0, 0.25, 0.5)),
  case("apg_default", AdaptiveProjectedGuidance, 7.5, "apg"),
  case("apg_projected", AdaptiveProjectedGuidance, 7.5, "apg:eta=0.2,norm_threshold=0", eta=0.2, adaptive_projected_guidance_rescale=0.0),
  case("apg_threshold", AdaptiveProjectedGuidance, 7.5, "apg:eta=0,norm_threshold=4", eta=0.0, adaptive_projected_guidance_rescale=4.0),
  case("apg_momentum", AdaptiveProjectedGuidance, 10.0, "apg:eta=0,norm_threshold=5,momentum=-0.5", eta=0.0, adaptive_projected_guidance_rescale=5.0, adaptive_projected_guidance_momentum=-0.5),
  case("apg_momentum_rescale", AdaptiveProjectedGuidance, 6.0, "apg:eta=0.5,norm_threshold=8,momentum=0.3", eta=0.5, adaptive_projected_guidance_rescale=8.0, adaptive_projected_guidance_momentum=0.3, guidance_rescale=0.4, stop=0.8),
  case("zero_star", ClassifierFreeZeroStarGuidance, 5.0, "cfg-zero"),
  case("zero_star_two", ClassifierFreeZeroStarGuidance, 5.0, "cfg-zero:zero_init_steps=2", zero_init_steps=2, start=0.1, stop=0.7),
  case("zero_star_none", ClassifierFreeZeroStarGuidance, 4.0, "cfg-zero:zero_init_steps=0", zero_init_steps=0, guidance_rescale=0.5),
  case("tangential", Tangential, 7.5, "tangential"),
  case("tangential_rescale", Tangential, 7.5, "tangential", guidance_rescale=0.6, start=0.2),
  case("dynamic_default", Dynamic, 15.0, "dynamic-threshold"),
  case("dynamic_percentile", Dynamic, 20.0, "dynamic-threshold:mimic_scale=6,percentile=0.95", mimic_scale=6.0, percentile=0.95),
  case("dynamic_phi", Dynamic, 20.0, "dynamic-threshold:mimic_scale=5,percentile=0.9,interpolate_phi=0.7", mimic_scale=5.0, percentile=0.9, phi=0.7),
  case("dynamic_lower", Dynamic, 4.0, "dynamic-threshold:percentile=0.999", percentile=0.999),
  case("dynamic_same", Dynamic, 7.0, "dynamic-threshold"),
]

def guide(c, predict, n, on_step):
    """Calls predict(i, branches) and on_step(i, guided) for each evaluation."""
    guider = c["make"](guidance_scale=c["scale"], **c["kw"])
    branches = []
    for i in range(n):
        guider.guidance_scale = c["scale"] * factor(c["schedule"], i, n)
        guider.set_state(step=i, num_inference_steps=n, timestep=torch.tensor(999 - i))
        if i == 0 and isinstance(guider, AdaptiveProjectedGuidance) and guider.adaptive_projected_guidance_momentum is not None:
            from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer
            guider.momentum_buffer = MomentumBuffer(guider.adaptive_projected_guidance_momentum)
        k = guider.num_conditions
        pc, pu = predict(i, k)
        on_step(i, guider.forward(pc, pu).pred)
        zero = isinstance(guider, ClassifierFreeZeroStarGuidance) and i < guider.zero_init_steps
        branches.append(0 if zero else k)
    return branches

def record(c, **more):
    kw = c["kw"]
    return {k: v for k, v in dict(name=c["name"], scale=c["scale"], rescale=kw.get("guidance_rescale", 0.0),
        interval=[kw.get("start", 0.0), kw.get("stop", 1.0)], schedule=label(c["schedule"]), method=c["method"], **more).items() if v is not None}

def kernels():
    tensors, records = {"prompt": cond, "negative": uncond}, []
    for c in CASES:
        out = []
        # diffusers makes 0/0 of zero-initialised steps with rescaling: no case has both
        branches = guide(c, lambda i, k: (cond[i], uncond[i] if k == 2 else None), N, lambda i, p: out.append(p))
        tensors[c["name"]] = torch.stack(out).contiguous()
        assert torch.isfinite(tensors[c["name"]]).all(), c["name"]
        records.append(record(c, branches=branches))
    return tensors, records

def generations(model):
    sess = lambda part: ort.InferenceSession(f"{model}/{part}/model.onnx", providers=["CPUExecutionProvider"])
    text, unet = sess("text_encoder"), sess("unet")
    tok = CLIPTokenizer.from_pretrained(f"{model}/tokenizer")
    config = json.load(open(f"{model}/scheduler/scheduler_config.json"))
    def embed(p):
        ids = tok(p, padding="max_length", max_length=tok.model_max_length, truncation=True, return_tensors="np").input_ids
        i = text.get_inputs()[0]
        return text.run(None, {i.name: ids.astype(np.int32 if "int32" in i.type else np.int64)})[0]
    e_c, e_n = embed("a photo of a cat in the sun"), embed("blurry")
    names = {i.name: i.type for i in unet.get_inputs()}
    tensors, records = {}, []
    for c in CASES:
        if c["name"] not in ("interval", "interval_rescale", "schedule_linear", "apg_momentum", "zero_star_two", "tangential", "dynamic_percentile"): continue
        scheduler = EulerDiscreteScheduler.from_config(config)
        n = 6
        scheduler.set_timesteps(n)
        g = torch.Generator().manual_seed(11)
        state = {"x": torch.randn((1, 4, 8, 8), generator=g) * scheduler.init_noise_sigma}
        def run(x, t, e):
            tt = np.array([t], dtype=np.int64 if "int64" in names["timestep"] else np.float32)
            if unet.get_inputs()[1].shape == []: tt = tt[0]
            return torch.from_numpy(unet.run(None, {"sample": x.numpy(), "timestep": np.asarray(tt), "encoder_hidden_states": e})[0])
        def predict(i, k):
            t = scheduler.timesteps[i]
            x = scheduler.scale_model_input(state["x"], t)
            return run(x, t.item(), e_c), (run(x, t.item(), e_n) if k == 2 else None)
        steps = []
        def on_step(i, pred):
            state["x"] = scheduler.step(pred, scheduler.timesteps[i], state["x"]).prev_sample
            steps.append(state["x"])
        branches = guide(c, predict, n, on_step)
        tensors[c["name"]] = torch.stack(steps).contiguous()
        records.append(record(c, branches=branches))
    return tensors, records

out, model = sys.argv[1], sys.argv[2]
t, r = kernels()
save_file(t, f"{out}/predictions.safetensors")
t2, r2 = generations(model)
save_file(t2, f"{out}/generations.safetensors")
json.dump({"diffusers": diffusers.__version__, "torch": torch.__version__, "shape": SHAPE, "evaluations": N,
  "predictions": r, "generations": {"model": "pipelines/sd15/model", "prompt": "a photo of a cat in the sun", "negative_prompt": "blurry",
  "scheduler": "euler", "steps": 6, "width": 64, "height": 64, "seed": 11, "cases": r2}}, open(f"{out}/cases.json", "w"), indent=1)

package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.ExecutionMode;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import ai.onnxruntime.providers.OrtTensorRTProviderOptions;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.ExecutionProvider.Cuda;
import io.github.diffusion4j.ExecutionProvider.TensorRt;
import io.github.diffusion4j.RuntimeOptions;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Turns the provider that was asked for into one that works here, and into ONNX Runtime's session
 * options. Thread-safe.
 */
final class Providers {
  private static final Logger LOG = System.getLogger(Providers.class.getName());

  private Providers() {}

  /**
   * A provider that works here.
   *
   * @param provider never {@link ExecutionProvider.Auto}
   * @param why one sentence: why this one
   */
  record Resolved(ExecutionProvider provider, String why) {
    Resolved {
      requireNonNull(why, "why");
      if (requireNonNull(provider, "provider") instanceof ExecutionProvider.Auto) {
        throw new IllegalArgumentException("provider must be a definite one, found auto");
      }
    }
  }

  /**
   * The provider to use: the one asked for, or for {@link ExecutionProvider#auto()} CUDA where it
   * really works, else the CPU.
   *
   * @throws IllegalArgumentException if one was asked for by name and cannot be used here; the
   *     message says why
   */
  static Resolved resolve(ExecutionProvider requested) {
    requireNonNull(requested, "requested");
    if (requested instanceof ExecutionProvider.Auto) {
      ProviderDiagnosis cuda = diagnose(ExecutionProvider.cuda());
      Resolved resolved =
          cuda.usable()
              ? new Resolved(cuda.provider(), cuda.why())
              : new Resolved(ExecutionProvider.cpu(), "no CUDA: " + cuda.why());
      LOG.log(Level.INFO, "Computing on {0}: {1}", resolved.provider().name(), resolved.why());
      return resolved;
    }
    ProviderDiagnosis diagnosis = diagnose(requested);
    if (!diagnosis.usable()) {
      throw new IllegalArgumentException(
          "provider " + requested.name() + " cannot be used here: " + diagnosis.why());
    }
    return new Resolved(requested, "asked for");
  }

  /** Whether a provider can be used here; never a dead JVM, for what cannot load is not tried. */
  static ProviderDiagnosis diagnose(ExecutionProvider provider) {
    NativeLibraries natives = NativeLibraries.current();
    CudaDiagnosis cuda = new CudaDiagnosis(Machine.current(), natives);
    Optional<String> wrong = Optional.empty();
    if (provider instanceof Cuda typed) {
      wrong = cuda.cuda(!"0".equals(typed.options().get("enable_cudnn")));
    } else if (provider instanceof TensorRt) {
      wrong = cuda.tensorRt();
    }
    wrong = wrong.or(() -> unavailable(provider));
    if (wrong.isEmpty() && !(provider instanceof ExecutionProvider.Cpu)) {
      wrong =
          ProviderTrial.failure(
              options -> {
                options.addConfigEntry("session.disable_cpu_ep_fallback", "1");
                add(options, provider, false);
              });
    }
    return new ProviderDiagnosis(provider, wrong.isEmpty(), wrong.orElse("works here"));
  }

  private static Optional<String> unavailable(ExecutionProvider provider) {
    NativeLibraries.current();
    OrtProvider wanted = ortProvider(provider);
    var available = OrtEnvironment.getAvailableProviders();
    return available.contains(wanted)
        ? Optional.empty()
        : Optional.of(
            "this build of ONNX Runtime has no " + wanted.getName() + ", it has " + available);
  }

  private static OrtProvider ortProvider(ExecutionProvider provider) {
    if (provider instanceof Cuda) {
      return OrtProvider.CUDA;
    } else if (provider instanceof TensorRt) {
      return OrtProvider.TENSOR_RT;
    } else if (provider instanceof ExecutionProvider.CoreMl) {
      return OrtProvider.CORE_ML;
    } else if (provider instanceof ExecutionProvider.DirectMl) {
      return OrtProvider.DIRECT_ML;
    } else if (provider instanceof ExecutionProvider.OpenVino) {
      return OrtProvider.OPEN_VINO;
    } else if (provider instanceof ExecutionProvider.WebGpu) {
      return OrtProvider.WEBGPU;
    }
    return OrtProvider.CPU;
  }

  /**
   * Sets all options on a session's options, which the caller owns. The folder of optimized models
   * is left to the caller, who knows the model.
   *
   * @param options new options, not closed here
   * @param resolved what to compute on
   * @param runtime threads, memory and the rest
   * @throws OrtException if ONNX Runtime refuses one of them
   */
  static void apply(SessionOptions options, Resolved resolved, RuntimeOptions runtime)
      throws OrtException {
    boolean directMl = resolved.provider() instanceof ExecutionProvider.DirectMl;
    boolean parallel = runtime.interOpThreads() > 1 && !directMl;
    int threads = runtime.intraOpThreads();
    options.setIntraOpNumThreads(threads > 0 ? threads : Cores.current().threads());
    options.setExecutionMode(parallel ? ExecutionMode.PARALLEL : ExecutionMode.SEQUENTIAL);
    options.setInterOpNumThreads(parallel ? runtime.interOpThreads() : 1);
    options.setOptimizationLevel(level(runtime.optimization()));
    options.setCPUArenaAllocator(runtime.memoryArena());
    options.setMemoryPatternOptimization(runtime.memoryPattern() && !directMl);
    options.setDeterministicCompute(runtime.deterministic());
    Map<String, String> config = new LinkedHashMap<>();
    String spinning = runtime.spinning() ? "1" : "0";
    config.put("session.intra_op.allow_spinning", spinning);
    config.put("session.inter_op.allow_spinning", spinning);
    config.put("session.force_spinning_stop", "1"); // between runs nobody waits for the threads
    config.putAll(runtime.sessionConfig());
    for (Map.Entry<String, String> entry : config.entrySet()) {
      options.addConfigEntry(entry.getKey(), entry.getValue());
    }
    add(options, resolved.provider(), runtime.deterministic());
  }

  private static OptLevel level(RuntimeOptions.Optimization optimization) {
    return switch (optimization) {
      case NONE -> OptLevel.NO_OPT;
      case BASIC -> OptLevel.BASIC_OPT;
      case EXTENDED -> OptLevel.EXTENDED_OPT;
      case ALL -> OptLevel.ALL_OPT;
    };
  }

  private static void add(SessionOptions options, ExecutionProvider provider, boolean deterministic)
      throws OrtException {
    if (provider instanceof Cuda cuda) {
      addCuda(options, cuda, deterministic);
    } else if (provider instanceof TensorRt tensorRt) {
      addTensorRt(options, tensorRt);
      addCuda(options, ExecutionProvider.cuda(tensorRt.deviceId()), deterministic);
    } else if (provider instanceof ExecutionProvider.CoreMl coreMl) {
      options.addCoreML(ProviderKeys.coreMl(coreMl));
    } else if (provider instanceof ExecutionProvider.DirectMl directMl) {
      options.addDirectML(directMl.deviceId());
    } else if (provider instanceof ExecutionProvider.OpenVino openVino) {
      options.addOpenVINO(openVino.device());
    } else if (provider instanceof ExecutionProvider.WebGpu webGpu) {
      options.addWebGPU(webGpu.options());
    }
  }

  private static void addCuda(SessionOptions options, Cuda cuda, boolean deterministic)
      throws OrtException {
    try (OrtCUDAProviderOptions own = new OrtCUDAProviderOptions(cuda.deviceId())) {
      for (Map.Entry<String, String> entry : ProviderKeys.cuda(cuda, deterministic).entrySet()) {
        own.add(entry.getKey(), entry.getValue());
      }
      options.addCUDA(own);
    }
  }

  private static void addTensorRt(SessionOptions options, TensorRt tensorRt) throws OrtException {
    try (OrtTensorRTProviderOptions own = new OrtTensorRTProviderOptions(tensorRt.deviceId())) {
      for (Map.Entry<String, String> entry : ProviderKeys.tensorRt(tensorRt).entrySet()) {
        own.add(entry.getKey(), entry.getValue());
      }
      options.addTensorrt(own);
    }
  }
}

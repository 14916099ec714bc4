package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What computes the models: a processor, or an accelerator with its typed options. A value: says
 * what is wanted, not whether this machine has it. {@link #auto()} takes CUDA where it really works
 * and the CPU elsewhere; any other choice is an error where it cannot be used, never a silent
 * change.
 *
 * <p>Options that have no type here go into {@link #options()} under ONNX Runtime's own keys and
 * win over the typed ones. Immutable and thread-safe.
 */
public sealed interface ExecutionProvider {
  /**
   * The names that {@link #parse(String)} takes; those with a device also as {@code name:device}.
   */
  String NAMES =
      "auto, cpu, cuda[:N], tensorrt[:N], coreml, directml[:N], openvino[:DEVICE], webgpu";

  /** The short name, with the device where it is not the first: {@code cpu}, {@code cuda:1}. */
  String name();

  /** Raw provider options under ONNX Runtime's keys; empty unless given. */
  default Map<String, String> options() {
    return Map.of();
  }

  /** CUDA where it really works, else the CPU. */
  static ExecutionProvider auto() {
    return new Auto();
  }

  /** The CPU. */
  static Cpu cpu() {
    return new Cpu();
  }

  /** The first NVIDIA device, with the default options. */
  static Cuda cuda() {
    return cuda(0);
  }

  /**
   * An NVIDIA device, with the default options.
   *
   * @param deviceId CUDA device number, from 0
   */
  static Cuda cuda(int deviceId) {
    return new Cuda(deviceId, 0, ConvolutionSearch.EXHAUSTIVE, false, Map.of());
  }

  /**
   * The provider of a short name, as the command line takes it.
   *
   * @param text one of {@value #NAMES}; upper or lower case
   * @throws IllegalArgumentException for any other text
   */
  static ExecutionProvider parse(String text) {
    String lower = requireNonNull(text, "text").strip().toLowerCase(Locale.ROOT);
    int colon = lower.indexOf(':');
    String name = colon < 0 ? lower : lower.substring(0, colon);
    String device = colon < 0 ? "" : lower.substring(colon + 1);
    if (colon >= 0 && device.isEmpty()) {
      throw unknown(text);
    }
    return switch (name) {
      case "cuda" -> cuda(deviceNumber(text, device));
      case "tensorrt" ->
          new TensorRt(deviceNumber(text, device), false, Optional.empty(), Map.of());
      case "directml" -> new DirectMl(deviceNumber(text, device));
      case "openvino" -> new OpenVino(device.isEmpty() ? "CPU" : device.toUpperCase(Locale.ROOT));
      default -> {
        if (!device.isEmpty()) {
          throw unknown(text);
        }
        yield withoutDevice(text, name);
      }
    };
  }

  private static ExecutionProvider withoutDevice(String text, String name) {
    return switch (name) {
      case "auto" -> auto();
      case "cpu" -> cpu();
      case "coreml" -> new CoreMl(CoreMl.Units.ALL, true, false, Map.of());
      case "webgpu" -> new WebGpu(Map.of());
      default -> throw unknown(text);
    };
  }

  private static int deviceNumber(String text, String device) {
    if (device.isEmpty()) {
      return 0;
    }
    try {
      return checkDevice(Integer.parseInt(device));
    } catch (NumberFormatException e) {
      throw unknown(text);
    }
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "provider must be one of " + NAMES + " (N from 0), found \"" + text + "\"");
  }

  private static int checkDevice(int deviceId) {
    if (deviceId < 0) {
      throw new IllegalArgumentException("deviceId must be 0 or more, found " + deviceId);
    }
    return deviceId;
  }

  private static String withDevice(String name, int deviceId) {
    return deviceId == 0 ? name : name + ":" + deviceId;
  }

  /** CUDA where it really works, else the CPU. */
  record Auto() implements ExecutionProvider {
    @Override
    public String name() {
      return "auto";
    }
  }

  /** The CPU; threads and memory are set in {@link RuntimeOptions}. */
  record Cpu() implements ExecutionProvider {
    @Override
    public String name() {
      return "cpu";
    }
  }

  /** How cuDNN picks its convolution kernels. */
  enum ConvolutionSearch {
    /** Times every kernel on first sight of a shape: slowest first run, fastest afterwards. */
    EXHAUSTIVE,
    /** Asks cuDNN's heuristics. */
    HEURISTIC,
    /** One fixed kernel for all. */
    DEFAULT
  }

  /**
   * An NVIDIA GPU over CUDA; needs the {@code onnxruntime_gpu} artifact.
   *
   * @param deviceId CUDA device number, from 0
   * @param memoryLimit most bytes the memory arena of one session may take, 0 for no limit; CUDA's
   *     and cuDNN's own memory comes on top
   * @param convolutionSearch how convolution kernels are picked
   * @param tf32 whether float32 products may be rounded to TF32 (10 bits of mantissa) on the tensor
   *     cores: several times faster for float32 models, and no longer equal to the CPU's numbers
   * @param options raw options under ONNX Runtime's keys, such as {@code arena_extend_strategy}
   */
  record Cuda(
      int deviceId,
      long memoryLimit,
      ConvolutionSearch convolutionSearch,
      boolean tf32,
      Map<String, String> options)
      implements ExecutionProvider {
    /** Checks the ranges and copies the options. */
    public Cuda {
      checkDevice(deviceId);
      if (memoryLimit < 0) {
        throw new IllegalArgumentException(
            "memoryLimit must be 0 (no limit) or more bytes, found " + memoryLimit);
      }
      requireNonNull(convolutionSearch, "convolutionSearch");
      options = copy(options);
    }

    @Override
    public String name() {
      return withDevice("cuda", deviceId);
    }

    /**
     * This with another memory limit.
     *
     * @param bytes most bytes of one session's arena, 0 for no limit
     */
    public Cuda withMemoryLimit(long bytes) {
      return new Cuda(deviceId, bytes, convolutionSearch, tf32, options);
    }

    /**
     * This with another way to pick convolution kernels.
     *
     * @param search how kernels are picked
     */
    public Cuda withConvolutionSearch(ConvolutionSearch search) {
      return new Cuda(deviceId, memoryLimit, search, tf32, options);
    }

    /**
     * This with TF32 allowed or not.
     *
     * @param allowed whether float32 products may be rounded to TF32
     */
    public Cuda withTf32(boolean allowed) {
      return new Cuda(deviceId, memoryLimit, convolutionSearch, allowed, options);
    }

    /**
     * This with other raw options.
     *
     * @param raw options under ONNX Runtime's keys
     */
    public Cuda withOptions(Map<String, String> raw) {
      return new Cuda(deviceId, memoryLimit, convolutionSearch, tf32, raw);
    }
  }

  /**
   * An NVIDIA GPU over TensorRT; needs the {@code onnxruntime_gpu} artifact and TensorRT 10. What
   * TensorRT cannot take runs on CUDA.
   *
   * @param deviceId CUDA device number, from 0
   * @param fp16 whether float32 models may be computed in float16
   * @param engineCache existing or new folder for built engines, so that they are built only once;
   *     empty for none
   * @param options raw options under ONNX Runtime's keys
   */
  record TensorRt(
      int deviceId, boolean fp16, Optional<Path> engineCache, Map<String, String> options)
      implements ExecutionProvider {
    /** Checks the ranges and copies the options. */
    public TensorRt {
      checkDevice(deviceId);
      requireNonNull(engineCache, "engineCache");
      options = copy(options);
    }

    @Override
    public String name() {
      return withDevice("tensorrt", deviceId);
    }
  }

  /**
   * Apple's CoreML; needs macOS.
   *
   * @param units which processors CoreML may use
   * @param mlProgram whether to make an ML program (CoreML 5 and newer) and not a neural network
   * @param staticShapesOnly whether to leave nodes with dynamic shapes to the CPU
   * @param options raw options under ONNX Runtime's keys, such as {@code ModelCacheDirectory}
   */
  record CoreMl(
      Units units, boolean mlProgram, boolean staticShapesOnly, Map<String, String> options)
      implements ExecutionProvider {
    /** Checks and copies the options. */
    public CoreMl {
      requireNonNull(units, "units");
      options = copy(options);
    }

    @Override
    public String name() {
      return "coreml";
    }

    /** The processors that CoreML may use. */
    public enum Units {
      /** All that the machine has. */
      ALL,
      /** CPU and neural engine. */
      CPU_AND_NEURAL_ENGINE,
      /** CPU and GPU. */
      CPU_AND_GPU,
      /** CPU only. */
      CPU_ONLY
    }
  }

  /**
   * Any Direct3D 12 GPU on Windows over DirectML; needs an ONNX Runtime built with it. Sessions run
   * one operator after the other and without memory patterns, as DirectML asks.
   *
   * @param deviceId adapter number, from 0
   */
  record DirectMl(int deviceId) implements ExecutionProvider {
    /** Checks the range. */
    public DirectMl {
      checkDevice(deviceId);
    }

    @Override
    public String name() {
      return withDevice("directml", deviceId);
    }
  }

  /**
   * Intel's OpenVINO; needs an ONNX Runtime built with it.
   *
   * @param device OpenVINO's device name: {@code CPU}, {@code GPU}, {@code GPU.1}, {@code NPU}
   */
  record OpenVino(String device) implements ExecutionProvider {
    /** Checks that the device is named. */
    public OpenVino {
      if (requireNonNull(device, "device").isBlank()) {
        throw new IllegalArgumentException("device must not be blank");
      }
    }

    @Override
    public String name() {
      return device.equals("CPU") ? "openvino" : "openvino:" + device.toLowerCase(Locale.ROOT);
    }
  }

  /**
   * WebGPU over Dawn; needs an ONNX Runtime built with it.
   *
   * @param options raw options under ONNX Runtime's keys
   */
  record WebGpu(Map<String, String> options) implements ExecutionProvider {
    /** Copies the options. */
    public WebGpu {
      options = copy(options);
    }

    @Override
    public String name() {
      return "webgpu";
    }
  }

  private static Map<String, String> copy(Map<String, String> options) {
    return RuntimeOptions.sortedCopy(options, "options");
  }
}

package io.github.diffusion4j.onnx;

import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.ExecutionProvider.ConvolutionSearch;
import io.github.diffusion4j.ExecutionProvider.CoreMl;
import io.github.diffusion4j.ExecutionProvider.Cuda;
import io.github.diffusion4j.ExecutionProvider.TensorRt;
import java.util.Map;
import java.util.TreeMap;

/** The typed options under ONNX Runtime's keys; raw options win. */
final class ProviderKeys {
  private ProviderKeys() {}

  /**
   * CUDA's keys.
   *
   * @param deterministic whether kernels may not be picked by timing them, for two runs then may
   *     pick differently
   */
  static Map<String, String> cuda(Cuda cuda, boolean deterministic) {
    Map<String, String> keys = new TreeMap<>();
    boolean timed = cuda.convolutionSearch() == ConvolutionSearch.EXHAUSTIVE;
    keys.put(
        "cudnn_conv_algo_search",
        (timed && deterministic ? ConvolutionSearch.HEURISTIC : cuda.convolutionSearch()).name());
    keys.put("cudnn_conv_use_max_workspace", "1"); // else the search leaves out fast kernels
    keys.put("arena_extend_strategy", "kSameAsRequested"); // not the next power of two
    keys.put("use_tf32", cuda.tf32() ? "1" : "0");
    if (cuda.memoryLimit() > 0) {
      keys.put("gpu_mem_limit", Long.toString(cuda.memoryLimit()));
    }
    keys.putAll(cuda.options());
    return keys;
  }

  /** The memory arenas of a session, as a run names those that it is to give back. */
  static String arenas(ExecutionProvider provider) {
    return provider instanceof Cuda cuda ? "cpu:0;gpu:" + cuda.deviceId() : "cpu:0";
  }

  static Map<String, String> tensorRt(TensorRt tensorRt) {
    Map<String, String> keys = new TreeMap<>();
    keys.put("trt_fp16_enable", tensorRt.fp16() ? "1" : "0");
    tensorRt
        .engineCache()
        .ifPresent(
            folder -> {
              keys.put("trt_engine_cache_enable", "1");
              keys.put("trt_engine_cache_path", folder.toString());
            });
    keys.putAll(tensorRt.options());
    return keys;
  }

  static Map<String, String> coreMl(CoreMl coreMl) {
    Map<String, String> keys = new TreeMap<>();
    keys.put(
        "MLComputeUnits",
        switch (coreMl.units()) {
          case ALL -> "ALL";
          case CPU_AND_NEURAL_ENGINE -> "CPUAndNeuralEngine";
          case CPU_AND_GPU -> "CPUAndGPU";
          case CPU_ONLY -> "CPUOnly";
        });
    keys.put("ModelFormat", coreMl.mlProgram() ? "MLProgram" : "NeuralNetwork");
    keys.put("RequireStaticInputShapes", coreMl.staticShapesOnly() ? "1" : "0");
    keys.putAll(coreMl.options());
    return keys;
  }
}

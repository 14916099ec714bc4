package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.github.diffusion4j.ExecutionProvider;
import io.github.diffusion4j.RuntimeOptions;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProvidersTest {
  @Test
  void cpuPassesTheTrial() {
    assertEquals(Optional.empty(), ProviderTrial.failure(options -> {}));
  }

  @Test
  void trialTurnsAnExceptionIntoAReason() {
    Optional<String> failure = ProviderTrial.failure(options -> options.addDirectML(0));
    assertTrue(failure.orElseThrow().startsWith("a trial failed: "), failure.toString());
    assertFalse(failure.get().contains("\n"));
  }

  @Test
  void autoIsAlwaysSomethingThatWorksAndSaysWhy() {
    Providers.Resolved resolved = Providers.resolve(ExecutionProvider.auto());
    ProviderDiagnosis cuda = Providers.diagnose(ExecutionProvider.cuda());
    if (cuda.usable()) {
      assertEquals(ExecutionProvider.cuda(), resolved.provider());
    } else {
      assertEquals(ExecutionProvider.cpu(), resolved.provider());
      assertEquals("no CUDA: " + cuda.why(), resolved.why());
    }
    assertFalse(resolved.why().isBlank());
  }

  @Test
  @Tag("gpu")
  void autoIsCudaOnAMachineMadeForIt() {
    ProviderDiagnosis cuda = Providers.diagnose(ExecutionProvider.cuda());
    assertTrue(cuda.usable(), cuda.why());
    assertEquals(ExecutionProvider.cuda(), Providers.resolve(ExecutionProvider.auto()).provider());
  }

  @Test
  void cpuArtifactSaysWhichArtifactHasCuda() {
    boolean cpuArtifact = !NativeLibraries.current().has(NativeArtifact.CUDA);
    ProviderDiagnosis diagnosis = Providers.diagnose(ExecutionProvider.cuda());
    assertTrue(!cpuArtifact || diagnosis.why().contains("onnxruntime_gpu"), diagnosis.why());
    assertTrue(!cpuArtifact || !diagnosis.usable());
  }

  @ParameterizedTest
  @ValueSource(strings = {"coreml", "directml", "openvino", "webgpu"})
  void providerThatIsNotInTheBuildIsAnErrorThatNamesIt(String name) {
    ExecutionProvider provider = ExecutionProvider.parse(name);
    ProviderDiagnosis diagnosis = Providers.diagnose(provider);
    if (!diagnosis.usable()) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Providers.resolve(provider))
              .getMessage();
      assertTrue(
          message.startsWith("provider " + provider.name() + " cannot be used here: "), message);
    }
  }

  @Test
  void appliesEveryOption() throws OrtException {
    RuntimeOptions runtime =
        RuntimeOptions.builder()
            .provider(ExecutionProvider.cpu())
            .intraOpThreads(1)
            .interOpThreads(2)
            .optimization(RuntimeOptions.Optimization.BASIC)
            .memoryArena(false)
            .memoryPattern(false)
            .spinning(false)
            .deterministic(true)
            .sessionConfig("session.disable_prepacking", "1")
            .build();
    Providers.Resolved resolved = Providers.resolve(runtime.provider());
    try (SessionOptions options = new SessionOptions()) {
      Providers.apply(options, resolved, runtime);
      assertEquals("0", options.getConfigEntries().get("session.intra_op.allow_spinning"));
      assertEquals("0", options.getConfigEntries().get("session.inter_op.allow_spinning"));
      assertEquals("1", options.getConfigEntries().get("session.force_spinning_stop"));
      assertEquals("1", options.getConfigEntries().get("session.disable_prepacking"));
      try (OrtSession session =
          OrtEnvironment.getEnvironment().createSession(ProviderTrial.model(), options)) {
        assertEquals(1, session.getNumInputs());
      }
    }
  }

  @Test
  void rawSessionEntriesWinOverTypedOnes() throws OrtException {
    RuntimeOptions runtime =
        RuntimeOptions.builder().sessionConfig("session.intra_op.allow_spinning", "0").build();
    try (SessionOptions options = new SessionOptions()) {
      Providers.apply(options, Providers.resolve(ExecutionProvider.cpu()), runtime);
      assertEquals("0", options.getConfigEntries().get("session.intra_op.allow_spinning"));
      assertEquals("1", options.getConfigEntries().get("session.inter_op.allow_spinning"));
    }
  }

  @Test
  void resolvedIsNeverAuto() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Providers.Resolved(ExecutionProvider.auto(), "why"));
  }

  @Test
  void freedMemoryIsGivenBackOnTheDeviceToo() {
    assertEquals("cpu:0", ProviderKeys.arenas(ExecutionProvider.cpu()));
    assertEquals("cpu:0;gpu:1", ProviderKeys.arenas(ExecutionProvider.cuda(1)));
  }

  @Test
  void typedOptionsBecomeKeysAndRawOnesWin() {
    ExecutionProvider.Cuda cuda =
        ExecutionProvider.cuda(1)
            .withMemoryLimit(5_000_000_000L)
            .withTf32(true)
            .withOptions(Map.of("prefer_nhwc", "1"));
    assertEquals(
        Map.of(
            "cudnn_conv_algo_search", "EXHAUSTIVE",
            "cudnn_conv_use_max_workspace", "1",
            "use_tf32", "1",
            "gpu_mem_limit", "5000000000",
            "arena_extend_strategy", "kSameAsRequested",
            "prefer_nhwc", "1"),
        ProviderKeys.cuda(cuda, false));
    assertEquals("HEURISTIC", ProviderKeys.cuda(cuda, true).get("cudnn_conv_algo_search"));
    assertEquals(
        "0", ProviderKeys.cuda(cuda.withOptions(Map.of("use_tf32", "0")), false).get("use_tf32"));
    assertEquals(
        Map.of(
            "trt_fp16_enable", "1",
            "trt_engine_cache_enable", "1",
            "trt_engine_cache_path", "engines"),
        ProviderKeys.tensorRt(
            new ExecutionProvider.TensorRt(0, true, Optional.of(Path.of("engines")), Map.of())));
    assertEquals(
        Map.of(
            "MLComputeUnits", "CPUAndNeuralEngine",
            "ModelFormat", "MLProgram",
            "RequireStaticInputShapes", "1"),
        ProviderKeys.coreMl(
            new ExecutionProvider.CoreMl(
                ExecutionProvider.CoreMl.Units.CPU_AND_NEURAL_ENGINE, true, true, Map.of())));
  }
}

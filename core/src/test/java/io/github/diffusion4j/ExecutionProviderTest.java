package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExecutionProviderTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "auto",
        "cpu",
        "cuda",
        "cuda:1",
        "tensorrt",
        "tensorrt:2",
        "coreml",
        "directml",
        "directml:1",
        "openvino",
        "openvino:gpu.1",
        "webgpu"
      })
  void namesAreReadBack(String name) {
    assertEquals(name, ExecutionProvider.parse(name).name());
  }

  @Test
  void parsesDevices() {
    assertEquals(ExecutionProvider.cuda(1), ExecutionProvider.parse(" CUDA:1 "));
    assertEquals(ExecutionProvider.cuda(), ExecutionProvider.parse("cuda:0"));
    assertEquals(new ExecutionProvider.OpenVino("NPU"), ExecutionProvider.parse("openvino:npu"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "gpu",
        "cuda:",
        "cuda:-1",
        "cuda:x",
        "cuda:99999999999",
        "cpu:0",
        "auto:1",
        ":1",
        "cuda:1:2"
      })
  void otherTextIsAnErrorThatListsTheNames(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ExecutionProvider.parse(text))
            .getMessage();
    assertTrue(
        message.contains(ExecutionProvider.NAMES) || message.startsWith("deviceId must be 0"),
        message);
  }

  @Test
  void valuesAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> ExecutionProvider.cuda(-1));
    assertThrows(
        IllegalArgumentException.class, () -> ExecutionProvider.cuda().withMemoryLimit(-1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ExecutionProvider.TensorRt(-1, false, Optional.empty(), Map.of()));
    assertThrows(IllegalArgumentException.class, () -> new ExecutionProvider.DirectMl(-1));
    assertThrows(IllegalArgumentException.class, () -> new ExecutionProvider.OpenVino(" "));
  }

  @Test
  void withChangesOneThing() {
    ExecutionProvider.Cuda cuda =
        ExecutionProvider.cuda(2)
            .withMemoryLimit(5)
            .withTf32(true)
            .withConvolutionSearch(ExecutionProvider.ConvolutionSearch.HEURISTIC)
            .withOptions(Map.of("prefer_nhwc", "1"));
    assertEquals(
        new ExecutionProvider.Cuda(
            2, 5, ExecutionProvider.ConvolutionSearch.HEURISTIC, true, Map.of("prefer_nhwc", "1")),
        cuda);
  }
}

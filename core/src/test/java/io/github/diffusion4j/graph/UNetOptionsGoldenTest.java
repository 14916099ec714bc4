package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Small networks with rare options, against what the reference (PyTorch, diffusers) computes with
 * the same random weights. Each folder holds config.json, weights, and golden.safetensors with the
 * inputs and outputs of one run under {@code in.NAME} and {@code out.NAME}.
 */
class UNetOptionsGoldenTest {

  private static final float TOLERANCE = 1e-4f;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  @TestFactory
  List<DynamicTest> reference() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> folders = Files.list(Goldens.folder("unets"))) {
      for (Path folder : folders.sorted().toList()) {
        tests.add(
            DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder, true)));
        tests.add(
            DynamicTest.dynamicTest(
                folder.getFileName() + ", standard operators only", () -> check(folder, false)));
      }
    }
    assertFalse(tests.isEmpty());
    return tests;
  }

  private static void check(Path folder, boolean fused) throws IOException {
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    WeightSource weights = WeightSource.of(folder.resolve("diffusion_pytorch_model.safetensors"));
    Architecture architecture = Architectures.of("unet", ConfigFile.read(folder, "config.json"));
    BuiltNetwork network = new BuiltNetwork("unet", architecture, weights);
    try (SafetensorsFile golden = SafetensorsFile.open(folder.resolve("golden.safetensors"));
        OrtModel model = runtime.open("unet", fused ? network : new Plain(network), List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : model.inputs().values()) {
        feed(binding, spec, golden);
      }
      Map<String, OrtOutput> found = binding.fetch(model.outputs().keySet());
      for (String name : model.outputs().keySet()) {
        float[] expected = golden.floats("out." + name);
        float largest = 1;
        for (float value : expected) {
          largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(expected, found.get(name).values(), TOLERANCE * largest, name);
      }
    }
  }

  private static void feed(OrtBinding binding, TensorSpec spec, SafetensorsFile golden)
      throws IOException {
    String name = "in." + spec.name();
    long[] shape = golden.info(name).shape().stream().mapToLong(Long::longValue).toArray();
    OrtTensor input = binding.input(spec.name(), shape);
    if (spec.type() == ElementType.INT64) {
      input.put(golden.longs(name));
    } else if (golden.info(name).type() == TensorType.I64) {
      input.put(new float[] {golden.longs(name)[0]});
    } else {
      input.put(golden.floats(name));
    }
  }

  /** The same network for a runtime that has no operators of ONNX Runtime's own for attention. */
  private record Plain(BuiltNetwork network) implements io.github.diffusion4j.onnx.NetworkSource {

    @Override
    public io.github.diffusion4j.onnx.BuiltModel build(
        OrtRuntime runtime, List<io.github.diffusion4j.onnx.GraphEdit> edits) throws IOException {
      try (Closer open = new Closer()) {
        Graph graph =
            new Graph(
                "unet", network.weights().open(open), new GraphOptions(ElementType.FLOAT32, false));
        network.architecture().addTo(graph, edits);
        return graph.build(network.architecture()::tolerates);
      }
    }

    @Override
    public Path file() {
      return network.file();
    }

    @Override
    public java.util.Optional<io.github.diffusion4j.Floats> weightEnding(String suffix)
        throws IOException {
      return network.weightEnding(suffix);
    }
  }
}

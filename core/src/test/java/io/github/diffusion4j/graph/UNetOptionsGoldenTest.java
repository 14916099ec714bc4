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
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Small networks with rare options, and CLIP's encoders of pictures, against what the reference
 * (PyTorch, diffusers) computes with the same random weights. Each folder holds config.json,
 * weights, and golden.safetensors with the inputs and outputs of one run under {@code in.NAME} and
 * {@code out.NAME}.
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
    for (String kind : List.of("unets", "vision")) {
      int before = tests.size();
      addCases(Goldens.folder(kind), tests);
      assertFalse(tests.size() == before, kind);
    }
    return tests;
  }

  private static void addCases(Path goldens, List<DynamicTest> tests) throws IOException {
    try (Stream<Path> folders = Files.list(goldens)) {
      for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
        tests.add(
            DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder, true)));
        tests.add(
            DynamicTest.dynamicTest(
                folder.getFileName() + ", standard operators only", () -> check(folder, false)));
      }
    }
  }

  private static void check(Path folder, boolean fused) throws IOException {
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());
    Path unet = folder.resolve("diffusion_pytorch_model.safetensors");
    Path file = Files.exists(unet) ? unet : folder.resolve("model.safetensors");
    WeightSource weights = WeightSource.of(file);
    Architecture architecture = Architectures.of("unet", ConfigFile.read(folder, "config.json"));
    BuiltNetwork network = new BuiltNetwork("unet", architecture, weights);
    try (SafetensorsFile golden = SafetensorsFile.open(folder.resolve("golden.safetensors"));
        OrtModel model = runtime.open("unet", fused ? network : new Plain(network), List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      for (TensorSpec spec : model.inputs().values()) {
        feed(binding, spec, golden);
      }
      for (TensorSpec spec : model.outputs().values()) {
        float[] expected = golden.floats("out." + spec.name());
        float largest = 1;
        for (float value : expected) {
          largest = Math.max(largest, Math.abs(value));
        }
        float[] found =
            spec.type() == ElementType.BOOL
                ? flags(binding, spec, expected.length)
                : binding.fetch(Set.of(spec.name())).get(spec.name()).values();
        assertArrayEquals(expected, found, TOLERANCE * largest, spec.name());
      }
    }
  }

  private static float[] flags(OrtBinding binding, TensorSpec spec, int count) {
    OrtTensor output = binding.output(spec.name(), count);
    binding.run();
    float[] flags = new float[count];
    for (int i = 0; i < count; i++) {
      flags[i] = output.isTrue(i) ? 1 : 0;
    }
    return flags;
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

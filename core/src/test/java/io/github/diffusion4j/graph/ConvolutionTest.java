package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.NetworkSource;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions of enlarged maps, folded and not. */
class ConvolutionTest {

  private static final long SEED = 20261123;

  @TempDir Path folder;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  /** Sizes with rows and columns of one, odd ones, and channels around the blocks of 16. */
  @ParameterizedTest(name = "{0} to {1} channels, {2} x {3}, bias {4}")
  @CsvSource({
    "3, 5, 1, 1, true",
    "3, 5, 4, 7, false",
    "16, 16, 5, 5, true",
    "32, 16, 8, 3, true",
    "17, 33, 1, 9, false",
    "64, 64, 6, 6, true"
  })
  void foldedUpsamplingGivesTheSame(int in, int channels, int height, int width, boolean bias)
      throws IOException {
    Random random = new Random(SEED);
    Path file = folder.resolve("model.safetensors");
    float[] weight = normal(random, channels * in * 9, Math.sqrt(in * 9));
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add("up.weight", List.of((long) channels, (long) in, 3L, 3L), weight);
    if (bias) {
      writer.add("up.bias", List.of((long) channels), normal(random, channels, 1));
    }
    writer.write(file);
    float[] map = normal(random, 2 * in * height * width, 1);
    long[] shape = {2, in, height, width};
    float[] plain = run(file, channels, shape, map, false);
    assertEquals(2L * channels * 4 * height * width, plain.length);
    assertArrayEquals(plain, run(file, channels, shape, map, true), 1e-5f);
  }

  private static float[] normal(Random random, int count, double divisor) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() / divisor);
    }
    return values;
  }

  private float[] run(Path file, int channels, long[] shape, float[] map, boolean folded)
      throws IOException {
    Network network = new Network(file, channels, shape[1], folded);
    try (OrtModel model =
            OrtRuntime.of(RuntimeOptions.defaults()).open("test", network, List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("x", shape).put(map);
      return binding.fetch(Set.of("y")).get("y").values();
    }
  }

  private record Network(Path file, int channels, long in, boolean folded)
      implements NetworkSource {

    @Override
    public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
      try (TensorStore store = TensorStore.open(file)) {
        GraphOptions options = new GraphOptions(ElementType.FLOAT32, true, folded);
        Graph graph = new Graph("test", Weights.of(store), options);
        Value x = graph.input("x", ElementType.FLOAT32, "batch", in, "height", "width");
        Value y = Convolution.upsampledConv2d(graph.root().at("up"), x, channels);
        graph.output("y", y, "batch", channels, "rows", "columns");
        BuiltModel built = graph.build(key -> false);
        assertEquals(!folded, OnnxFile.of(built, "test").operators().contains("Resize"));
        return built;
      }
    }

    @Override
    public Optional<Floats> weightEnding(String suffix) {
      return Optional.empty();
    }
  }
}

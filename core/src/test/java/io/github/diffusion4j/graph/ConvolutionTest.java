package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** Convolutions by fewer products give what plain ones give. */
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
    Layer layer = Convolution::upsampledConv2d;
    assertEquals(
        2L * channels * 4 * height * width,
        compare(layer, new Size(in, channels, height, width), bias, "Resize"));
  }

  /** Maps that tiles fill, that they do not fill, and that are smaller than one. */
  @ParameterizedTest(name = "{0} to {1} channels, {2} x {3}, mostly {4}, bias {5}")
  @CsvSource({
    "192, 192, 8, 12, 64, true",
    "192, 192, 8, 12, 32, true",
    "224, 200, 1, 1, 64, false",
    "200, 224, 1, 1, 63, true",
    "193, 320, 7, 5, 96, true",
    "320, 193, 9, 6, 48, false",
    "640, 256, 3, 18, 128, true"
  })
  void fewerProductsGiveTheSame(int in, int channels, int height, int width, int side, boolean bias)
      throws IOException {
    Layer layer = (module, x, count) -> Convolution.conv3x3(module, x, count, side);
    assertEquals(
        2L * channels * height * width,
        compare(layer, new Size(in, channels, height, width), bias, "Conv"));
  }

  @ParameterizedTest(name = "{0} to {1} channels, mostly {2}")
  @CsvSource({"191, 320, 64", "320, 191, 64", "320, 320, 31"})
  void smallOnesStayPlain(int in, int channels, int side) throws IOException {
    Layer layer = (module, x, count) -> Convolution.conv3x3(module, x, count, side);
    Size size = new Size(in, channels, 3, 3);
    Path file = stored(size, true, new Random(SEED));
    assertEquals(Set.of("Conv", "Identity"), operators(new Network(file, size, layer, true)));
  }

  private record Size(int in, int channels, int height, int width) {}

  private interface Layer {
    Value apply(Scope module, Value x, long channels);
  }

  private long compare(Layer layer, Size size, boolean bias, String replaced) throws IOException {
    Random random = new Random(SEED);
    Path file = stored(size, bias, random);
    float[] map = normal(random, 2 * size.in() * size.height() * size.width(), 1);
    Network plain = new Network(file, size, layer, false);
    Network quick = new Network(file, size, layer, true);
    assertTrue(operators(plain).contains(replaced));
    assertNotEquals(operators(plain), operators(quick));
    float[] expected = run(plain, map);
    float[] got = run(quick, map);
    assertArrayEquals(expected, got, 3e-5f);
    double squares = 0;
    for (int i = 0; i < got.length; i++) {
      squares += Math.pow(got[i] - expected[i], 2);
    }
    assertTrue(Math.sqrt(squares / got.length) < 3e-6, "mean of the errors");
    return expected.length;
  }

  private Path stored(Size size, boolean bias, Random random) throws IOException {
    int channels = size.channels();
    int in = size.in();
    Path file = folder.resolve("model.safetensors");
    float[] weight = normal(random, channels * in * 9, Math.sqrt(in * 9));
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add("up.weight", List.of((long) channels, (long) in, 3L, 3L), weight);
    if (bias) {
      writer.add("up.bias", List.of((long) channels), normal(random, channels, 1));
    }
    writer.write(file);
    return file;
  }

  private static float[] normal(Random random, int count, double divisor) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() / divisor);
    }
    return values;
  }

  private static Set<String> operators(Network network) throws IOException {
    BuiltModel built = network.build(OrtRuntime.of(RuntimeOptions.defaults()), List.of());
    return Set.copyOf(OnnxFile.of(built, "test").operators());
  }

  private static float[] run(Network network, float[] map) throws IOException {
    Size size = network.size();
    try (OrtModel model =
            OrtRuntime.of(RuntimeOptions.defaults()).open("test", network, List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("x", 2, size.in(), size.height(), size.width()).put(map);
      return binding.fetch(Set.of("y")).get("y").values();
    }
  }

  private record Network(Path file, Size size, Layer layer, boolean fewerProducts)
      implements NetworkSource {

    @Override
    public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
      try (TensorStore store = TensorStore.open(file)) {
        GraphOptions options =
            new GraphOptions(ElementType.FLOAT32, true, fewerProducts, fewerProducts, false);
        Graph graph = new Graph("test", Weights.of(store), options);
        Value x = graph.input("x", ElementType.FLOAT32, "batch", size.in(), "height", "width");
        Value y = layer.apply(graph.root().at("up"), x, size.channels());
        graph.output("y", y, "batch", size.channels(), "rows", "columns");
        return graph.build(key -> false);
      }
    }

    @Override
    public Optional<Floats> weightEnding(String suffix) {
      return Optional.empty();
    }
  }
}

package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.NetworkSource;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import io.github.diffusion4j.tensor.TensorStore;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphTest {

  private static final int IN = 48;
  private static final int OUT = 40;
  private static final int ROWS = 3;

  @TempDir Path folder;

  private final Random random = seeded();
  private final float[] weight = random(OUT * IN);
  private final float[] bias = random(OUT);
  private final float[] input = random(ROWS * IN);

  private static Random seeded() {
    long seed = Long.getLong("tests.seed", 20261122);
    System.out.println("seed " + seed);
    return new Random(seed);
  }

  private float[] random(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @BeforeEach
  void write() throws IOException {
    new SafetensorsWriter()
        .add("layers.0.weight", List.of((long) OUT, (long) IN), weight)
        .add("layers.0.bias", List.of((long) OUT), bias)
        .write(folder.resolve("model.safetensors"));
  }

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  private BuiltModel layer(Weights weights, GraphOptions options, GraphEdit... edits) {
    Graph graph = new Graph("test", weights, options);
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.LowRankInputs inputs) {
        graph.changeable(inputs.layers());
      }
    }
    Value x = graph.input("x", options.type(), "rows", IN);
    graph.output("y", linear(graph.root().at("layers", 0), x, OUT), "rows", OUT);
    return graph.build(key -> key.equals("position_ids"));
  }

  private float[] run(Weights weights, ElementType type) throws IOException {
    return run(weights, type, RuntimeOptions.defaults());
  }

  private float[] run(Weights weights, ElementType type, RuntimeOptions options)
      throws IOException {
    GraphOptions graph = new GraphOptions(type, true);
    return run(options, (runtime, edits) -> layer(weights, graph)).get("y").values();
  }

  private Map<String, OrtOutput> run(RuntimeOptions options, Building network) throws IOException {
    try (OrtModel model =
        OrtRuntime.of(options).open("test", new Source(file(), network), List.of())) {
      return run(model);
    }
  }

  private Map<String, OrtOutput> run(OrtModel model) {
    try (OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("x", ROWS, IN).put(input);
      return binding.fetch(model.outputs().keySet());
    }
  }

  private Path file() {
    return folder.resolve("model.safetensors");
  }

  private interface Building {
    BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits);
  }

  private record Source(Path file, Building building) implements NetworkSource {
    @Override
    public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) {
      return building.build(runtime, edits);
    }

    @Override
    public Optional<Floats> weightEnding(String suffix) {
      return Optional.empty();
    }
  }

  /** The layer in the runtime's precision. */
  private Source layer(Weights weights) {
    return new Source(
        file(),
        (runtime, edits) -> {
          boolean narrow = runtime.precision() == RuntimeOptions.Precision.FLOAT16;
          GraphOptions options =
              new GraphOptions(narrow ? ElementType.FLOAT16 : ElementType.FLOAT32, true);
          return layer(weights, options, edits.toArray(GraphEdit[]::new));
        });
  }

  private float[] expected() {
    float[] y = new float[ROWS * OUT];
    for (int row = 0; row < ROWS; row++) {
      for (int out = 0; out < OUT; out++) {
        double sum = bias[out];
        for (int i = 0; i < IN; i++) {
          sum += (double) input[row * IN + i] * weight[out * IN + i];
        }
        y[row * OUT + out] = (float) sum;
      }
    }
    return y;
  }

  private TensorStore store() throws IOException {
    return TensorStore.open(file());
  }

  @Test
  void weightsAreReadFromTheirFile() throws IOException {
    try (TensorStore store = store()) {
      BuiltModel model = layer(Weights.of(store), new GraphOptions(ElementType.FLOAT32, true));
      assertTrue(model.size() < weight.length * 4, "the model holds its weights: " + model.size());
      assertArrayEquals(expected(), run(Weights.of(store), ElementType.FLOAT32), 1e-4f);
    }
  }

  @Test
  void optimizedCopiesFollowTheWeights() throws IOException {
    Path cache = folder.resolve("cache");
    RuntimeOptions options = RuntimeOptions.builder().optimizedModelCache(cache).build();
    for (float factor : new float[] {1, 1, 2}) {
      for (int i = 0; factor > 1 && i < weight.length; i++) {
        weight[i] *= factor;
      }
      write();
      try (TensorStore store = store()) {
        float[] y = run(Weights.of(store), ElementType.FLOAT32, options);
        assertArrayEquals(expected(), y, 1e-4f);
      }
      try (Stream<Path> kept = Files.list(cache)) {
        assertEquals(1, kept.count());
      }
    }
  }

  private static Set<Path> kept(Path cache) throws IOException {
    try (Stream<Path> kept = Files.list(cache)) {
      return kept.collect(Collectors.toSet());
    }
  }

  @Test
  void optimizedCopiesOfOneNetworkInTwoPrecisionsAreKeptTogether() throws IOException {
    Path cache = folder.resolve("cache");
    RuntimeOptions options =
        RuntimeOptions.builder()
            .optimizedModelCache(cache)
            .precision(RuntimeOptions.Precision.FLOAT16)
            .build();
    Set<Path> first = Set.of();
    for (int i = 0; i < 2; i++) {
      try (TensorStore store = store();
          OrtModel model =
              OrtRuntime.of(options).open("test", layer(Weights.of(store)), List.of())) {
        OrtModel wide = model.widened().orElseThrow();
        assertArrayEquals(expected(), run(wide).get("y").values(), 1e-4f);
      }
      assertEquals(2, kept(cache).size());
      first = i == 0 ? kept(cache) : first;
    }
    assertEquals(first, kept(cache));
  }

  @Test
  void aVariantForChangesLeavesTheOptimizedCopy() throws IOException {
    Path cache = folder.resolve("cache");
    RuntimeOptions options = RuntimeOptions.builder().optimizedModelCache(cache).build();
    try (TensorStore store = store();
        OrtModel model = OrtRuntime.of(options).open("test", layer(Weights.of(store)), List.of())) {
      Set<Path> before = kept(cache);
      assertEquals(1, before.size());
      OrtModel variant = model.changeable(Set.of("layers.0"));
      variant.bind(new CancelToken()).close();
      OrtRuntime.of(options).open("part of another", variant.network(), List.of()).close();
      assertEquals(before, kept(cache));
    }
  }

  @Test
  void optimizedCopiesWithAndWithoutRowTimestepsAreKeptTogether() throws IOException {
    Path cache = folder.resolve("cache");
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.builder().optimizedModelCache(cache).build());
    Path unet = Goldens.folder("pipelines").resolve("weights/sd15/unet");
    NetworkSource network =
        new BuiltNetwork(
            "unet",
            Architectures.of("unet", ConfigFile.read(unet, "config.json")),
            WeightSource.of(unet.resolve("diffusion_pytorch_model.safetensors")));
    Set<Path> first = Set.of();
    for (int i = 0; i < 2; i++) {
      runtime.open("unet", network, List.of()).close();
      runtime.open("unet", network, List.of(new GraphEdit.RowTimesteps())).close();
      assertEquals(2, kept(cache).size());
      first = i == 0 ? kept(cache) : first;
    }
    assertEquals(first, kept(cache));
  }

  @Test
  void aWidenedNetworkIsClosedWithWhatIsIdle() throws IOException {
    OrtRuntime runtime =
        OrtRuntime.of(
            RuntimeOptions.builder()
                .residency(Residency.ON_DEMAND)
                .precision(RuntimeOptions.Precision.FLOAT16)
                .build());
    try (TensorStore store = store();
        OrtModel model = runtime.open("test", layer(Weights.of(store)), List.of())) {
      assertArrayEquals(expected(), run(model.widened().orElseThrow()).get("y").values(), 1e-4f);
      runtime.closeIdle();
      assertEquals(0, NativeCount.open());
    }
  }

  @Test
  void changesAreNotMergedToLearnWhatANetworkTakes() throws IOException {
    GraphEdit merged = new GraphEdit.Merged("changes", Map.of());
    GraphEdit inputs = new GraphEdit.LowRankInputs(new TreeSet<>(Set.of("layers.0")));
    List<List<GraphEdit>> built = new ArrayList<>();
    OrtRuntime runtime = OrtRuntime.of(RuntimeOptions.defaults());
    try (TensorStore store = store()) {
      Source layer = layer(Weights.of(store));
      Source source =
          new Source(
              file(),
              (by, edits) -> {
                built.add(edits);
                return layer.build(by, edits);
              });
      try (OrtModel model = runtime.openWhenNeeded("test", source, List.of(merged, inputs))) {
        assertEquals(Set.of("x"), model.inputs().keySet());
        assertTrue(model.takesChangeOf("layers.0"));
        model.bind(new CancelToken()).close();
      }
    }
    assertEquals(List.of(List.of(inputs), List.of(merged, inputs)), built);
  }

  /** Weights of 8 bits need a newer set of operators, some of which have another form there. */
  @Test
  void meansAreTakenBesideWeightsOf8Bits() throws IOException {
    byte[] twos = new byte[IN];
    Arrays.fill(twos, (byte) 0x40);
    Weight scale =
        new Weight(
            TensorType.F8_E4M3,
            List.of((long) IN),
            new Weight.InMemory(ByteBuffer.wrap(twos)),
            false);
    Graph graph =
        new Graph("test", of(Map.of("weight", scale)), new GraphOptions(ElementType.FLOAT32, true));
    Value x = graph.input("x", ElementType.FLOAT32, "rows", IN);
    graph.output("y", Normalization.rmsNorm(graph.root(), x, 0), "rows", IN);
    graph.output("columns", x.mean(0), 1, IN);
    BuiltModel model = graph.build(key -> false);
    Map<String, OrtOutput> found = run(RuntimeOptions.defaults(), (runtime, edits) -> model);
    float[] normal = new float[ROWS * IN];
    float[] columns = new float[IN];
    for (int row = 0; row < ROWS; row++) {
      double squares = 0;
      for (int i = 0; i < IN; i++) {
        double value = input[row * IN + i];
        squares += value * value;
        columns[i] += (float) (value / ROWS);
      }
      for (int i = 0; i < IN; i++) {
        normal[row * IN + i] = (float) (2 * input[row * IN + i] / Math.sqrt(squares / IN));
      }
    }
    assertArrayEquals(normal, found.get("y").values(), 1e-5f);
    assertArrayEquals(columns, found.get("columns").values(), 1e-5f);
  }

  @Test
  void aLinkedFileIsFollowed() throws IOException {
    Path blobs = Files.createDirectory(folder.resolve("blobs"));
    Path link = folder.resolve("model.safetensors");
    Files.move(link, blobs.resolve("0123"));
    Files.createSymbolicLink(link, blobs.resolve("0123"));
    try (TensorStore store = store()) {
      assertArrayEquals(expected(), run(Weights.of(store), ElementType.FLOAT32), 1e-4f);
    }
  }

  @Test
  void aFileThatIsNotAlignedIsCopied() throws IOException {
    Path file = folder.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    byte[] moved = new byte[bytes.length + 1];
    System.arraycopy(bytes, 0, moved, 0, 8);
    int header = bytes[0] & 0xff | (bytes[1] & 0xff) << 8;
    moved[0] = (byte) (header + 1);
    moved[1] = (byte) (header + 1 >> 8);
    System.arraycopy(bytes, 8, moved, 8, header);
    moved[8 + header] = ' ';
    System.arraycopy(bytes, 8 + header, moved, 9 + header, bytes.length - 8 - header);
    Files.write(file, moved);
    try (TensorStore store = store()) {
      assertArrayEquals(expected(), run(Weights.of(store), ElementType.FLOAT32), 1e-4f);
    }
  }

  @Test
  void halvesAreComputedOnTheProcessor() throws IOException {
    try (TensorStore store = store()) {
      assertArrayEquals(expected(), run(Weights.of(store), ElementType.FLOAT16), 0.05f);
    }
  }

  @Test
  void viewsGiveOtherLayouts() throws IOException {
    float[] stacked = new float[IN * OUT + 7 * OUT];
    for (int out = 0; out < OUT; out++) {
      for (int i = 0; i < IN; i++) {
        stacked[(7 + i) * OUT + out] = weight[out * IN + i];
      }
    }
    Weight whole = Weight.of(stacked, IN + 7, 1, OUT);
    Weight part = whole.rows(7, 7 + IN).reshaped(IN, OUT).transpose();
    assertArrayEquals(
        expected(),
        run(
            of(Map.of("layers.0.weight", part, "layers.0.bias", Weight.of(bias, OUT))),
            ElementType.FLOAT32),
        1e-4f);
  }

  @Test
  void allErrorsNameTheWeights() throws IOException {
    GraphOptions options = new GraphOptions(ElementType.FLOAT32, true);
    Map<String, Weight> all = new LinkedHashMap<>();
    all.put("layers.0.bias", Weight.of(bias, OUT));
    all.put("position_ids", Weight.of(bias, OUT));
    expect(all, options, "lacks 1 weights", "layers.0.weight");
    all.put("layers.0.weight", Weight.of(weight, IN, OUT));
    expect(all, options, "layers.0.weight", "[40, 48]", "F32[48, 40]");
    all.put("layers.0.weight", Weight.of(weight, OUT, IN));
    layer(of(all), options);
    all.put("layers.1.weight", Weight.of(bias, OUT));
    expect(all, options, "has 1 weights that", "layers.1.weight");
  }

  private void expect(Map<String, Weight> weights, GraphOptions options, String... parts) {
    String message =
        assertThrows(ModelFormatException.class, () -> layer(of(weights), options)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message + "\nmust contain\n" + part);
    }
  }

  private static Weights of(Map<String, Weight> weights) {
    return new Weights() {
      @Override
      public Optional<Weight> find(String key) {
        return Optional.ofNullable(weights.get(key));
      }

      @Override
      public Set<String> keys() {
        return weights.keySet();
      }

      @Override
      public String source() {
        return "memory";
      }
    };
  }
}

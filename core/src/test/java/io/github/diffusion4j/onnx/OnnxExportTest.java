package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.WeightSource;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.StringStringEntryProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxExportTest {

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  @TempDir Path folder;

  private final Path model = Goldens.resource("/goldens/pipelines/weights/sd15/text_encoder");
  private final BuiltNetwork network =
      new BuiltNetwork(
          "text_encoder",
          Architectures.of("text_encoder", ConfigFile.read(model, "config.json")),
          WeightSource.of(model.resolve("model.safetensors")));

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  private static float[] run(OrtModel opened) {
    long[] ids = LongStream.range(0, 77).map(i -> i * 13 % 1000).toArray();
    try (OrtModel encoder = opened;
        OrtBinding binding = encoder.bind(new CancelToken())) {
      binding.input("input_ids", 1, ids.length).put(ids);
      return binding.fetch(Set.of("last_hidden_state")).get("last_hidden_state").values();
    }
  }

  private float[] exported(Precision precision, long inside) throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxExport.write(network.build(precision, List.of()), file, inside);
    assertEquals(inside == 0, Files.exists(folder.resolve("model.onnx_data")));
    return run(RUNTIME.open("text_encoder", file));
  }

  @Test
  void weightsInside() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.STORED, Long.MAX_VALUE), 1e-6f);
  }

  @Test
  void weightsBeside() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.STORED, 0), 1e-6f);
    assertTrue(Files.size(folder.resolve("model.onnx")) < 100_000);
  }

  @Test
  void halvesAreWrittenAsSuch() throws IOException {
    float[] expected = run(RUNTIME.open("text_encoder", network, List.of()));
    assertArrayEquals(expected, exported(Precision.FLOAT16, 0), 0.03f);
    OnnxFile file = OnnxFile.read(folder.resolve("model.onnx"));
    assertEquals(OnnxType.FLOAT16, file.weightType().orElseThrow());
    assertFalse(file.elements().getOrDefault(OnnxType.FLOAT32, 0L) > 100, file.elements() + "");
    assertEquals(ElementType.FLOAT16, file.outputs().get(0).type());
  }

  private static byte[] elements(ElementType type, float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      type.put(bytes, value);
    }
    return bytes.array();
  }

  /** Adds a half precision weight, which is in a file that only its name tells, to x. */
  private TinyOnnx adding() throws IOException {
    Files.write(folder.resolve("halves"), elements(ElementType.FLOAT16, 1, 2, 3, 0.5f));
    return new TinyOnnx()
        .input("x", TinyOnnx.FLOAT, 4)
        .output("y", TinyOnnx.FLOAT, 4)
        .external("half", "halves", TinyOnnx.FLOAT16, 4)
        .cast("wide", "half", TinyOnnx.FLOAT)
        .node("Add", "y", "x", "wide");
  }

  private Path out() throws IOException {
    return Files.createDirectory(folder.resolve("out")).resolve("model.onnx");
  }

  private static void assertRuns(Path file, Map<String, float[]> expected) throws IOException {
    try (OrtModel opened = RUNTIME.open("test", file);
        OrtBinding binding = opened.bind(new CancelToken())) {
      binding.input("x", 4).put(new float[4]);
      binding
          .fetch(expected.keySet())
          .forEach((name, found) -> assertArrayEquals(expected.get(name), found.values(), name));
    }
  }

  @Test
  void castsAreFoldedWhereNobodySeesThem() throws IOException {
    Files.write(folder.resolve("floats"), elements(ElementType.FLOAT32, 1.5f, 2.75f, -3.25f, 4));
    byte[] bytes =
        adding()
            .external("float", "floats", 4)
            .cast("whole", "float", TinyOnnx.INT64)
            .output("z", TinyOnnx.FLOAT, 4)
            .cast("z", "whole", TinyOnnx.FLOAT)
            .external("seen", "halves", TinyOnnx.FLOAT16, 4)
            .output("seen_wide", TinyOnnx.FLOAT, 4)
            .cast("seen_wide", "seen", TinyOnnx.FLOAT)
            .bytes();
    ModelProto.Builder proto = ModelProto.parseFrom(bytes).toBuilder();
    proto.getOpsetImportBuilder(0).setVersion(19);
    AttributeProto saturate =
        AttributeProto.newBuilder()
            .setName("saturate")
            .setType(AttributeProto.AttributeType.INT)
            .setI(1)
            .build();
    proto.getGraphBuilder().getNodeBuilderList().stream()
        .filter(node -> node.getOpType().equals("Cast"))
        .forEach(node -> node.addAttribute(0, saturate));
    Path out = out();
    byte[] model = proto.build().toByteArray();
    OnnxExport.write(new BuiltModel(model, Optional.of(folder), Map.of()), out, 0);
    OnnxFile file = OnnxFile.read(out);
    assertEquals(Map.of(OnnxType.FLOAT32, 8L, OnnxType.FLOAT16, 4L), file.elements());
    assertEquals(4, file.nodes());
    float[] halves = {1, 2, 3, 0.5f};
    assertRuns(out, Map.of("y", halves, "z", new float[] {1, 2, -3, 4}, "seen_wide", halves));
  }

  @Test
  void anOnnxFileKeepsItsTypesAndOperators() throws IOException {
    Path file = Files.write(folder.resolve("model.onnx"), adding().bytes());
    Path out = out();
    OnnxExport.writeChanged(new OnnxNetwork(file), List.of(), out);
    assertEquals(OnnxFile.read(file).elements(), OnnxFile.read(out).elements());
    assertEquals(Set.of("Cast", "Add"), OnnxFile.read(out).operators());
    assertRuns(out, Map.of("y", new float[] {1, 2, 3, 0.5f}));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void weightsBesideThatAreNotTheMainGraphsAreRefused(boolean graph) throws IOException {
    TensorProto tensor =
        TensorProto.newBuilder()
            .setName("inner")
            .setDataType(TinyOnnx.FLOAT16)
            .addDims(4)
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(
                StringStringEntryProto.newBuilder().setKey("location").setValue("halves"))
            .build();
    AttributeProto.Builder attribute = AttributeProto.newBuilder();
    if (graph) {
      attribute
          .setName("then_branch")
          .setType(AttributeProto.AttributeType.GRAPH)
          .setG(GraphProto.newBuilder().addInitializer(tensor));
    } else {
      attribute.setName("value").setType(AttributeProto.AttributeType.TENSOR).setT(tensor);
    }
    ModelProto.Builder proto = ModelProto.parseFrom(adding().bytes()).toBuilder();
    proto
        .getGraphBuilder()
        .addNodeBuilder()
        .setOpType(graph ? "If" : "Constant")
        .addOutput("unused")
        .addAttribute(attribute);
    Path file = Files.write(folder.resolve("model.onnx"), proto.build().toByteArray());
    Path out = out();
    String said =
        assertThrows(
                ModelFormatException.class,
                () -> OnnxExport.writeChanged(new OnnxNetwork(file), List.of(), out))
            .getMessage();
    for (String part : List.of(file.toString(), "\"inner\"", "\"halves\"", "save the ONNX model")) {
      assertTrue(said.contains(part), said);
    }
  }
}

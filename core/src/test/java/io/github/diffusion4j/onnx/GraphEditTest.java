package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraphEditTest {

  private static final String HIDDEN = "last_hidden_state";
  private static final long[] IDS = LongStream.range(100, 177).toArray();

  private final OrtRuntime runtime =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  @TempDir private Path folder;

  private static Path encoder(String variant) {
    return Goldens.resource("/goldens/pipelines/" + variant + "/model/text_encoder/model.onnx");
  }

  private float[] run(Path file, List<GraphEdit> edits, long[] ids, float... bias)
      throws IOException {
    try (OrtModel model = runtime.open("text_encoder", file, edits);
        OrtBinding binding = model.bind(new CancelToken())) {
      binding.input("input_ids", 1, ids.length).put(ids);
      if (bias.length > 0) {
        binding.input("bias", bias.length).put(bias);
      }
      return binding.fetch(Set.of(HIDDEN)).get(HIDDEN).values();
    }
  }

  /** The values of one row of the token table. */
  private static float[] row(Path file, int id, int width) throws IOException {
    float[] table = OnnxWeights.of(file).ending("token_embedding.weight").orElseThrow().toArray();
    return java.util.Arrays.copyOfRange(table, id * width, (id + 1) * width);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd21-v", "sd15-fp16"})
  void addedRowsAreUsedLikeTheTablesOwn(String variant) throws IOException {
    Path file = encoder(variant);
    int width =
        (int)
            OnnxFile.read(file).initializers().stream()
                .filter(constant -> constant.name().endsWith("token_embedding.weight"))
                .findFirst()
                .orElseThrow()
                .shape()
                .get(1)
                .longValue();
    List<GraphEdit> edits =
        List.of(
            new GraphEdit.MoreEmbeddings(
                "input_ids", 1000, Floats.of(row(file, 105, width)), width));
    long[] added = IDS.clone();
    added[5] = 1000; // the copy of row 105
    float[] plain = run(file, List.of(), IDS);
    assertArrayEquals(plain, run(file, edits, IDS), 1e-6f);
    assertArrayEquals(plain, run(file, edits, added), 1e-6f);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sd15-fp16"})
  void aBiasOfZeroChangesNothingAndAHiddenTokenIsNotSeen(String variant) throws IOException {
    Path file = encoder(variant);
    List<GraphEdit> edits = List.of(new GraphEdit.AttentionBias("bias"));
    float[] bias = new float[IDS.length];
    assertArrayEquals(run(file, List.of(), IDS), run(file, edits, IDS, bias), 1e-3f);
    bias[5] = -Float.MAX_VALUE;
    long[] other = IDS.clone();
    other[5] = 7;
    float[] hidden = run(file, edits, IDS, bias);
    float[] otherHidden = run(file, edits, other, bias);
    int width = hidden.length / IDS.length;
    for (int token = 0; token < IDS.length; token++) {
      if (token != 5) {
        assertArrayEquals(
            java.util.Arrays.copyOfRange(hidden, token * width, (token + 1) * width),
            java.util.Arrays.copyOfRange(otherHidden, token * width, (token + 1) * width),
            "token " + token);
      }
    }
  }

  @Test
  void theEditedModelRefersToItsWeights() throws IOException {
    Path file = encoder("sd15");
    byte[] edited = GraphEditor.edit(file, List.of(new GraphEdit.AttentionBias("bias"))).bytes();
    Path copy = Files.write(folder.resolve("edited.onnx"), edited);
    assertTrue(edited.length < Files.size(file) / 2, edited.length + " bytes");
    OnnxFile was = OnnxFile.read(file);
    OnnxFile is = OnnxFile.read(copy);
    assertEquals(was.elements(), is.elements());
    assertEquals(was.outputs(), is.outputs());
    assertEquals(was.inputs().size() + 1, is.inputs().size());
  }

  @Test
  void aModelInAZipFileIsEditedToo() throws IOException {
    Path file = encoder("sd15");
    URI zip = URI.create("jar:" + folder.resolve("model.zip").toUri());
    try (FileSystem system = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      Path inside = Files.copy(file, system.getPath("model.onnx"));
      List<GraphEdit> edits =
          List.of(
              new GraphEdit.MoreEmbeddings("input_ids", 1000, Floats.of(row(inside, 105, 32)), 32),
              new GraphEdit.AttentionBias("bias"));
      long[] added = IDS.clone();
      added[5] = 1000;
      assertArrayEquals(run(file, List.of(), IDS), run(inside, edits, added, new float[77]), 1e-6f);
    }
  }

  @Test
  void rowsOfAnotherWidthAreRefused() {
    GraphEdit wide =
        new GraphEdit.MoreEmbeddings("input_ids", 1000, Floats.of(new float[768]), 768);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> runtime.open("text_encoder", encoder("sd15"), List.of(wide)))
            .getMessage();
    assertTrue(message.contains("768") && message.contains("[1000, 32]"), message);
    assertThrows(
        IllegalArgumentException.class,
        () -> new GraphEdit.MoreEmbeddings("input_ids", 1000, Floats.of(new float[5]), 2));
  }

  @Test
  void rowsThatDoNotFollowTheTablesLastAreRefused() {
    GraphEdit gap = new GraphEdit.MoreEmbeddings("input_ids", 1001, Floats.of(new float[32]), 32);
    assertThrows(
        ModelFormatException.class,
        () -> runtime.open("text_encoder", encoder("sd15"), List.of(gap)));
  }

  @Test
  void aGraphWithoutTableOrAttentionIsRefused() throws IOException {
    byte[] relu =
        new TinyOnnx()
            .input("input_ids", TinyOnnx.FLOAT, -1)
            .output("y", TinyOnnx.FLOAT, -1)
            .node("Relu", "y", "input_ids")
            .bytes();
    Path file = Files.write(folder.resolve("relu.onnx"), relu);
    for (GraphEdit edit :
        List.of(
            new GraphEdit.MoreEmbeddings("input_ids", 1000, Floats.of(1, 2), 2),
            new GraphEdit.AttentionBias("bias"))) {
      assertThrows(
          ModelFormatException.class, () -> runtime.open("text_encoder", file, List.of(edit)));
    }
  }

  @Test
  void aVariantForChangesIsOpenOnceItIsUsedAndUntilAnotherTakesItsPlace() throws IOException {
    int before = NativeCount.open();
    Path file = Goldens.resource("/goldens/pipelines/sd15/model/unet/model.onnx");
    try (OrtModel model = runtime.open("unet", file)) {
      int one = NativeCount.open() - before;
      List<String> layers = model.layers().keySet().stream().sorted().limit(2).toList();
      OrtModel first = model.changeable(Set.of(layers.get(0)));
      assertEquals(one, NativeCount.open() - before, "the base");
      first.bind(new CancelToken()).close();
      assertEquals(2 * one, NativeCount.open() - before, "the base and the variant in use");
      OrtModel second = model.changeable(Set.of(layers.get(1)));
      assertTrue(layers.stream().allMatch(second::takesChangeOf));
      assertFalse(first.takesChangeOf(layers.get(1)));
      assertEquals(one, NativeCount.open() - before, "the base");
      second.bind(new CancelToken()).close();
      assertEquals(2 * one, NativeCount.open() - before, "the base and the latest variant");
      OrtBinding late = first.bind(new CancelToken());
      assertTrue(NativeCount.open() - before > 3 * one, "the first is used again");
      assertEquals(second, model.changeable(Set.of(layers.get(0))));
      assertTrue(NativeCount.open() - before > 3 * one, "it is not closed under its user");
      late.close();
      assertEquals(2 * one, NativeCount.open() - before, "the base and the latest variant");
    }
    assertEquals(before, NativeCount.open());
  }

  @Test
  void weightsAreReadInEveryForm() throws IOException {
    float[] values = {1.5f, -2, 0.25f, 65504};
    byte[] packed = new byte[16];
    java.nio.ByteBuffer.wrap(packed)
        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .put(values);
    Files.write(folder.resolve("weights.bin"), concat(new byte[8], packed));
    WireWriter halves = new WireWriter();
    for (float value : values) {
      halves.raw(varint(ai.onnxruntime.platform.Fp16Conversions.floatToFp16(value) & 0xffff));
    }
    assertForm(values, new WireWriter().number(1, 4).number(2, 1).bytes(9, packed));
    assertForm(values, new WireWriter().number(1, 4).number(2, 1).bytes(4, packed));
    assertForm(values, new WireWriter().number(1, 4).number(2, 10).bytes(5, halves.toByteArray()));
    assertForm(values, external("weights.bin", "8", "16"));
    assertThrows(
        ModelFormatException.class, () -> assertForm(values, external("weights.bin", "12", "16")));
    assertThrows(
        ModelFormatException.class, () -> assertForm(values, external("../w.bin", "8", "16")));
    assertThrows(
        ModelFormatException.class, () -> assertForm(values, external("weights.bin", "-1", "16")));
    assertThrows(
        ModelFormatException.class,
        () ->
            assertForm(
                values, new WireWriter().number(1, 4).number(2, 1).bytes(4, halves.toByteArray())));
  }

  private static WireWriter external(String location, String offset, String length) {
    WireWriter tensor = new WireWriter().number(1, 4).number(2, 1);
    Map.of("location", location, "offset", offset, "length", length)
        .forEach(
            (key, value) ->
                tensor.bytes(13, new WireWriter().text(1, key).text(2, value).toByteArray()));
    return tensor.number(14, 1);
  }

  private void assertForm(float[] expected, WireWriter tensor) throws IOException {
    byte[] graph =
        new WireWriter().bytes(5, tensor.text(8, "a.weight").toByteArray()).toByteArray();
    Path file =
        Files.write(folder.resolve("model.onnx"), new WireWriter().bytes(7, graph).toByteArray());
    assertArrayEquals(expected, OnnxWeights.of(file).ending(".weight").orElseThrow().toArray());
    assertTrue(OnnxWeights.of(file).ending(".bias").isEmpty());
  }

  private static byte[] varint(int value) {
    byte[] field = new WireWriter().number(1, value).toByteArray();
    return java.util.Arrays.copyOfRange(field, 1, field.length);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    return new WireWriter().raw(a).raw(b).toByteArray();
  }

  @Test
  void editingABrokenFileNeverFailsOtherwiseThanAsABrokenModel() throws IOException {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    Random random = new Random(seed);
    byte[] whole = Files.readAllBytes(encoder("sd15"));
    Path file = folder.resolve("broken.onnx");
    List<GraphEdit> edits =
        List.of(
            new GraphEdit.MoreEmbeddings("input_ids", 1000, Floats.of(new float[32]), 32),
            new GraphEdit.AttentionBias("bias"));
    for (int i = 0; i < 200; i++) {
      byte[] broken = whole.clone();
      for (int change = 0; change < 3; change++) {
        broken[random.nextInt(4000)] = (byte) random.nextInt();
      }
      Files.write(file, broken);
      try {
        GraphEditor.edit(file, edits);
      } catch (ModelFormatException | IllegalArgumentException e) {
        assertTrue(e.getMessage() != null);
      }
    }
  }
}

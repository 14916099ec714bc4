package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OnnxFileTest {

  private static final Path MODELS = Path.of("src/test/resources/goldens/pipelines");

  @TempDir Path folder;

  /** Writes one protobuf message. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message number(int field, long value) {
      varint((long) field << 3);
      varint(value);
      return this;
    }

    Message bytes(int field, byte[] value) {
      varint((long) field << 3 | 2);
      varint(value.length);
      out.writeBytes(value);
      return this;
    }

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return bytes(field, value.toBytes());
    }

    Message varint(long value) {
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) (rest & 0x7f | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
      return this;
    }

    byte[] toBytes() {
      return out.toByteArray();
    }
  }

  private static Message tensor(String name, int type, long... dims) {
    Message tensor = new Message();
    for (long dim : dims) {
      tensor.number(1, dim);
    }
    return tensor.number(2, type).text(8, name);
  }

  private static Message external(Message tensor, String location) {
    return tensor
        .message(13, new Message().text(1, "location").text(2, location))
        .message(13, new Message().text(1, "offset").text(2, "4096"))
        .number(14, 1);
  }

  private static Message value(String name, int type, Message... dims) {
    Message shape = new Message();
    for (Message dim : dims) {
      shape.message(1, dim);
    }
    Message tensor = new Message().number(1, type).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }

  private static Message model(Message graph) {
    return new Message()
        .number(1, 8)
        .text(2, "test")
        .text(3, "1.0")
        .message(8, new Message().text(1, "com.other").number(2, 1))
        .message(8, new Message().text(1, "").number(2, 17))
        .message(7, graph);
  }

  private static Message graph() {
    Message batch = new Message().text(2, "batch");
    return new Message()
        .message(1, new Message().text(4, "Conv"))
        .message(1, new Message().text(4, "Relu"))
        .message(5, tensor("a", 1, 2, 3).bytes(9, new byte[24]))
        .message(
            5,
            new Message()
                .bytes(1, new Message().varint(4).varint(5).toBytes())
                .number(2, 10)
                .text(8, "packed"))
        .message(5, tensor("scalar", 7).bytes(7, new byte[] {1}))
        .message(5, external(tensor("far", 3, 1L << 40), "weights/model.data"))
        .message(5, tensor("nibbles", 22, 3).bytes(9, new byte[2]))
        .message(11, value("x", 1, batch, new Message().number(1, 4)))
        .message(11, value("a", 1, new Message().number(1, 2), new Message().number(1, 3)))
        .message(12, value("y", 16, new Message()));
  }

  private OnnxFile read(byte[] bytes) throws IOException {
    return OnnxFile.read(Files.write(folder.resolve("model.onnx"), bytes));
  }

  @Test
  void tellsWhatTheFileSays() throws IOException {
    OnnxFile file = read(model(graph()).toBytes());
    assertEquals("test 1.0", file.producer());
    assertEquals(17, file.opset());
    assertEquals(2, file.nodes());
    assertEquals(Files.size(file.file()), file.bytes());
    assertEquals("[x float32[batch, 4]]", file.inputs().toString());
    assertEquals("[y bfloat16[?]]", file.outputs().toString());
    assertEquals(
        Map.of(
            OnnxType.FLOAT32, 6L,
            OnnxType.FLOAT16, 20L,
            OnnxType.INT64, 1L,
            OnnxType.INT8, 1L << 40,
            OnnxType.INT4, 3L),
        file.elements());
    assertEquals(6 + 20 + 3 + (1L << 40), file.parameters());
    assertEquals(Optional.of(OnnxType.INT8), file.weightType());
    assertEquals(
        List.of(folder.resolve("weights/model.data").toAbsolutePath()), file.externalFiles());
  }

  @ParameterizedTest
  @MethodSource("outside")
  void refusesExternalDataOutsideTheFolder(String location) throws IOException {
    Message graph = new Message().message(5, external(tensor("w", 1, 2), location));
    OnnxFile file = read(model(graph).toBytes());
    String message = assertThrows(ModelFormatException.class, file::externalFiles).getMessage();
    assertTrue(message.contains(location), message);
  }

  static Stream<String> outside() {
    return Stream.of("../secret", "/etc/passwd", "a/../../b", ".");
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        Arguments.of("no graph", new Message().number(1, 8).toBytes()),
        Arguments.of("is cut off", new byte[] {0x3a}),
        Arguments.of("goes beyond", new byte[] {0x3a, 0x7f}),
        Arguments.of("field number", new byte[] {0, 0}),
        Arguments.of("unknown form", new byte[] {0x0b}),
        Arguments.of("64 bits", tooLong()),
        Arguments.of("has the form 0, expected 2", new Message().number(7, 1).toBytes()),
        Arguments.of("element type 99", broken(tensor("w", 99, 1))),
        Arguments.of("has no type", broken(new Message().text(8, "w"))),
        Arguments.of("one of size -1", broken(tensor("w", 1, -1))),
        Arguments.of("too large", broken(tensor("w", 1, 1L << 40, 1L << 40))),
        Arguments.of("holds 3 bytes", broken(tensor("w", 1, 1).bytes(9, new byte[3]))),
        Arguments.of("in which file", broken(tensor("w", 1, 1).number(14, 1))),
        Arguments.of("not UTF-8", broken(new Message().number(2, 1).bytes(8, new byte[] {-1}))),
        Arguments.of("too long", broken(new Message().bytes(8, new byte[70_000]))));
  }

  private static byte[] tooLong() {
    byte[] bytes = new byte[12];
    java.util.Arrays.fill(bytes, (byte) 0x80);
    bytes[0] = 8;
    return bytes;
  }

  private static byte[] broken(Message tensor) {
    return model(new Message().message(5, tensor)).toBytes();
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void saysWhatIsWrong(String expected, byte[] bytes) {
    String message = assertThrows(ModelFormatException.class, () -> read(bytes)).getMessage();
    assertTrue(message.contains(expected), message);
    assertTrue(message.contains("model.onnx"), message);
  }

  @Test
  void refusesAFileCutOffAnywhere() {
    byte[] whole = model(graph()).toBytes();
    for (int length = 0; length < whole.length; length++) {
      byte[] part = java.util.Arrays.copyOf(whole, length);
      assertThrows(ModelFormatException.class, () -> read(part), "cut at " + length);
    }
  }

  @Test
  void anyBytesGiveAResultOrAClearError() throws IOException {
    long seed = Long.getLong("tests.seed", System.nanoTime());
    System.out.println("tests.seed=" + seed);
    Random random = new Random(seed);
    byte[] whole = model(graph()).toBytes();
    int refused = 0;
    for (int round = 0; round < 2000; round++) {
      byte[] bytes = whole.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try {
        read(bytes).elements();
      } catch (ModelFormatException e) {
        refused++;
      }
    }
    assertTrue(refused > 100, "refused " + refused);
  }

  static Stream<Path> models() throws IOException {
    try (Stream<Path> files = Files.walk(MODELS)) {
      return files.filter(file -> file.endsWith("model.onnx")).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesWithOnnxRuntime(Path model) throws IOException {
    OnnxFile file = OnnxFile.read(model);
    try (OrtModel opened = OrtRuntime.of(RuntimeOptions.defaults()).open("model", model)) {
      assertEquals(List.copyOf(opened.inputs().values()), file.inputs());
      assertEquals(List.copyOf(opened.outputs().keySet()), names(file.outputs()));
      file.outputs().forEach(output -> assertFits(output, opened.output(output.name())));
    }
    assertFalse(file.weightType().isEmpty());
    assertTrue(file.parameters() > 0 && file.opset() > 0 && file.nodes() > 0);
  }

  private static List<String> names(List<TensorSpec> specs) {
    return specs.stream().map(TensorSpec::name).toList();
  }

  /** ONNX Runtime works the sizes of outputs out, and may know more than the file says. */
  private static void assertFits(TensorSpec said, TensorSpec known) {
    assertEquals(known.type(), said.type());
    assertEquals(known.rank(), said.rank(), said + " and " + known);
    for (int axis = 0; axis < said.rank(); axis++) {
      assertTrue(said.dim(axis) < 0 || said.dim(axis) == known.dim(axis), said + " and " + known);
    }
  }
}

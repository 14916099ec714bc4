package io.github.diffusion4j.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {

  @TempDir Path folder;

  static Path fixture(String name) throws Exception {
    return Path.of(SafetensorsFileTest.class.getResource(name).toURI());
  }

  @Test
  void readsEveryType() throws Exception {
    try (TensorStore file = TensorStore.open(fixture("types.safetensors"))) {
      assertArrayEquals(file.floats("f16.float"), file.floats("f16"));
      assertArrayEquals(file.floats("bf16.float"), file.floats("bf16"));
      assertEquals(4, file.floats("f64").length);
      assertArrayEquals(new long[] {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE}, file.longs("i64"));
      assertArrayEquals(new long[] {Integer.MIN_VALUE, 7}, file.longs("i32"));
      assertArrayEquals(new long[] {Short.MIN_VALUE, 7}, file.longs("i16"));
      assertArrayEquals(new long[] {-128, 127}, file.longs("i8"));
      assertArrayEquals(new long[] {0, 255}, file.longs("u8"));
      assertArrayEquals(new long[] {1, 0, 1}, file.longs("bool"));
      assertArrayEquals(new float[] {2.5f}, file.floats("scalar"));
      assertArrayEquals(new float[0], file.floats("empty"));
      assertEquals(0, file.buffer("empty").remaining());
      assertEquals(List.of(3L, 0L, 2L), file.info("empty").shape());
      assertEquals(List.of(2L, 3L, 5L), file.info("f32").shape());
      assertEquals(TensorType.BF16, file.info("bf16").type());
      assertEquals(Map.of("format", "pt"), file.metadata());
      assertEquals(14, file.names().size());
    }
  }

  @Test
  void buffersAreReadOnlySlicesAtTheStatedPlace() throws Exception {
    Path path = fixture("types.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      TensorInfo info = file.info("f32");
      ByteBuffer bytes = file.buffer("f32");
      assertEquals(30 * 4, bytes.remaining());
      assertEquals(ByteOrder.LITTLE_ENDIAN, bytes.order());
      byte[] whole = Files.readAllBytes(path);
      ByteBuffer expected = ByteBuffer.wrap(whole, (int) info.offset(), (int) info.length());
      assertEquals(expected.slice(), bytes);
      assertThrows(ReadOnlyBufferException.class, () -> bytes.put(0, (byte) 1));
    }
  }

  @Test
  void wrongKindNamesTheTensorAndItsType() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(fixture("types.safetensors"))) {
      String message =
          assertThrows(ModelFormatException.class, () -> file.floats("i64")).getMessage();
      assertTrue(message.contains("\"i64\" I64[4]: expected a floating point"), message);
      message = assertThrows(ModelFormatException.class, () -> file.longs("f16")).getMessage();
      assertTrue(message.contains("expected an integer tensor, found F16"), message);
      message = assertThrows(ModelFormatException.class, () -> file.info("nope")).getMessage();
      assertTrue(message.contains("has no tensor \"nope\" among its 14"), message);
    }
  }

  @Test
  void typesThatCannotBeReadAreNamedAndKeepTheirBytes() throws Exception {
    Path path = write("{'a':{'dtype':'F8_E4M3','shape':[3],'data_offsets':[0,3]}}", 3);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(3, file.buffer("a").remaining());
      String message =
          assertThrows(ModelFormatException.class, () -> file.floats("a")).getMessage();
      assertTrue(message.contains("found F8_E4M3, which cannot be read"), message);
    }
  }

  @Test
  void useAfterCloseIsAnIllegalState() throws Exception {
    SafetensorsFile file = SafetensorsFile.open(fixture("types.safetensors"));
    ByteBuffer bytes = file.buffer("u8");
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, file::names);
    assertThrows(IllegalStateException.class, () -> file.floats("f32"));
    assertThrows(IllegalStateException.class, () -> file.buffer("f32"));
    assertEquals(0, bytes.get(0));
  }

  @Test
  void missingFileIsAnIoError() {
    assertThrows(
        NoSuchFileException.class, () -> SafetensorsFile.open(folder.resolve("none.safetensors")));
  }

  /** Columns: header with ' for ", bytes of data, part of the message. */
  @ParameterizedTest(name = "{2}: {0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|0|does not begin with {",
        "x{}|0|does not begin with {",
        "{'a'|0|not valid JSON",
        "{}{}|0|more than one JSON value",
        "{'a':1}|0|must be an object",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}|4|not valid JSON",
        "{'a':{'dtype':'F32','shape':[1]}}|4|needs dtype, shape and two data_offsets",
        "{'a':{'dtype':7,'shape':[1],'data_offsets':[0,4]}}|4|needs dtype, shape",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4,8]}}|8|two data_offsets",
        "{'a':{'dtype':'F99','shape':[1],'data_offsets':[0,4]}}|4|unknown dtype \"F99\"",
        "{'a':{'dtype':'f32','shape':[1],'data_offsets':[0,4]}}|4|unknown dtype \"f32\"",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}}|4|needs 8 bytes, has 4",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,8]}}|8|needs 4 bytes, has 8",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|8|there is a hole",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|8|4 bytes after its last tensor",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|3|truncated or corrupt",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}}|4|lies at bytes 4 to 0",
        "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}}|4|whole numbers",
        "{'a':{'dtype':'F32','shape':[1.0],'data_offsets':[0,4]}}|4|whole numbers",
        "{'a':{'dtype':'F32','shape':[[1]],'data_offsets':[0,4]}}|4|whole numbers",
        "{'a':{'dtype':'F32','shape':[18446744073709551616],'data_offsets':[0,4]}}|4|whole numbers",
        "{'a':{'dtype':'F32','shape':1,'data_offsets':[0,4]}}|4|must be an array",
        "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,4]}}|4|no valid",
        "{'a':{'dtype':'F64','shape':[2305843009213693952],'data_offsets':[0,4]}}|4|no valid",
        "{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,2]}}|2|no valid length",
        "{'__metadata__':{'a':1}}|0|metadata \"a\" must be a string",
        "{'__metadata__':[]}|0|must be an object",
        "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
            + "'a':{'dtype':'U8','shape':[1],'data_offsets':[1,2]}}|2|not valid JSON",
        "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},"
            + "'b':{'dtype':'U8','shape':[2],'data_offsets':[1,3]}}|3|overlaps",
        "{'a':{'dtype':'U8','dtype':'I8','shape':[2],'data_offsets':[0,2]}}|2|not valid JSON",
      })
  void aHostileHeaderIsAClearError(String header, int data, String expected) throws IOException {
    Path path = write(header, data);
    Exception error = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(path));
    assertTrue(error.getMessage().startsWith(path.toString()), error.getMessage());
    assertTrue(error.getMessage().contains(expected), error.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"-1", "9223372036854775807", "100000001", "1000", "0", "1"})
  void aLyingHeaderLengthIsAClearError(long length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    Path path = Files.write(folder.resolve("length.safetensors"), bytes.put((byte) '{').array());
    Exception error = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(path));
    assertTrue(error.getMessage().contains("must have 2 to 56"), error.getMessage());
  }

  /** Columns: the first bytes of what torch.save has written, now and long ago. */
  @ParameterizedTest
  @CsvSource({"504b030400000808", "80028a0a6cfc9c46", "8004951a00000000"})
  void pickledObjectsAreNamed(String start) throws IOException {
    byte[] bytes = Arrays.copyOf(HexFormat.of().parseHex(start), 64);
    Path path = Files.write(folder.resolve("lora.pt"), bytes);
    Exception error = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(path));
    assertTrue(error.getMessage().contains("lora.pt is not a safetensors"), error.getMessage());
    assertTrue(error.getMessage().contains("pickled Python objects"), error.getMessage());
    assertTrue(error.getMessage().contains("take it as .safetensors"), error.getMessage());
  }

  @Test
  void aFileThatIsTooShortIsAClearError() throws IOException {
    Path path = Files.write(folder.resolve("short.safetensors"), new byte[9]);
    Exception error = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(path));
    assertTrue(error.getMessage().contains("has 9 bytes"), error.getMessage());
  }

  @Test
  void aHeaderThatIsNotUtf8IsAClearError() throws IOException {
    byte[] file = {3, 0, 0, 0, 0, 0, 0, 0, '{', (byte) 0xff, '}'};
    Path path = Files.write(folder.resolve("utf8.safetensors"), file);
    Exception error = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(path));
    assertTrue(error.getMessage().contains("not UTF-8"), error.getMessage());
  }

  /** A sparse file: takes no space on the disk where the file system knows holes. */
  @Test
  void filesAndTensorsOverTwoGigabytes() throws IOException {
    long big = 3L << 30;
    String header =
        ("{'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},"
                + "'big':{'dtype':'U8','shape':[3,1073741824],'data_offsets':[8,BIG]},"
                + "'c':{'dtype':'F32','shape':[2],'data_offsets':[BIG,END]}}")
            .replace("BIG", Long.toString(big + 8))
            .replace("END", Long.toString(big + 16));
    Path path = write(header, 0);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      long start = file.length();
      file.setLength(start + big + 16);
      file.seek(start + big + 8 + 4);
      file.writeInt(Integer.reverseBytes(Float.floatToIntBits(1.5f)));
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertArrayEquals(new long[8], file.longs("a"));
      assertArrayEquals(new float[] {0, 1.5f}, file.floats("c"));
      assertEquals(big, file.info("big").length());
      String message =
          assertThrows(ModelFormatException.class, () -> file.buffer("big")).getMessage();
      assertTrue(message.contains("do not fit into one buffer"), message);
      message = assertThrows(ModelFormatException.class, () -> file.longs("big")).getMessage();
      assertTrue(message.contains("do not fit into one array"), message);
    }
  }

  private Path write(String header, int data) throws IOException {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    return Files.write(folder.resolve("test.safetensors"), bytes.array());
  }
}

package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which networks have inputs for LoRAs without being asked. */
class LoraInputsTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "AUTO, 2097152, FLOAT32, true", // words of 32 numbers: 2^26 parameters and some
    "AUTO, 2097152, FLOAT16, false",
    "AUTO, 1000, FLOAT32, false",
    "ALWAYS, 1000, FLOAT32, true",
    "ALWAYS, 1000, FLOAT16, true",
    "ON_DEMAND, 2097152, FLOAT32, false"
  })
  void largeNetworksHaveThem(LoraInputs when, long words, Precision precision, boolean there)
      throws IOException {
    ObjectNode config =
        JSON.createObjectNode()
            .put("_class_name", "CLIPTextModel")
            .put("vocab_size", words)
            .put("hidden_size", 32)
            .put("intermediate_size", 32)
            .put("num_attention_heads", 4)
            .put("num_hidden_layers", 1);
    Architecture architecture =
        Architectures.of("text_encoder", new ConfigFile("text_encoder/config.json", config));
    Path file = folder.resolve("model.safetensors");
    writeZeros(file, Parameters.of(architecture));
    BuiltNetwork network = new BuiltNetwork("text_encoder", architecture, WeightSource.of(file));
    OrtRuntime runtime =
        OrtRuntime.of(RuntimeOptions.builder().loraInputs(when).precision(precision).build());
    try (OrtModel model = runtime.openWhenNeeded("text_encoder", network, List.of())) {
      String layer = "text_model.encoder.layers.0.self_attn.q_proj";
      assertEquals(there, model.takesChangeOf(layer));
    }
  }

  /** A file that takes no room on the disk but for its header. */
  private static void writeZeros(Path file, Map<String, List<Long>> shapes) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (Map.Entry<String, List<Long>> entry : shapes.entrySet()) {
      long begin = end;
      end += Float.BYTES * entry.getValue().stream().reduce(1L, Math::multiplyExact);
      ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", "F32");
      tensor.putPOJO("shape", entry.getValue()).putPOJO("data_offsets", List.of(begin, end));
    }
    byte[] text = JSON.writeValueAsBytes(header);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(text.length).array());
      out.write(text);
      out.setLength(Long.BYTES + text.length + end);
    }
  }
}

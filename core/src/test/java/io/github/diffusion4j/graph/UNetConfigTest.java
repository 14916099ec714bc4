package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Published configurations of the real size: keys and shapes of all parameters are those of the
 * reference, whose number of parameters, number of tensors and SHA-256 of the sorted lines "key
 * dimension dimension …" are in parameters.tsv.
 */
class UNetConfigTest {

  private static final JsonMapper JSON = new JsonMapper();

  @TestFactory
  List<DynamicTest> parameters() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : Files.readAllLines(Goldens.resource("/unets/parameters.tsv"))) {
      String[] row = line.split("\t");
      tests.add(
          DynamicTest.dynamicTest(
              row[0],
              () -> {
                Map<String, List<Long>> shapes =
                    Parameters.of(Architectures.of("unet", config(row[0])));
                long count =
                    shapes.values().stream()
                        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
                        .sum();
                assertEquals(Long.parseLong(row[1]), count, "parameters");
                assertEquals(Integer.parseInt(row[2]), shapes.size(), "tensors");
                assertEquals(row[3], digest(shapes));
              }));
    }
    return tests;
  }

  private static String digest(Map<String, List<Long>> shapes) throws NoSuchAlgorithmException {
    String lines =
        new TreeMap<>(shapes)
            .entrySet().stream()
                .map(
                    entry ->
                        entry.getKey()
                            + entry.getValue().stream()
                                .map(size -> " " + size)
                                .collect(Collectors.joining()))
                .collect(Collectors.joining("\n"));
    byte[] hash =
        MessageDigest.getInstance("SHA-256").digest(lines.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash);
  }

  private static ConfigFile config(String name) {
    Path file = Goldens.resource("/unets/" + name + ".json");
    return ConfigFile.read(file.getParent(), name + ".json");
  }

  private static ConfigFile changed(String name, String key, String value) throws IOException {
    ObjectNode root = ((ObjectNode) config(name).root()).deepCopy();
    root.set(key, JSON.readTree(value));
    return new ConfigFile("unet/config.json", root);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dual_cross_attention | true",
        "attention_type | \"gated\"",
        "down_block_types | [\"SimpleCrossAttnDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"]",
        "up_block_types | [\"UpBlock2D\", \"UpBlock2D\", \"UpBlock2D\", \"KUpBlock2D\"]",
        "up_block_types | [\"UpBlock2D\"]",
        "mid_block_type | \"UNetMidBlock2DSimpleCrossAttn\"",
        "act_fn | \"tanh\"",
        "addition_embed_type | \"image\"",
        "encoder_hid_dim_type | \"image_proj\"",
        "class_embed_type | \"rotary\"",
        "class_embed_type | \"projection\"",
        "resnet_time_scale_shift | \"ada_group\"",
        "time_embedding_type | \"learned\"",
        "norm_num_groups | null",
        "norm_num_groups | 7",
        "norm_eps | -1",
        "attention_head_dim | 7",
        "attention_head_dim | [8, 8]",
        "attention_head_dim | \"8\"",
        "block_out_channels | [320, 640]",
        "block_out_channels | [320, 640, 1280, 0]",
        "block_out_channels | 320",
        "block_out_channels | [320, 640, 1280, 4294967296]",
        "layers_per_block | 1000000000",
        "layers_per_block | [2, 2]",
        "transformer_layers_per_block | 100000",
        "transformer_layers_per_block | [1, [1, 1], 1, 1]",
        "cross_attention_dim | [768, 768, 640, 768]",
        "conv_in_kernel | 4",
        "downsample_padding | 2",
        "mid_block_scale_factor | 0",
        "only_cross_attention | [1, 0, 0, 0]",
        "in_channels | 0",
      })
  void whatIsNotBuiltIsNamed(String key, String value) throws IOException {
    ConfigFile config = changed("sd-1.5", key, value);
    String message =
        assertThrows(
                ModelFormatException.class, () -> Parameters.of(Architectures.of("unet", config)))
            .getMessage();
    boolean other = value.equals("\"projection\"") || value.equals("[1, [1, 1], 1, 1]");
    assertTrue(other || message.contains(key), message);
    assertTrue(message.contains("config.json"), message);
  }

  @Test
  void pooledWidthsMustFit() {
    UNet unet = UNet.of(config("sdxl-base"));
    assertEquals(
        List.of(1280L, 6L), widths(unet.withPooledWidth(1280)), "widths of text_embeds, time_ids");
    assertEquals(List.of(1024L, 7L), widths(unet.withPooledWidth(1024)));
    assertEquals(List.of(Value.FREE, Value.FREE), widths(unet));
    assertThrows(ModelFormatException.class, () -> unet.withPooledWidth(1000));
    assertThrows(ModelFormatException.class, () -> unet.withPooledWidth(2816));
    assertEquals(0, UNet.of(config("sd-1.5")).withPooledWidth(9).pooledWidth());
  }

  private static List<Long> widths(UNet unet) {
    UNetInputs inputs =
        UNetInputs.declare(
            new Graph("test", nothing(), new GraphOptions(ElementType.FLOAT32, true)),
            unet.config(),
            unet.pooledWidth());
    return List.of(inputs.pooled().orElseThrow().dim(1), inputs.sizes().orElseThrow().dim(1));
  }

  private static Weights nothing() {
    return new Weights() {
      @Override
      public Optional<Weight> find(String key) {
        return Optional.empty();
      }

      @Override
      public Set<String> keys() {
        return Set.of();
      }

      @Override
      public String source() {
        return "nothing";
      }
    };
  }

  @Test
  void controlNetsAreNoUnets() {
    assertThrows(ModelFormatException.class, () -> ControlNet.of(config("sd-1.5")));
    assertThrows(ModelFormatException.class, () -> UNet.of(config("controlnet-sd-1.5")));
  }
}

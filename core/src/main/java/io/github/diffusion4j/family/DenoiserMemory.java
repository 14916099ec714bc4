package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.OnnxFile;
import java.util.ArrayList;
import java.util.List;

/**
 * What one row (one picture of one guidance branch) takes in a denoiser, by levels of a UNet or the
 * one level of a transformer.
 *
 * @param levels from the largest feature maps down
 * @param networks how many keep such results, each its own: 1, or 2 where a part of the denoiser
 *     runs as a network of its own
 */
public record DenoiserMemory(List<Level> levels, int networks) {

  static final DenoiserMemory NONE = new DenoiserMemory(List.of(), 1);

  private static final int BYTES = 4;

  /** Feature maps that live at once at a transformer block's feed-forward part: 8 wide, 5 more. */
  private static final int MAPS = 13;

  /** Copies the list. */
  public DenoiserMemory {
    levels = List.copyOf(levels);
  }

  /**
   * One size of feature maps.
   *
   * @param cellsPerToken latent cells that one token stands for
   * @param extraTokens of the text, where it is in the same sequence
   * @param channels width of a token
   * @param heads whose scores are kept for each pair of tokens; 0 without attention, or where one
   *     operator computes attention without keeping them
   */
  public record Level(int cellsPerToken, int extraTokens, int channels, int heads) {
    double bytes(double cells) {
      double tokens = cells / cellsPerToken + extraTokens;
      return BYTES * (heads * tokens * tokens + (double) MAPS * channels * tokens);
    }
  }

  /** The same where the layers of the first level run as a network of their own as well. */
  DenoiserMemory withFirstLevelAlone() {
    return new DenoiserMemory(levels, 2);
  }

  /** The largest level's, as levels follow one another. */
  double bytesOfRow(double cells) {
    return networks * levels.stream().mapToDouble(level -> level.bytes(cells)).max().orElse(0);
  }

  /** Reads a denoiser's configuration. */
  static DenoiserMemory of(ConfigFile config, OnnxFile network) {
    boolean fused = network.operators().stream().anyMatch(name -> name.endsWith("Attention"));
    return config.value("block_out_channels").isPresent()
        ? unet(config, fused)
        : transformer(config, fused);
  }

  private static DenoiserMemory unet(ConfigFile config, boolean fused) {
    JsonNode channels = config.value("block_out_channels").orElseThrow();
    JsonNode types = config.value("down_block_types").orElse(null);
    boolean plain = config.text("_class_name").orElse("").equals("UNet2DModel");
    List<Level> levels = new ArrayList<>();
    for (int level = 0; level < Math.min(8, channels.size()); level++) {
      int width = Math.max(1, channels.path(level).asInt(1));
      boolean attends = types == null || types.path(level).asText().contains("Attn");
      int heads = Math.max(1, number(config, "num_attention_heads", level, 0));
      int told = number(config, "attention_head_dim", level, 8);
      if (config.value("num_attention_heads").isEmpty()) { // an old name: heads, not their width
        heads = plain ? Math.max(1, width / Math.max(1, told)) : told;
      }
      levels.add(new Level(1 << (2 * level), 0, width, attends && !fused ? heads : 0));
    }
    return new DenoiserMemory(levels, 1);
  }

  private static int number(ConfigFile config, String key, int level, int otherwise) {
    return config
        .value(key)
        .map(node -> node.isArray() ? node.path(Math.min(level, node.size() - 1)) : node)
        .map(node -> Math.max(0, Math.min(1 << 16, node.asInt(otherwise))))
        .orElse(otherwise);
  }

  private static DenoiserMemory transformer(ConfigFile config, boolean fused) {
    int heads = number(config, "num_attention_heads", 0, 24);
    int width = Math.max(1, number(config, "attention_head_dim", 0, 64));
    int patch = Math.max(1, Math.min(64, number(config, "patch_size", 0, 2)));
    boolean packed = config.text("_class_name").orElse("").startsWith("Flux");
    int side = packed ? 2 : patch; // latents are packed before they come to FLUX
    int text = packed ? T5Sequence.LONGEST : T5Sequence.LONGEST / 2 + 77;
    return new DenoiserMemory(
        List.of(new Level(side * side, text, heads * width, fused ? 0 : heads)), 1);
  }
}

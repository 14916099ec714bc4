package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import io.github.diffusion4j.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A UNet in the original layout, whose blocks are numbered through ({@code input_blocks.1} …):
 * which module is which in diffusers' layout, where they are sorted by resolution.
 */
final class LdmUNet implements Mapping {

  /** Embeds what SDXL adds to the timestep. */
  static final String ADDED = "label_emb.0.0.weight";

  static final Map<String, String> RESNET =
      Map.of(
          "in_layers.0", "norm1",
          "in_layers.2", "conv1",
          "emb_layers.1", "time_emb_proj",
          "out_layers.0", "norm2",
          "out_layers.3", "conv2",
          "skip_connection", "conv_shortcut");

  static final Map<String, String> AROUND =
      Map.of(
          "time_embed.0", "time_embedding.linear_1",
          "time_embed.2", "time_embedding.linear_2",
          "label_emb.0.0", "add_embedding.linear_1",
          "label_emb.0.2", "add_embedding.linear_2",
          "input_blocks.0.0", "conv_in",
          "out.0", "conv_norm_out",
          "out.2", "conv_out");

  /**
   * One resolution.
   *
   * @param channels of its ResNet blocks
   * @param resnets how many on the way down
   * @param depth transformer blocks of each attention, 0 for none
   */
  private record Level(int channels, int resnets, int depth) {}

  private final StoredNetwork stored;
  private final List<Level> levels = new ArrayList<>();
  private final Map<String, String> modules = new TreeMap<>(AROUND);
  private final String attention;

  /** Walks through the blocks. */
  LdmUNet(StoredNetwork stored) {
    this.stored = stored;
    down();
    if (levels.isEmpty()) {
      throw stored.error("has no input_blocks of a UNet");
    }
    resnet("middle_block.0", "mid_block.resnets.0");
    modules.put("middle_block.1", "mid_block.attentions.0");
    resnet("middle_block.2", "mid_block.resnets.1");
    up();
    this.attention =
        modules.keySet().stream()
            .filter(module -> stored.hasAny(module + ".transformer_blocks."))
            .findFirst()
            .orElseThrow(() -> stored.error("has a UNet without cross-attention"));
  }

  private void down() {
    int resnets = 0;
    int channels = 0;
    int depth = 0;
    for (int block = 1; stored.hasAny("input_blocks." + block + ".0."); block++) {
      String module = "input_blocks." + block;
      String level = "down_blocks." + levels.size();
      if (stored.has(module + ".0.op.weight")) {
        modules.put(module + ".0.op", level + ".downsamplers.0.conv");
        levels.add(new Level(channels, resnets, depth));
        resnets = 0;
        continue;
      }
      int found = stored.count(module + ".1.transformer_blocks.");
      if (resnets > 0 && found != depth) {
        throw stored.error(
            "%s%s has %d transformer blocks, others of its resolution %d"
                .formatted(stored.prefix(), module, found, depth));
      }
      depth = found;
      channels = stored.size(module + ".0.in_layers.2.weight", 4, 0);
      resnet(module + ".0", level + ".resnets." + resnets);
      if (depth > 0) {
        modules.put(module + ".1", level + ".attentions." + resnets);
      }
      resnets++;
    }
    levels.add(new Level(channels, resnets, depth));
  }

  private void up() {
    int block = 0;
    for (int i = levels.size() - 1; i >= 0; i--) {
      String level = "up_blocks." + (levels.size() - 1 - i);
      for (int resnet = 0; resnet <= levels.get(i).resnets; resnet++) {
        String module = "output_blocks." + block++;
        resnet(module + ".0", level + ".resnets." + resnet);
        for (int part = 1; part <= 2; part++) {
          if (stored.has(module + "." + part + ".norm.weight")) {
            modules.put(module + "." + part, level + ".attentions." + resnet);
          } else if (stored.has(module + "." + part + ".conv.weight")) {
            modules.put(module + "." + part + ".conv", level + ".upsamplers.0.conv");
          }
        }
      }
    }
  }

  private void resnet(String module, String name) {
    RESNET.forEach((part, called) -> modules.put(module + "." + part, name + "." + called));
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> mapped = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    for (Map.Entry<String, TensorInfo> tensor : stored.tensors().entrySet()) {
      String name = tensor.getKey();
      String module = name;
      do {
        int dot = module.lastIndexOf('.');
        module = dot < 0 ? "" : module.substring(0, dot);
      } while (!module.isEmpty() && !modules.containsKey(module));
      if (module.isEmpty() || StoredNetwork.isScale(name)) {
        unknown.add(name);
      } else {
        mapped.put(
            modules.get(module) + name.substring(module.length()), Weight.of(tensor.getValue()));
      }
    }
    if (!unknown.isEmpty()) {
      throw stored.unexpected(unknown);
    }
    return mapped;
  }

  /** Channels of the input: 4, or 9 of an inpainting model, or 8 of an instructed one. */
  int inChannels() {
    return stored.size("input_blocks.0.0.weight", 4, 1);
  }

  /** Width of the text embeddings. */
  int crossAttentionDim() {
    return stored.size(attention + ".transformer_blocks.0.attn2.to_k.weight", 2, 1);
  }

  /** Width of the embedding of sizes and text that SDXL adds to the timestep's. */
  int additionWidth() {
    return stored.size(ADDED, 2, 1);
  }

  @Override
  public Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("in_channels", inChannels());
    config.put("out_channels", stored.size("out.2.weight", 4, 0));
    config.put("block_out_channels", levels.stream().map(Level::channels).toList());
    config.put("layers_per_block", layers());
    config.put("cross_attention_dim", crossAttentionDim());
    config.put("down_block_types", types("DownBlock2D", false));
    config.put("up_block_types", types("UpBlock2D", true));
    config.put("transformer_layers_per_block", depths());
    boolean linear = stored.tensor(attention + ".proj_in.weight", 2, 4).shape().size() == 2;
    config.put("use_linear_projection", linear);
    if (linear) { // heads of 64 channels; the others have eight heads
      config.put(
          "attention_head_dim",
          levels.stream().map(level -> Math.max(1, level.channels / 64)).toList());
    }
    if (stored.hasAny("label_emb.")) {
      config.put("addition_embed_type", "text_time");
      config.put("projection_class_embeddings_input_dim", additionWidth());
    }
    return config;
  }

  private Object layers() {
    List<Integer> layers = levels.stream().map(Level::resnets).distinct().toList();
    if (layers.size() > 1) {
      throw stored.error(
          "has a UNet with a different number of ResNet blocks at each resolution, "
              + levels.stream().map(Level::resnets).toList());
    }
    return layers.get(0);
  }

  private List<String> types(String plain, boolean upwards) {
    List<String> types = new ArrayList<>();
    for (Level level : levels) {
      String type = level.depth > 0 ? "CrossAttn" + plain : plain;
      types.add(upwards ? 0 : types.size(), type);
    }
    return types;
  }

  /** The middle has as many transformer blocks as the last resolution is said to have. */
  private List<Integer> depths() {
    int middle = stored.count("middle_block.1.transformer_blocks.");
    List<Integer> depths = new ArrayList<>();
    for (int i = 0; i < levels.size(); i++) {
      boolean last = i == levels.size() - 1;
      int depth = levels.get(i).depth;
      if (last && depth > 0 && depth != middle) {
        throw stored.error(
            "has %d transformer blocks in the middle of the UNet and %d before it, which no known configuration has"
                .formatted(middle, depth));
      }
      depths.add(last ? Math.max(1, middle) : Math.max(1, depth));
    }
    return depths;
  }
}

package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import io.github.diffusion4j.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An autoencoder in the original layout: other names, and attention as 1x1 convolutions. */
final class LdmAutoencoder implements Mapping {

  private static final Pattern BLOCK =
      Pattern.compile(
          "(encoder\\.down|decoder\\.up)\\.(\\d{1,2})\\.(block\\.(\\d{1,2})|\\w+)\\.(.+)");
  private static final Pattern MIDDLE =
      Pattern.compile("(encoder|decoder)\\.mid\\.(block_1|block_2|attn_1)\\.(.+)");
  private static final Map<String, String> ATTENTION =
      Map.of("norm", "group_norm", "q", "to_q", "k", "to_k", "v", "to_v", "proj_out", "to_out.0");

  private final StoredNetwork stored;
  private final int levels;

  LdmAutoencoder(StoredNetwork stored) {
    this.stored = stored;
    this.levels = stored.count("decoder.up.");
    if (levels == 0) {
      throw stored.error("has no decoder of an autoencoder under " + stored.prefix());
    }
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> mapped = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    for (Map.Entry<String, TensorInfo> tensor : stored.tensors().entrySet()) {
      String stored = tensor.getKey();
      if (stored.startsWith("loss.") || stored.startsWith("model_ema.")) {
        continue; // of the training
      }
      String name = name(stored);
      if (name.isEmpty()) {
        unknown.add(stored);
      } else {
        mapped.put(name, shaped(name, tensor.getValue()));
      }
    }
    if (!unknown.isEmpty()) {
      throw stored.unexpected(unknown);
    }
    return mapped;
  }

  private static Weight shaped(String name, TensorInfo info) {
    List<Long> shape = info.shape();
    boolean matrix =
        name.contains(".attentions.")
            && shape.size() == 4
            && shape.get(2) == 1
            && shape.get(3) == 1;
    return matrix ? Weight.of(info).reshaped(shape.get(0), shape.get(1)) : Weight.of(info);
  }

  /** Diffusers' name, "" if there is none. */
  private String name(String stored) {
    Matcher block = BLOCK.matcher(stored);
    if (block.matches()) {
      return block(block);
    }
    Matcher middle = MIDDLE.matcher(stored);
    if (middle.matches()) {
      String half = middle.group(1) + ".mid_block.";
      String rest = middle.group(3);
      return switch (middle.group(2)) {
        case "block_1" -> half + "resnets.0." + resnet(rest);
        case "block_2" -> half + "resnets.1." + resnet(rest);
        default -> attention(half, rest);
      };
    }
    if (stored.matches("(encoder|decoder)\\.norm_out\\.\\w+")) {
      return stored.replace(".norm_out.", ".conv_norm_out.");
    }
    boolean same = stored.matches("((encoder|decoder)\\.conv_(in|out)|(post_)?quant_conv)\\.\\w+");
    return same ? stored : "";
  }

  private String block(Matcher block) {
    boolean down = block.group(1).equals("encoder.down");
    int level = Integer.parseInt(block.group(2));
    if (!down && level >= levels) {
      return "";
    }
    String place =
        down ? "encoder.down_blocks." + level : "decoder.up_blocks." + (levels - 1 - level);
    if (block.group(4) != null) {
      return place + ".resnets." + block.group(4) + "." + resnet(block.group(5));
    }
    return switch (block.group(3)) {
      case "downsample" -> place + ".downsamplers.0." + block.group(5);
      case "upsample" -> place + ".upsamplers.0." + block.group(5);
      default -> "";
    };
  }

  private static String resnet(String rest) {
    return rest.replaceFirst("^nin_shortcut\\.", "conv_shortcut.");
  }

  private static String attention(String half, String rest) {
    int dot = rest.lastIndexOf('.');
    String part = dot < 0 ? null : ATTENTION.get(rest.substring(0, dot));
    return part == null ? "" : half + "attentions.0." + part + rest.substring(dot);
  }

  @Override
  public Map<String, Object> config() {
    List<Integer> channels = new ArrayList<>();
    for (int level = 0; level < levels; level++) {
      channels.add(stored.size("decoder.up." + level + ".block.0.conv1.weight", 4, 0));
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("in_channels", stored.size("encoder.conv_in.weight", 4, 1));
    config.put("out_channels", stored.size("decoder.conv_out.weight", 4, 0));
    config.put("latent_channels", stored.size("decoder.conv_in.weight", 4, 1));
    config.put("block_out_channels", channels);
    config.put("layers_per_block", stored.count("encoder.down.0.block."));
    config.put("down_block_types", Collections.nCopies(levels, "DownEncoderBlock2D"));
    config.put("up_block_types", Collections.nCopies(levels, "UpDecoderBlock2D"));
    config.put("mid_block_add_attention", stored.hasAny("decoder.mid.attn_1."));
    config.put("use_quant_conv", stored.has("quant_conv.weight"));
    config.put("use_post_quant_conv", stored.has("post_quant_conv.weight"));
    return config;
  }
}

package io.github.diffusion4j.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes checkpoints in the original layout: all names and shapes, from the formulas of the
 * original code, and data that is a hole in the file.
 */
final class LdmFile {

  /** A UNet of the original code, under its own words. */
  record UNet(
      int inChannels,
      int modelChannels,
      List<Integer> multiples,
      List<Integer> depths,
      int middleDepth,
      int context,
      int adm) {}

  private final Map<String, long[]> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  LdmFile tensor(String name, long... shape) {
    tensors.put(name, shape);
    return this;
  }

  LdmFile without(String name) {
    tensors.remove(name);
    return this;
  }

  LdmFile metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  private void both(String name, long... shape) {
    tensor(name + ".weight", shape);
    tensor(name + ".bias", shape[0]);
  }

  /** {@code openaimodel.UNetModel} with two ResNet blocks at each resolution. */
  LdmFile unet(UNet unet) {
    String p = "model.diffusion_model.";
    long base = unet.modelChannels;
    long time = 4 * base;
    both(p + "time_embed.0", time, base);
    both(p + "time_embed.2", time, time);
    if (unet.adm > 0) {
      both(p + "label_emb.0.0", time, unet.adm);
      both(p + "label_emb.0.2", time, time);
    }
    both(p + "input_blocks.0.0", base, unet.inChannels, 3, 3);
    java.util.Deque<Long> skips = new java.util.ArrayDeque<>(List.of(base));
    long channels = base;
    int block = 1;
    int levels = unet.multiples.size();
    for (int level = 0; level < levels; level++) {
      long out = base * unet.multiples.get(level);
      for (int i = 0; i < 2; i++, block++) {
        resnet(p + "input_blocks." + block + ".0", channels, out, time);
        attention(p + "input_blocks." + block + ".1", out, unet.depths.get(level), unet);
        channels = out;
        skips.push(channels);
      }
      if (level < levels - 1) {
        both(p + "input_blocks." + block++ + ".0.op", channels, channels, 3, 3);
        skips.push(channels);
      }
    }
    resnet(p + "middle_block.0", channels, channels, time);
    attention(p + "middle_block.1", channels, unet.middleDepth, unet);
    resnet(p + "middle_block.2", channels, channels, time);
    block = 0;
    for (int level = levels - 1; level >= 0; level--) {
      long out = base * unet.multiples.get(level);
      for (int i = 0; i < 3; i++, block++) {
        resnet(p + "output_blocks." + block + ".0", channels + skips.pop(), out, time);
        channels = out;
        int depth = unet.depths.get(level);
        attention(p + "output_blocks." + block + ".1", out, depth, unet);
        if (level > 0 && i == 2) {
          both(p + "output_blocks." + block + (depth > 0 ? ".2" : ".1") + ".conv", out, out, 3, 3);
        }
      }
    }
    both(p + "out.0", base);
    both(p + "out.2", 4, base, 3, 3);
    return this;
  }

  private void resnet(String p, long in, long out, long time) {
    both(p + ".in_layers.0", in);
    both(p + ".in_layers.2", out, in, 3, 3);
    both(p + ".emb_layers.1", out, time);
    both(p + ".out_layers.0", out);
    both(p + ".out_layers.3", out, out, 3, 3);
    if (in != out) {
      both(p + ".skip_connection", out, in, 1, 1);
    }
  }

  private void attention(String p, long c, int depth, UNet unet) {
    if (depth == 0) {
      return;
    }
    boolean linear = unet.context != 768; // CLIP's width, of Stable Diffusion 1
    long[] projection = linear ? new long[] {c, c} : new long[] {c, c, 1, 1};
    both(p + ".norm", c);
    both(p + ".proj_in", projection);
    for (int i = 0; i < depth; i++) {
      String b = p + ".transformer_blocks." + i;
      for (String name : List.of(".attn1", ".attn2")) {
        long from = name.equals(".attn1") ? c : unet.context;
        tensor(b + name + ".to_q.weight", c, c);
        tensor(b + name + ".to_k.weight", c, from);
        tensor(b + name + ".to_v.weight", c, from);
        both(b + name + ".to_out.0", c, c);
      }
      both(b + ".ff.net.0.proj", 8 * c, c);
      both(b + ".ff.net.2", c, 4 * c);
      both(b + ".norm1", c);
      both(b + ".norm2", c);
      both(b + ".norm3", c);
    }
    both(p + ".proj_out", projection);
  }

  /** {@code autoencoder.AutoencoderKL} of 4 channels, 128 times [1, 2, 4, 4]. */
  LdmFile autoencoder() {
    String p = "first_stage_model.";
    long[] sizes = {128, 256, 512, 512};
    both(p + "encoder.conv_in", 128, 3, 3, 3);
    long channels = 128;
    for (int level = 0; level < 4; level++) {
      for (int i = 0; i < 2; i++) {
        block(p + "encoder.down." + level + ".block." + i, channels, sizes[level]);
        channels = sizes[level];
      }
      if (level < 3) {
        both(p + "encoder.down." + level + ".downsample.conv", channels, channels, 3, 3);
      }
    }
    middle(p + "encoder.mid");
    both(p + "encoder.norm_out", 512);
    both(p + "encoder.conv_out", 8, 512, 3, 3);
    both(p + "decoder.conv_in", 512, 4, 3, 3);
    middle(p + "decoder.mid");
    for (int level = 3; level >= 0; level--) {
      for (int i = 0; i < 3; i++) {
        block(p + "decoder.up." + level + ".block." + i, channels, sizes[level]);
        channels = sizes[level];
      }
      if (level > 0) {
        both(p + "decoder.up." + level + ".upsample.conv", channels, channels, 3, 3);
      }
    }
    both(p + "decoder.norm_out", 128);
    both(p + "decoder.conv_out", 3, 128, 3, 3);
    both(p + "quant_conv", 8, 8, 1, 1);
    both(p + "post_quant_conv", 4, 4, 1, 1);
    return this;
  }

  private void middle(String p) {
    block(p + ".block_1", 512, 512);
    both(p + ".attn_1.norm", 512);
    for (String part : List.of("q", "k", "v", "proj_out")) {
      both(p + ".attn_1." + part, 512, 512, 1, 1);
    }
    block(p + ".block_2", 512, 512);
  }

  private void block(String p, long in, long out) {
    both(p + ".norm1", in);
    both(p + ".conv1", out, in, 3, 3);
    both(p + ".norm2", out);
    both(p + ".conv2", out, out, 3, 3);
    if (in != out) {
      both(p + ".nin_shortcut", out, in, 1, 1);
    }
  }

  /** CLIP ViT-L/14's text encoder in transformers. */
  LdmFile clip(String p) {
    tensor(p + "text_model.embeddings.position_ids", 1, 77);
    tensor(p + "text_model.embeddings.token_embedding.weight", 49408, 768);
    tensor(p + "text_model.embeddings.position_embedding.weight", 77, 768);
    for (int i = 0; i < 12; i++) {
      String layer = p + "text_model.encoder.layers." + i;
      for (String part : List.of("k_proj", "v_proj", "q_proj", "out_proj")) {
        both(layer + ".self_attn." + part, 768, 768);
      }
      both(layer + ".layer_norm1", 768);
      both(layer + ".mlp.fc1", 3072, 768);
      both(layer + ".mlp.fc2", 768, 3072);
      both(layer + ".layer_norm2", 768);
    }
    both(p + "text_model.final_layer_norm", 768);
    return this;
  }

  /** OpenCLIP's text encoder. */
  LdmFile openClip(String p, int width, int layers) {
    tensor(p + "positional_embedding", 77, width);
    tensor(p + "text_projection", width, width);
    tensor(p + "logit_scale");
    tensor(p + "token_embedding.weight", 49408, width);
    for (int i = 0; i < layers; i++) {
      String layer = p + "transformer.resblocks." + i;
      both(layer + ".ln_1", width);
      tensor(layer + ".attn.in_proj_weight", 3L * width, width);
      tensor(layer + ".attn.in_proj_bias", 3L * width);
      both(layer + ".attn.out_proj", width, width);
      both(layer + ".ln_2", width);
      both(layer + ".mlp.c_fc", 4L * width, width);
      both(layer + ".mlp.c_proj", width, 4L * width);
    }
    both(p + "ln_final", width);
    return this;
  }

  /** What training leaves beside the networks. */
  LdmFile schedule() {
    for (String name : List.of("betas", "alphas_cumprod", "log_one_minus_alphas_cumprod")) {
      tensor(name, 1000);
    }
    tensor("model_ema.decay");
    return tensor("model_ema.diffusion_modeltime_embed0weight", 1280, 320);
  }

  /** Writes 16-bit tensors whose values are all 0, taking no room on the disk. */
  Path write(Path file) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    if (!metadata.isEmpty()) {
      metadata.forEach(header.putObject("__metadata__")::put);
    }
    long at = 0;
    for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
      ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "F16");
      Arrays.stream(tensor.getValue()).forEach(entry.putArray("shape")::add);
      long end = at + 2 * Arrays.stream(tensor.getValue()).reduce(1, (a, b) -> a * b);
      entry.putArray("data_offsets").add(at).add(end);
      at = end;
    }
    byte[] json = new ObjectMapper().writeValueAsBytes(header);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(json.length).array());
      out.write(json);
      out.setLength(8 + json.length + at);
    }
    return file;
  }
}

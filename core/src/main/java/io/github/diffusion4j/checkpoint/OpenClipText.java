package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import io.github.diffusion4j.tensor.TensorInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text encoder of OpenCLIP: other names, query, key and value in one matrix, the projection
 * transposed.
 */
final class OpenClipText implements Mapping {

  private static final Pattern LAYER =
      Pattern.compile("transformer\\.resblocks\\.(\\d{1,3})\\.(.+)[._](weight|bias)");
  private static final String PROJECTION = "text_projection";

  /** As some files have it: not transposed. */
  private static final String LAYER_PROJECTION = "text_projection.weight";

  private static final Map<String, String> PARTS =
      Map.of(
          "ln_1", "layer_norm1",
          "ln_2", "layer_norm2",
          "attn.out_proj", "self_attn.out_proj",
          "mlp.c_fc", "mlp.fc1",
          "mlp.c_proj", "mlp.fc2");
  private static final Map<String, String> AROUND =
      Map.of(
          "token_embedding.weight", "text_model.embeddings.token_embedding.weight",
          "positional_embedding", "text_model.embeddings.position_embedding.weight",
          "ln_final.weight", "text_model.final_layer_norm.weight",
          "ln_final.bias", "text_model.final_layer_norm.bias");

  private final StoredNetwork stored;
  private final boolean projects;
  private final int layers;

  /**
   * A stored text encoder.
   *
   * @param projects whether the projection of the pooled embedding is used; without it the last
   *     layer is not used either
   * @param used how many layers are used, where that is known
   */
  OpenClipText(StoredNetwork stored, boolean projects, Optional<Integer> used) {
    this.stored = stored;
    this.projects = projects;
    int all = stored.count("transformer.resblocks.");
    this.layers = used.orElse(projects ? all : all - 1);
    if (layers < 1 || layers > all) {
      throw stored.error(
          "has %d layers under %stransformer, of which %d are to be used"
              .formatted(all, stored.prefix(), layers));
    }
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> mapped = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    for (Map.Entry<String, TensorInfo> tensor : stored.tensors().entrySet()) {
      String name = tensor.getKey();
      Matcher layer = LAYER.matcher(name);
      if (isBeside(name)) {
        continue;
      } else if (AROUND.containsKey(name)) {
        mapped.put(AROUND.get(name), Weight.of(tensor.getValue()));
      } else if (name.equals(PROJECTION) || name.equals(LAYER_PROJECTION)) {
        if (projects) {
          stored.tensor(name, 2);
          Weight weight = Weight.of(tensor.getValue());
          mapped.put(LAYER_PROJECTION, name.equals(PROJECTION) ? weight.transpose() : weight);
        }
      } else if (!layer.matches() || !add(layer, tensor.getValue(), mapped)) {
        unknown.add(name);
      }
    }
    if (!unknown.isEmpty()) {
      throw stored.unexpected(unknown);
    }
    return mapped;
  }

  /** Of the training, a constant, or of the encoder of pictures that was trained with this one. */
  private static boolean isBeside(String name) {
    return name.equals("logit_scale")
        || name.equals("attn_mask")
        || name.endsWith("position_ids")
        || name.startsWith("visual.");
  }

  private boolean add(Matcher layer, TensorInfo info, Map<String, Weight> mapped) {
    int number = Integer.parseInt(layer.group(1));
    if (number >= layers) {
      return true; // not used
    }
    String place = "text_model.encoder.layers." + number + ".";
    String end = "." + layer.group(3);
    if (layer.group(2).equals("attn.in_proj")) {
      if (info.shape().isEmpty() || info.shape().get(0) % 3 != 0) {
        throw stored.error(
            "tensor \"%s\" has the shape %s, expected query, key and value one below the other"
                .formatted(info.name(), info.shape()));
      }
      long rows = info.shape().get(0) / 3;
      String[] parts = {"q_proj", "k_proj", "v_proj"};
      for (int i = 0; i < parts.length; i++) {
        mapped.put(
            place + "self_attn." + parts[i] + end, Weight.of(info).rows(i * rows, (i + 1) * rows));
      }
      return true;
    }
    String part = PARTS.get(layer.group(2));
    if (part != null) {
      mapped.put(place + part + end, Weight.of(info));
    }
    return part != null;
  }

  @Override
  public Map<String, Object> config() {
    int width = stored.size("token_embedding.weight", 2, 1);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("vocab_size", stored.size("token_embedding.weight", 2, 0));
    config.put("max_position_embeddings", stored.size("positional_embedding", 2, 0));
    config.put("hidden_size", width);
    config.put("intermediate_size", stored.size("transformer.resblocks.0.mlp.c_fc.weight", 2, 0));
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", Math.max(1, width / 64));
    config.put("projection_dim", projects ? projected() : width);
    return config;
  }

  private int projected() {
    return stored.has(LAYER_PROJECTION)
        ? stored.size(LAYER_PROJECTION, 2, 0)
        : stored.size(PROJECTION, 2, 1);
  }
}

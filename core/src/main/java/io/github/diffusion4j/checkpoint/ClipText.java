package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import java.util.LinkedHashMap;
import java.util.Map;

/** A CLIP text encoder under transformers' own names. */
final class ClipText implements Mapping {

  private static final String MODEL = "text_model.";

  private final StoredNetwork stored;

  /** Where the names lack their first part, as some merging programs write them. */
  private final boolean shortened;

  ClipText(StoredNetwork stored) {
    this.stored = stored;
    this.shortened = !stored.hasAny(MODEL);
  }

  private String stored(String name) {
    return shortened ? name : MODEL + name;
  }

  @Override
  public Map<String, Weight> weights() {
    Map<String, Weight> mapped = new LinkedHashMap<>();
    stored
        .tensors()
        .forEach(
            (name, info) -> {
              if (!name.endsWith(".position_ids")) {
                boolean inModel = shortened && !name.startsWith("text_projection.");
                mapped.put(inModel ? MODEL + name : name, Weight.of(info));
              }
            });
    return mapped;
  }

  @Override
  public Map<String, Object> config() {
    int width = stored.size(stored("embeddings.token_embedding.weight"), 2, 1);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("vocab_size", stored.size(stored("embeddings.token_embedding.weight"), 2, 0));
    config.put(
        "max_position_embeddings",
        stored.size(stored("embeddings.position_embedding.weight"), 2, 0));
    config.put("hidden_size", width);
    config.put("intermediate_size", stored.size(stored("encoder.layers.0.mlp.fc1.weight"), 2, 0));
    config.put("num_hidden_layers", stored.count(stored("encoder.layers.")));
    config.put("num_attention_heads", Math.max(1, width / 64));
    config.put("projection_dim", width);
    return config;
  }
}

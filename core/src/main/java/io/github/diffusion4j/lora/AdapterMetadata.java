package io.github.diffusion4j.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.diffusion4j.ModelFormatException;
import java.nio.file.Path;
import java.util.Map;

/**
 * What diffusers writes of peft's configuration into a LoRA file: factors that are not among the
 * tensors.
 *
 * @param file the LoRA, for messages
 * @param root the JSON object, missing if there is none
 * @param prefix what the component's keys begin with
 */
record AdapterMetadata(Path file, JsonNode root, String prefix) {

  private static final String KEY = "lora_adapter_metadata";

  static AdapterMetadata of(Path file, Map<String, String> metadata, String component) {
    String json = metadata.get(KEY);
    if (json == null) {
      return new AdapterMetadata(file, MissingNode.getInstance(), component + ".");
    }
    try {
      JsonNode root = new ObjectMapper().readTree(json);
      if (!root.isObject()) {
        throw new ModelFormatException(file + ": " + KEY + " must be a JSON object");
      }
      AdapterMetadata read = new AdapterMetadata(file, root, component + ".");
      if (read.value("use_dora").asBoolean(false)) {
        throw new ModelFormatException(
            file + ": is DoRA by its " + KEY + ", which is not supported");
      }
      return read;
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(file + ": " + KEY + " is not valid JSON", e);
    }
  }

  private JsonNode value(String key) {
    return root.path(prefix + key);
  }

  /**
   * The factor of a layer's change: alpha over the rank, or over its root.
   *
   * @param layer with underscores in place of dots
   * @param rank of the change
   * @return 1 where nothing is said
   */
  double factor(String layer, long rank) {
    JsonNode alpha = value("lora_alpha");
    for (Map.Entry<String, JsonNode> pattern : value("alpha_pattern").properties()) {
      String end = LoraKey.underscored(pattern.getKey());
      if (layer.equals(end) || layer.endsWith("_" + end)) {
        alpha = pattern.getValue();
      }
    }
    if (alpha.isMissingNode() || alpha.isNull()) {
      return 1;
    }
    if (!alpha.isNumber() || !Double.isFinite(alpha.asDouble())) {
      throw new ModelFormatException(
          "%s: alpha of %s in %s must be a finite number, found %s"
              .formatted(file, layer, KEY, alpha));
    }
    boolean root = value("use_rslora").asBoolean(false);
    return alpha.asDouble() / (root ? Math.sqrt(rank) : rank);
  }
}

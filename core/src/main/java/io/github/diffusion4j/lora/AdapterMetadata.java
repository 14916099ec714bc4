package io.github.diffusion4j.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What is written of peft's configuration: factors that are not among the tensors. Diffusers writes
 * it into a LoRA file, peft itself into a file beside it.
 *
 * @param file the LoRA, for messages
 * @param root the JSON object, missing if there is none
 * @param prefix what the component's keys begin with; empty in peft's own file
 */
record AdapterMetadata(Path file, JsonNode root, String prefix) {

  private static final String KEY = "lora_adapter_metadata";

  /** What peft calls its files. */
  private static final String ADAPTER = "adapter_model.safetensors";

  private static final String CONFIG = "adapter_config.json";

  static AdapterMetadata of(Path file, Map<String, String> metadata, String component)
      throws IOException {
    String json = metadata.get(KEY);
    if (json != null) {
      return parse(file, json, component + ".");
    }
    Path beside = file.resolveSibling(CONFIG);
    return file.endsWith(ADAPTER) && Files.isRegularFile(beside)
        ? parse(beside, Files.readString(beside), "")
        : new AdapterMetadata(file, MissingNode.getInstance(), component + ".");
  }

  private static AdapterMetadata parse(Path file, String json, String prefix) {
    String name = prefix.isEmpty() ? "its content" : KEY;
    try {
      JsonNode root = new ObjectMapper().readTree(json);
      if (!root.isObject()) {
        throw new ModelFormatException(file + ": " + name + " must be a JSON object");
      }
      AdapterMetadata read = new AdapterMetadata(file, root, prefix);
      if (read.value("use_dora").asBoolean(false)) {
        throw new ModelFormatException(
            file + ": " + name + " says that it is DoRA, which is not supported");
      }
      return read;
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(file + ": " + name + " is not valid JSON", e);
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
              .formatted(file, layer, prefix.isEmpty() ? "it" : KEY, alpha));
    }
    boolean root = value("use_rslora").asBoolean(false);
    return alpha.asDouble() / (root ? Math.sqrt(rank) : rank);
  }
}

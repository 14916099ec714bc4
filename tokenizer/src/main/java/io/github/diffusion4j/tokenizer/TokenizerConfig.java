package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What tokenizer_config.json and special_tokens_map.json say. Each may be missing.
 *
 * @param maxLength model_max_length; empty when absent or the "no limit" number of transformers
 * @param tokenizerClass tokenizer_class without the "Fast" at its end; "" when absent
 * @param special special tokens by role: "pad_token", "eos_token", ...
 * @param additional special tokens without a role
 * @param placed added_tokens_decoder: tokens with their ids
 */
record TokenizerConfig(
    OptionalInt maxLength,
    String tokenizerClass,
    Map<String, AddedToken> special,
    List<AddedToken> additional,
    Map<Integer, AddedToken> placed) {

  static final String CONFIG = "tokenizer_config.json";
  static final String SPECIAL_TOKENS = "special_tokens_map.json";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> ROLES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "pad_token",
          "sep_token",
          "cls_token",
          "mask_token");

  /** Above it the number says "no limit": transformers writes 1e30. */
  private static final double LONGEST = 1_000_000;

  static TokenizerConfig read(Path folder) throws IOException {
    Path configFile = folder.resolve(CONFIG);
    JsonNode config = readObject(configFile);
    JsonNode map = readObject(folder.resolve(SPECIAL_TOKENS));
    requireRight(configFile, config, "padding_side");
    requireRight(configFile, config, "truncation_side");
    Map<Integer, AddedToken> placed = placed(configFile, config.path("added_tokens_decoder"));
    // Repositories without added_tokens_decoder are older: there the map has the last word.
    List<JsonNode> sources = placed.isEmpty() ? List.of(config, map) : List.of(map, config);
    Map<String, AddedToken> special = new LinkedHashMap<>();
    Map<String, AddedToken> additional = new LinkedHashMap<>();
    for (JsonNode source : sources) {
      for (String role : ROLES) {
        put(special, role, source.path(role));
      }
      for (JsonNode token : source.path("additional_special_tokens")) {
        put(additional, AddedToken.of(token).content(), token);
      }
    }
    return new TokenizerConfig(
        maxLength(configFile, config.path("model_max_length")),
        config.path("tokenizer_class").asText("").replaceFirst("Fast$", ""),
        special,
        new ArrayList<>(additional.values()),
        placed);
  }

  private static void put(Map<String, AddedToken> tokens, String key, JsonNode node) {
    if ((node.isTextual() || node.isObject()) && !AddedToken.of(node).content().isEmpty()) {
      tokens.put(key, AddedToken.of(node));
    }
  }

  private static JsonNode readObject(Path file) throws IOException {
    if (!Files.exists(file)) {
      return JsonNodeFactory.instance.objectNode();
    }
    try {
      JsonNode node = JSON.readTree(Files.readAllBytes(file));
      if (!node.isObject()) {
        throw new TokenizerFormatException(file, "expected a JSON object; download the file again");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new TokenizerFormatException(
          file, "not JSON: " + e.getMessage() + "; download the file again", e);
    }
  }

  private static void requireRight(Path file, JsonNode config, String key)
      throws TokenizerFormatException {
    String side = config.path(key).asText("right");
    if (!side.equals("right")) {
      throw new TokenizerFormatException(
          file,
          key + " must be \"right\" as text encoders of diffusion models have it, got " + side);
    }
  }

  private static OptionalInt maxLength(Path file, JsonNode node) throws TokenizerFormatException {
    if (node.isMissingNode() || node.isNull() || node.asDouble() > LONGEST) {
      return OptionalInt.empty();
    }
    if (!node.isNumber() || node.asInt() < 1) {
      throw new TokenizerFormatException(
          file, "model_max_length must be a number of tokens, 1 or more, got " + node);
    }
    return OptionalInt.of(node.asInt());
  }

  private static Map<Integer, AddedToken> placed(Path file, JsonNode decoder)
      throws TokenizerFormatException {
    Map<Integer, AddedToken> tokens = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : decoder.properties()) {
      if (!entry.getKey().matches("\\d{1,9}")) {
        throw new TokenizerFormatException(
            file,
            "added_tokens_decoder has the key \"" + entry.getKey() + "\", expected a token id");
      }
      tokens.put(Integer.valueOf(entry.getKey()), AddedToken.of(entry.getValue()));
    }
    return tokens;
  }
}

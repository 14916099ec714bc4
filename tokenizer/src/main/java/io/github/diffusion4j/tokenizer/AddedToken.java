package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A token that is looked for in the text before the model splits it, as tokenizer.json's
 * added_tokens and the AddedToken objects of the config files describe it.
 *
 * @param content the text to look for
 * @param singleWord found only between word boundaries
 * @param leftStrip takes the blanks before it along
 * @param rightStrip takes the blanks after it along
 * @param normalized looked for in the normalised text, else in the text as written
 * @param special left out of decoded text
 */
record AddedToken(
    String content,
    boolean singleWord,
    boolean leftStrip,
    boolean rightStrip,
    boolean normalized,
    boolean special) {

  /** A token given by its text only. */
  static AddedToken plain(String content) {
    return new AddedToken(content, false, false, false, false, true);
  }

  /** A word of textual inversion: found as written, upper and lower case told apart. */
  static AddedToken learned(String content) {
    return new AddedToken(content, false, false, false, false, false);
  }

  /** Reads the string form or the object form; anything else has no content. */
  static AddedToken of(JsonNode node) {
    if (node.isTextual()) {
      return plain(node.textValue());
    }
    return new AddedToken(
        node.path("content").asText(""),
        node.path("single_word").asBoolean(false),
        node.path("lstrip").asBoolean(false),
        node.path("rstrip").asBoolean(false),
        node.path("normalized").asBoolean(false),
        node.path("special").asBoolean(true));
  }

  /** The entry of tokenizer.json's added_tokens. */
  ObjectNode toJson(int id) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("id", id);
    node.put("content", content);
    node.put("single_word", singleWord);
    node.put("lstrip", leftStrip);
    node.put("rstrip", rightStrip);
    node.put("normalized", normalized);
    node.put("special", special);
    return node;
  }
}

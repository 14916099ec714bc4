package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The few things the loader must know of a tokenizer.json, read in one pass without a tree of its
 * vocabulary and merges (several megabytes), which only the native tokenizer needs.
 */
final class TokenizerJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String text;
  private final Set<String> wanted;
  private final TreeMap<Integer, AddedToken> added = new TreeMap<>();
  private final Map<String, Integer> ids = new HashMap<>();
  private int addedStart = -1;
  private int addedEnd = -1;
  private String wordEnd = "";
  private boolean unigram;
  private boolean counting;
  private int size;

  private TokenizerJson(Path file, String text, Set<String> wanted) {
    this.file = file;
    this.text = text;
    this.wanted = new HashSet<>(wanted);
  }

  /**
   * Reads what is needed and no more.
   *
   * @param file named in errors
   * @param text content of the file
   * @param wanted tokens whose ids will be asked for
   * @param counting whether {@link #size()} will be asked for
   */
  static TokenizerJson scan(Path file, String text, Set<String> wanted, boolean counting)
      throws IOException {
    TokenizerJson json = new TokenizerJson(file, text, wanted);
    json.counting = counting;
    try (JsonParser parser = JSON.createParser(text)) {
      json.scan(parser);
    } catch (JsonProcessingException e) {
      throw new TokenizerFormatException(
          file, "not JSON: " + e.getMessage() + "; download the file again", e);
    }
    return json;
  }

  /** Whether the model is SentencePiece's unigram, as in T5. */
  boolean unigram() {
    return unigram;
  }

  /** What the model appends to the last piece of a word; "" for none. */
  String wordEnd() {
    return wordEnd;
  }

  /** Id of one of the wanted tokens; null when it is in neither list. */
  Integer id(String token) {
    return ids.get(token);
  }

  /** One more than the largest id. */
  int size() {
    return size;
  }

  /** Whether added_tokens has the token. */
  boolean lists(String token) {
    return added.values().stream().anyMatch(old -> old.content().equals(token));
  }

  /** The file's text with these added tokens; entries of the same content are replaced. */
  String withAddedTokens(Map<Integer, AddedToken> more) throws IOException {
    TreeMap<Integer, AddedToken> all = new TreeMap<>(added);
    more.forEach(
        (id, token) -> {
          all.values().removeIf(old -> old.content().equals(token.content()));
          all.put(id, token);
        });
    if (all.equals(added)) {
      return text;
    }
    if (addedStart < 0) {
      throw new TokenizerFormatException(file, "has no added_tokens; export the tokenizer again");
    }
    ArrayNode array = JSON.createArrayNode();
    all.forEach((id, token) -> array.add(token.toJson(id)));
    return text.substring(0, addedStart) + array + text.substring(addedEnd);
  }

  private void scan(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new TokenizerFormatException(file, "expected a JSON object; download the file again");
    }
    boolean more = true;
    while (more && parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("added_tokens") && value == JsonToken.START_ARRAY) {
        scanAddedTokens(parser);
      } else if (name.equals("model") && value == JsonToken.START_OBJECT) {
        more = scanModel(parser);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void scanAddedTokens(JsonParser parser) throws IOException {
    addedStart = (int) parser.currentTokenLocation().getCharOffset();
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      JsonNode node = JSON.readTree(parser);
      AddedToken token = AddedToken.of(node);
      added.put(node.path("id").asInt(), token);
      remember(token.content(), node.path("id").asInt());
    }
    addedEnd = (int) parser.currentTokenLocation().getCharOffset() + 1;
  }

  /** Returns whether the rest of the file is worth reading. */
  private boolean scanModel(JsonParser parser) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("end_of_word_suffix") && value == JsonToken.VALUE_STRING) {
        wordEnd = parser.getText();
      } else if (name.equals("vocab")) {
        unigram = value == JsonToken.START_ARRAY;
        if (!counting && addedStart >= 0 && ids.keySet().containsAll(wanted)) {
          return false;
        }
        scanVocabulary(parser);
      } else {
        parser.skipChildren();
      }
    }
    return true;
  }

  /** An object of piece to id, or (unigram) an array of [piece, score] in the order of ids. */
  private void scanVocabulary(JsonParser parser) throws IOException {
    if (unigram) {
      for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
        parser.nextToken();
        remember(parser.getText(), id);
        parser.nextToken();
        parser.nextToken();
      }
    } else {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String piece = parser.currentName();
        parser.nextToken();
        remember(piece, parser.getValueAsInt(-1));
      }
    }
  }

  private void remember(String piece, int id) {
    size = Math.max(size, id + 1);
    if (wanted.contains(piece)) {
      ids.putIfAbsent(piece, id);
    }
  }
}

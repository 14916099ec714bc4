package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Makes a tokenizer.json from CLIP's vocab.json and merges.txt: NFC, blanks collapsed, lower case,
 * CLIP's word expression, byte-level BPE with a mark at word ends, start and end token around.
 */
final class ClipFiles {
  static final String VOCABULARY = "vocab.json";
  static final String MERGES = "merges.txt";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NORMALIZER =
      """
      {"type":"Sequence","normalizers":[{"type":"NFC"},
       {"type":"Replace","pattern":{"Regex":"\\\\s+"},"content":" "},{"type":"Lowercase"}]}""";
  private static final String PRE_TOKENIZER =
      """
      {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":
       "'s|'t|'re|'ve|'m|'ll|'d|[\\\\p{L}]+|[\\\\p{N}]|[^\\\\s\\\\p{L}\\\\p{N}]+"},
       "behavior":"Removed","invert":true},
       {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}""";
  private static final String DECODER =
      """
      {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

  /**
   * What the two files hold.
   *
   * @param folder where they are, for messages
   * @param vocabulary JSON of piece to id
   * @param merges one a line
   */
  record Texts(Path folder, String vocabulary, String merges) {
    static Texts read(Path folder) throws IOException {
      return new Texts(
          folder,
          Tokenizers.readText(folder.resolve(VOCABULARY)),
          Tokenizers.readText(folder.resolve(MERGES)));
    }
  }

  private final Texts texts;
  private final AddedToken start;
  private final AddedToken end;
  private final AddedToken unknown;

  /** For what both files hold; the config gives the names of the special tokens. */
  ClipFiles(Texts texts, TokenizerConfig config) {
    this.texts = texts;
    this.start = role(config, "bos_token", "<|startoftext|>");
    this.end = role(config, "eos_token", "<|endoftext|>");
    this.unknown = role(config, "unk_token", "<|endoftext|>");
  }

  private static AddedToken role(TokenizerConfig config, String role, String otherwise) {
    AddedToken token = config.special().get(role);
    return token == null ? AddedToken.plain(otherwise) : token;
  }

  /** The text of the tokenizer.json. */
  String tokenizerJson() throws IOException {
    String vocabulary = texts.vocabulary;
    Map<String, Integer> special = specialIds(vocabulary);
    StringWriter text = new StringWriter(vocabulary.length() * 4);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("version", "1.0");
      json.writeNullField("truncation");
      json.writeNullField("padding");
      json.writeFieldName("added_tokens");
      json.writeStartArray();
      for (AddedToken token : new LinkedHashSet<>(List.of(start, end, unknown))) {
        json.writeTree(token.toJson(special.get(token.content())));
      }
      json.writeEndArray();
      writeRaw(json, "normalizer", NORMALIZER);
      writeRaw(json, "pre_tokenizer", PRE_TOKENIZER);
      writeFrame(json, special);
      writeRaw(json, "decoder", DECODER);
      writeModel(json, vocabulary);
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void writeRaw(JsonGenerator json, String name, String value) throws IOException {
    json.writeFieldName(name);
    json.writeRawValue(value);
  }

  private void writeFrame(JsonGenerator json, Map<String, Integer> special) throws IOException {
    json.writeObjectFieldStart("post_processor");
    json.writeStringField("type", "RobertaProcessing");
    for (Map.Entry<String, String> token :
        Map.of("cls", start.content(), "sep", end.content()).entrySet()) {
      json.writeArrayFieldStart(token.getKey());
      json.writeString(token.getValue());
      json.writeNumber(special.get(token.getValue()));
      json.writeEndArray();
    }
    json.writeBooleanField("trim_offsets", false);
    json.writeBooleanField("add_prefix_space", false);
    json.writeEndObject();
  }

  private void writeModel(JsonGenerator json, String vocabulary) throws IOException {
    json.writeObjectFieldStart("model");
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeStringField("unk_token", unknown.content());
    json.writeStringField("continuing_subword_prefix", "");
    json.writeStringField("end_of_word_suffix", "</w>");
    json.writeBooleanField("fuse_unk", false);
    json.writeBooleanField("byte_fallback", false);
    json.writeBooleanField("ignore_merges", false);
    writeRaw(json, "vocab", vocabulary);
    json.writeArrayFieldStart("merges");
    writeMerges(json);
    json.writeEndArray();
    json.writeEndObject();
  }

  private void writeMerges(JsonGenerator json) throws IOException {
    Path file = texts.folder.resolve(MERGES);
    String[] lines = texts.merges.split("\r?\n");
    for (int i = 0; i < lines.length; i++) {
      String line = lines[i].strip();
      if (line.isEmpty() || line.startsWith("#version")) {
        continue;
      }
      int blank = line.indexOf(' ');
      if (blank < 0 || line.indexOf(' ', blank + 1) >= 0) {
        throw new TokenizerFormatException(
            file,
            "line %d must be two pieces with a blank between, got \"%s\"; download the file again"
                .formatted(i + 1, shorten(line)));
      }
      json.writeStartArray();
      json.writeString(line.substring(0, blank));
      json.writeString(line.substring(blank + 1));
      json.writeEndArray();
    }
  }

  private static String shorten(String line) {
    return line.length() <= 40 ? line : line.substring(0, 40) + "...";
  }

  /** Ids of start, end and unknown token; checks the whole vocabulary on the way. */
  private Map<String, Integer> specialIds(String vocabulary) throws IOException {
    Path file = texts.folder.resolve(VOCABULARY);
    List<String> names = List.of(start.content(), end.content(), unknown.content());
    Map<String, Integer> found = new HashMap<>();
    try (JsonParser parser = JSON.createParser(vocabulary)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new TokenizerFormatException(
            file, "expected a JSON object of piece to id; download the file again");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String piece = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT || parser.getIntValue() < 0) {
          throw new TokenizerFormatException(
              file,
              "id of \"%s\" must be a number, 0 or more, got %s"
                  .formatted(shorten(piece), parser.getText()));
        }
        if (names.contains(piece)) {
          found.put(piece, parser.getIntValue());
        }
      }
    } catch (JsonProcessingException e) {
      throw new TokenizerFormatException(
          file, "not JSON: " + e.getMessage() + "; download the file again", e);
    }
    for (String token : names) {
      if (!found.containsKey(token)) {
        throw new TokenizerFormatException(
            file,
            "has no special token %s; take the vocabulary of the same model as %s"
                .formatted(token, TokenizerConfig.CONFIG));
      }
    }
    return found;
  }
}

package io.github.diffusion4j.tokenizer;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Opens the tokenizer folder of a model repository. It holds tokenizer.json, or vocab.json and
 * merges.txt (CLIP); tokenizer_config.json and special_tokens_map.json name the special tokens and
 * the length. Any file system of java.nio will do. No network connection is made.
 */
public final class Tokenizers {
  static final String TOKENIZER = "tokenizer.json";
  private static final String SENTENCE_PIECE = "spiece.model";

  private Tokenizers() {}

  /**
   * Opens a tokenizer with the length of its tokenizer_config.json.
   *
   * @param folder folder of the tokenizer's files
   * @return an open tokenizer, owned by the caller
   * @throws IOException if a file is missing, unreadable or not of the form expected
   */
  public static Tokenizer load(Path folder) throws IOException {
    return load(folder, TokenizerOptions.DEFAULTS);
  }

  /**
   * Opens a tokenizer.
   *
   * @param folder folder of the tokenizer's files
   * @param limit most ids that the text encoder takes (its max_position_embeddings), 1 or more; the
   *     tokenizer's own length holds where it is less
   * @return an open tokenizer, owned by the caller
   * @throws IOException if a file is missing, unreadable or not of the form expected
   */
  public static Tokenizer load(Path folder, int limit) throws IOException {
    return load(folder, TokenizerOptions.DEFAULTS.withLimit(limit));
  }

  /**
   * Opens a tokenizer.
   *
   * @param folder folder of the tokenizer's files
   * @param options limit and tokens of textual inversion
   * @return an open tokenizer, owned by the caller
   * @throws IOException if a file is missing, unreadable or not of the form expected
   * @throws IllegalArgumentException if an added token is in the vocabulary already
   */
  public static Tokenizer load(Path folder, TokenizerOptions options) throws IOException {
    requireNonNull(folder, "folder");
    int limit = options.limit();
    requireFiles(folder);
    TokenizerConfig config = TokenizerConfig.read(folder);
    if (config.maxLength().isEmpty() && limit == Integer.MAX_VALUE) {
      throw new TokenizerFormatException(
          folder.resolve(TokenizerConfig.CONFIG),
          "model_max_length is missing or without limit, expected a number of tokens; add it, or"
              + " give the text encoder's max_position_embeddings as limit");
    }
    Path file = folder.resolve(TOKENIZER);
    if (!Files.exists(file)) {
      file = folder.resolve(ClipFiles.VOCABULARY);
      return open(file, clipJson(folder, config), config, options);
    }
    return open(file, readText(file), config, options);
  }

  /**
   * Opens the tokenizer of CLIP, whose vocabulary ships with this library: that of Stable Diffusion
   * 1 and 2, SDXL, and the CLIP encoders of later models. 49408 tokens, 77 at once.
   *
   * @param padToken what fills up short texts: {@code <|endoftext|>} of CLIP, {@code !} of OpenCLIP
   * @param options limit and tokens of textual inversion
   * @return an open tokenizer, owned by the caller
   * @throws IOException if the tokenizers library cannot be opened
   * @throws IllegalArgumentException if padToken is not in the vocabulary, or an added token is
   */
  public static Tokenizer clip(String padToken, TokenizerOptions options) throws IOException {
    TokenizerConfig config = ShippedClip.config(requireNonNull(padToken, "padToken"));
    String json = new ClipFiles(ShippedClip.texts(), config).tokenizerJson();
    try {
      return open(ShippedClip.NAME, json, config, options);
    } catch (TokenizerFormatException e) {
      throw new IllegalArgumentException(
          "padToken must be in the vocabulary, got \"" + padToken + "\"", e);
    }
  }

  /**
   * Writes the tokenizer of CLIP that ships as vocab.json, merges.txt and tokenizer_config.json,
   * for other programs; {@link #load} opens the folder too.
   *
   * @param padToken what fills up short texts
   * @param folder where; it must exist
   * @throws IOException if a file cannot be written
   */
  public static void writeClip(String padToken, Path folder) throws IOException {
    ShippedClip.write(requireNonNull(padToken, "padToken"), folder);
  }

  private static Tokenizer open(
      Path file, String text, TokenizerConfig config, TokenizerOptions options) throws IOException {
    List<String> more = options.addedTokens();
    Set<String> wanted = new LinkedHashSet<>(more);
    if (!config.special().containsKey("pad_token")) {
      wanted.addAll(List.of("<|endoftext|>", "<pad>"));
    }
    config.special().values().forEach(token -> wanted.add(token.content()));
    config.additional().forEach(token -> wanted.add(token.content()));
    TokenizerJson json = TokenizerJson.scan(file, text, wanted, !more.isEmpty());

    Map<Integer, AddedToken> added = new LinkedHashMap<>();
    config.special().values().forEach(token -> place(json, token, added));
    config.additional().forEach(token -> place(json, token, added));
    added.putAll(config.placed());
    for (int i = 0; i < more.size(); i++) {
      if (json.id(more.get(i)) != null) {
        throw new IllegalArgumentException(
            "addedTokens: \"%s\" is in the vocabulary already".formatted(more.get(i)));
      }
      added.put(json.size() + i, AddedToken.learned(more.get(i)));
    }
    int maxLength = Math.min(options.limit(), config.maxLength().orElse(options.limit()));
    int pad = pad(file, config, json);
    try {
      return NativeTokenizer.open(json.withAddedTokens(added), json.wordEnd(), maxLength, pad);
    } catch (IllegalArgumentException e) {
      throw new TokenizerFormatException(
          file, "not a tokenizer: " + e.getMessage() + "; download the file again", e);
    }
  }

  /** A special token that the file does not list is searched for in texts all the same. */
  private static void place(TokenizerJson json, AddedToken token, Map<Integer, AddedToken> added) {
    Integer id = json.id(token.content());
    if (id != null && !json.lists(token.content())) {
      added.put(id, token);
    }
  }

  private static int pad(Path file, TokenizerConfig config, TokenizerJson json)
      throws TokenizerFormatException {
    AddedToken given = config.special().get("pad_token");
    String token;
    if (given != null) {
      token = given.content();
    } else if (config.tokenizerClass().equals("T5Tokenizer")
        || config.tokenizerClass().isEmpty() && json.unigram()) {
      token = "<pad>";
    } else if (config.tokenizerClass().equals("CLIPTokenizer")
        || config.tokenizerClass().isEmpty() && !json.unigram()) {
      token = "<|endoftext|>";
    } else {
      throw new TokenizerFormatException(
          file.resolveSibling(TokenizerConfig.CONFIG),
          "%s needs a pad_token; add it".formatted(config.tokenizerClass()));
    }
    Integer id = json.id(token);
    if (id == null) {
      throw new TokenizerFormatException(
          file,
          "has no pad_token \"%s\"; take %s of the same model"
              .formatted(token, TokenizerConfig.CONFIG));
    }
    return id;
  }

  private static String clipJson(Path folder, TokenizerConfig config) throws IOException {
    String name = config.tokenizerClass();
    if (!name.isEmpty() && !name.equals("CLIPTokenizer")) {
      throw new TokenizerFormatException(
          folder,
          "vocab.json and merges.txt alone make a CLIPTokenizer, tokenizer_class is %s; %s"
              .formatted(name, exportRemedy()));
    }
    return new ClipFiles(ClipFiles.Texts.read(folder), config).tokenizerJson();
  }

  private static void requireFiles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new TokenizerFormatException(
          folder, "no such folder, expected the tokenizer folder of a model repository");
    }
    if (Files.exists(folder.resolve(TOKENIZER))) {
      return;
    }
    boolean vocabulary = Files.exists(folder.resolve(ClipFiles.VOCABULARY));
    boolean merges = Files.exists(folder.resolve(ClipFiles.MERGES));
    if (vocabulary && merges) {
      return;
    }
    String found = "none of them";
    if (vocabulary) {
      found = "vocab.json without merges.txt";
    } else if (merges) {
      found = "merges.txt without vocab.json";
    } else if (Files.exists(folder.resolve(SENTENCE_PIECE))) {
      found = "only spiece.model, which needs the SentencePiece library";
    }
    throw new TokenizerFormatException(
        folder,
        "expected tokenizer.json, or vocab.json and merges.txt; found %s; %s"
            .formatted(found, exportRemedy()));
  }

  private static String exportRemedy() {
    return "make tokenizer.json in Python with"
        + " transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(folder)";
  }

  static String readText(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new TokenizerFormatException(file, "not UTF-8 text; download the file again", e);
    }
  }
}

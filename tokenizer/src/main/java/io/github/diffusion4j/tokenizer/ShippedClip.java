package io.github.diffusion4j.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The vocabulary of CLIP, which ships with this library as its merges: the 256 bytes, the same at
 * the end of a word, what each merge gives, start and end token.
 */
final class ShippedClip {

  /** Stands for the files in messages. */
  static final Path NAME = Path.of("CLIP's vocabulary");

  private static final String MERGES = "clip-merges.txt";
  private static final String WORD_END = "</w>";
  private static final String START = "<|startoftext|>";
  private static final String END = "<|endoftext|>";
  private static final int LENGTH = 77;

  private ShippedClip() {}

  /** The configuration of published models. */
  static TokenizerConfig config(String padToken) {
    Map<String, AddedToken> special = new LinkedHashMap<>();
    special.put("bos_token", AddedToken.plain(START));
    special.put("eos_token", AddedToken.plain(END));
    special.put("unk_token", AddedToken.plain(END));
    special.put("pad_token", AddedToken.plain(padToken));
    return new TokenizerConfig(
        OptionalInt.of(LENGTH), "CLIPTokenizer", special, List.of(), Map.of());
  }

  /** What vocab.json and merges.txt of published models hold. */
  static ClipFiles.Texts texts() {
    String merges;
    try (InputStream in = ShippedClip.class.getResourceAsStream(MERGES)) {
      merges = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> pieces = new ArrayList<>(bytes());
    bytes().forEach(letter -> pieces.add(letter + WORD_END));
    merges.lines().forEach(merge -> pieces.add(merge.replace(" ", "")));
    pieces.add(START);
    pieces.add(END);
    Map<String, Integer> ids = new LinkedHashMap<>();
    pieces.forEach(piece -> ids.put(piece, ids.size()));
    try {
      return new ClipFiles.Texts(NAME, new ObjectMapper().writeValueAsString(ids), merges);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes what published models have. */
  static void write(String padToken, Path folder) throws IOException {
    ClipFiles.Texts texts = texts();
    Files.writeString(folder.resolve(ClipFiles.VOCABULARY), texts.vocabulary());
    Files.writeString(folder.resolve(ClipFiles.MERGES), "#version: 0.2\n" + texts.merges());
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("tokenizer_class", "CLIPTokenizer");
    config.put("model_max_length", LENGTH);
    config.put("do_lower_case", true);
    config.put("errors", "replace");
    config(padToken).special().forEach((role, token) -> config.put(role, token.content()));
    Files.writeString(
        folder.resolve(TokenizerConfig.CONFIG),
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(config));
  }

  /** A letter for each byte: itself where it can be seen, else the next one from 256 on. */
  private static List<String> bytes() {
    List<String> seen = new ArrayList<>();
    List<String> unseen = new ArrayList<>();
    for (int value = '!'; value < 256 + '!'; value++) {
      int letter = value % 256;
      boolean visible = letter > ' ' && letter <= '~' || letter > 0xa0 && letter != 0xad;
      if (visible) {
        seen.add(Character.toString(letter));
      } else {
        unseen.add(Character.toString(256 + unseen.size()));
      }
    }
    seen.addAll(unseen);
    return seen;
  }
}

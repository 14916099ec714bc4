package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A word that was taught to a model: the embeddings that stand for it in the text encoder (Gal et
 * al. 2022, arXiv 2208.01618). Given to {@code StableDiffusionPipeline.load}; prompts then use the
 * word. Immutable.
 *
 * @param token the word as prompts have it, without blanks; upper and lower case are told apart
 * @param encoders the embeddings for each of the model's text encoders, one encoder or two
 */
public record TextualInversion(String token, List<Vectors> encoders) {

  private static final String WEB_UI = "emb_params";
  private static final List<String> SDXL = List.of("clip_l", "clip_g");

  /**
   * Embeddings for one text encoder.
   *
   * @param values one vector after the other; a word of several vectors counts as several tokens
   * @param width values of one vector
   */
  public record Vectors(Floats values, int width) {
    /** Checks that the vectors are whole. */
    public Vectors {
      if (width < 1 || values.length() == 0 || values.length() % width != 0) {
        throw new IllegalArgumentException(
            "values must be one or more vectors of width %d, got %d values"
                .formatted(width, values.length()));
      }
    }

    /**
     * Number of vectors.
     *
     * @return at least 1
     */
    public int count() {
      return values.length() / width;
    }
  }

  /** Checks the word and that all encoders have as many vectors. */
  public TextualInversion {
    encoders = List.copyOf(encoders);
    if (requireNonNull(token, "token").isEmpty()
        || token.chars().anyMatch(Character::isWhitespace)) {
      throw new IllegalArgumentException(
          "token must be a word without blanks, got \"" + token + "\"; give another");
    }
    if (encoders.isEmpty() || encoders.stream().mapToInt(Vectors::count).distinct().count() != 1) {
      throw new IllegalArgumentException(
          "%s must have vectors for one text encoder or more, as many for each, got %s"
              .formatted(token, encoders.stream().map(Vectors::count).toList()));
    }
  }

  /**
   * Reads an embedding. Its word is the one in the file, as diffusers writes it, or else the file's
   * name without ending, as in the web UI.
   *
   * @param file a safetensors file in the form of diffusers (the tensor's name is the word), of the
   *     web UI ({@code emb_params}) or for SDXL ({@code clip_l}, {@code clip_g})
   * @return the embedding
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it holds something else
   */
  public static TextualInversion load(Path file) throws IOException {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return read(file, dot > 0 ? name.substring(0, dot) : name, false);
  }

  /**
   * Reads an embedding under a word of one's own.
   *
   * @param file a safetensors file
   * @param token the word for it in prompts, without blanks
   * @return the embedding
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it holds something else
   */
  public static TextualInversion load(Path file, String token) throws IOException {
    return read(file, requireNonNull(token, "token"), true);
  }

  private static TextualInversion read(Path file, String token, boolean given) throws IOException {
    try (TensorStore tensors = TensorStore.open(file)) {
      Set<String> names = tensors.names();
      if (names.containsAll(SDXL)) {
        List<Vectors> encoders = new ArrayList<>();
        for (String name : SDXL) {
          encoders.add(vectors(tensors, name));
        }
        return new TextualInversion(token, encoders);
      }
      if (names.contains(WEB_UI)) {
        return new TextualInversion(token, List.of(vectors(tensors, WEB_UI)));
      }
      if (names.size() == 1) {
        String name = names.iterator().next();
        return new TextualInversion(given ? token : name, List.of(vectors(tensors, name)));
      }
      throw new ModelFormatException(
          "%s: not an embedding: expected one tensor named by its word, %s, or %s, found %d such as %s"
              .formatted(file, WEB_UI, SDXL, names.size(), names.stream().limit(3).toList()));
    }
  }

  private static Vectors vectors(TensorStore tensors, String name) {
    List<Long> shape = tensors.info(name).shape();
    if (shape.isEmpty() || shape.size() > 2 || shape.contains(0L)) {
      throw new ModelFormatException(
          "%s: tensor \"%s\" has the shape %s, expected [vectors, width] or [width]"
              .formatted(tensors.info(name).file(), name, shape));
    }
    return new Vectors(
        Floats.of(tensors.floats(name)), Math.toIntExact(shape.get(shape.size() - 1)));
  }

  /**
   * The tokens that the vocabulary gets: the word, and one for each further vector.
   *
   * @return such as {@code <cat>}, {@code <cat>_1}
   */
  public List<String> tokens() {
    List<String> tokens = new ArrayList<>(List.of(token));
    for (int i = 1; i < encoders.get(0).count(); i++) {
      tokens.add(token + "_" + i);
    }
    return List.copyOf(tokens);
  }
}

package io.github.diffusion4j.family;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A safetensors file of weights, or the index of several, as the reference libraries name them:
 * {@code diffusion_pytorch_model} or {@code model}, perhaps a variant such as {@code fp16}, and the
 * ending. Indices have had their variant at three places.
 *
 * @param path the file
 * @param stem which library names files so
 * @param variant "" if there is none
 * @param index whether it names other files
 */
record WeightFile(Path path, String stem, String variant, boolean index) {

  private static final Pattern NAME =
      Pattern.compile(
          "(diffusion_pytorch_model|model)(\\.V)?\\.safetensors((\\.V)?\\.index(\\.V)?\\.json)?"
              .replace("V", "(?!index\\.)(?!\\w*-\\d+-of-\\d+\\.)[\\w-]+"));

  private static final String DIFFUSERS = "diffusion_pytorch_model";
  private static final String TRAINED = "non_ema";

  /** Variants in order of preference; others come after these. */
  private static final List<String> VARIANTS = List.of("", "fp32", "fp16", "bf16");

  /** The weights of a training, of which a model has an average besides, come last. */
  private static final Comparator<WeightFile> PREFERENCE =
      Comparator.comparing((WeightFile file) -> !file.stem.equals(DIFFUSERS))
          .thenComparing(file -> file.variant.contains(TRAINED))
          .thenComparing(file -> rank(file.variant))
          .thenComparing(WeightFile::variant)
          .thenComparing(WeightFile::index)
          .thenComparing(file -> file.path.getFileName().toString());

  /** Weights that are not read, by the endings of their names. */
  private static final List<String> OTHERS =
      List.of(".bin", ".bin.index.json", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".gguf");

  private static int rank(String variant) {
    int rank = VARIANTS.indexOf(variant);
    return rank < 0 ? VARIANTS.size() : rank;
  }

  /** The weights of a component's folder; empty if it has none that are read here. */
  static Optional<Path> in(Path folder) {
    return names(folder).stream()
        .flatMap(name -> of(folder, name).stream())
        .min(PREFERENCE)
        .map(WeightFile::path);
  }

  private static Optional<WeightFile> of(Path folder, String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    List<String> variants =
        Stream.of(matcher.group(2), matcher.group(4), matcher.group(5))
            .filter(variant -> variant != null)
            .map(variant -> variant.substring(1))
            .toList();
    boolean index = matcher.group(3) != null;
    String variant = variants.isEmpty() ? "" : variants.get(0);
    return variants.size() > 1
        ? Optional.empty()
        : Optional.of(new WeightFile(folder.resolve(name), matcher.group(1), variant, index));
  }

  /** What a folder without weights has instead, and what to do about it. */
  static String instead(Path folder) {
    if (!Files.isDirectory(folder)) {
      return "";
    }
    List<String> names = names(folder);
    Optional<String> shard =
        names.stream().filter(name -> name.matches(".*-of-\\d+.*\\.safetensors")).findFirst();
    if (shard.isPresent()) {
      return "; %s is there, but not the .safetensors.index.json that names all its parts"
          .formatted(shard.get());
    }
    Optional<String> tensors =
        names.stream().filter(name -> name.endsWith(".safetensors")).findFirst();
    if (tensors.isPresent()) {
      return "; %s is there under another name than diffusion_pytorch_model.safetensors or model.safetensors"
          .formatted(tensors.get());
    }
    return names.stream()
        .filter(name -> OTHERS.stream().anyMatch(name::endsWith))
        .findFirst()
        .map(
            name ->
                "; %s is there, a format that is not read: take a revision of the model with .safetensors, or load it in Python and save it with safe_serialization=True"
                    .formatted(name))
        .orElse("; the folder " + folder.getFileName() + " is there");
  }

  private static List<String> names(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> file.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " cannot be listed", e);
    }
  }
}

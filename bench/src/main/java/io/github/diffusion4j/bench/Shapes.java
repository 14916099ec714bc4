package io.github.diffusion4j.bench;

import io.github.diffusion4j.LatentShape;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Latent shapes as benchmark parameters. */
final class Shapes {

  private static final Pattern FORM = Pattern.compile("(\\d{1,5})x(\\d{1,5})x(\\d{1,5})");

  private Shapes() {}

  /** One image's shape from {@code CHANNELSxHEIGHTxWIDTH}. */
  static LatentShape parse(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "shape must be CHANNELSxHEIGHTxWIDTH such as 4x64x64, got " + text);
    }
    return new LatentShape(
        1,
        Integer.parseInt(parts.group(1)),
        Integer.parseInt(parts.group(2)),
        Integer.parseInt(parts.group(3)));
  }
}

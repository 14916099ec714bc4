package io.github.diffusion4j.cli;

import io.github.diffusion4j.Lora;
import java.nio.file.Path;

/** Reads a LoRA from the command line. */
final class LoraOption {

  private LoraOption() {}

  /** A file, and after its last colon a number, if there is one. */
  static Lora parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon > 0) {
      try {
        double scale = Double.parseDouble(text.substring(colon + 1));
        return Lora.of(Path.of(text.substring(0, colon)), scale);
      } catch (NumberFormatException e) {
        // a colon within the file's name
      }
    }
    return Lora.of(Path.of(text));
  }
}
